"""What an override may hold: nothing beneath which a Secret could be named, since nobody could check a right to it.

The chart says the same to the API server (`policy-rights.yaml`); here it is held where there is no such policy.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from penstock.api.findings import Fault
from penstock.api.run import Override


def secret_name_faults(overrides: Sequence[Override]) -> Iterator[Fault]:
    """Yield the overrides whose value could hold the name of a Secret, which no right could be checked on."""
    for index, override in enumerate(overrides):
        if _may_name_secrets(override.path) and not _is_flat(override.value):
            sentence = "holds fields, and one beneath could name a Secret; give the path of the field itself"
            yield Fault(("spec", "overrides", index, "value"), sentence)


def _may_name_secrets(path: str) -> bool:
    """Return whether a field beneath the path can name a Secret; helm/penstock says the same to the API server."""
    parts = path.split(".")
    return parts == ["dataset"] or (parts[:2] == ["dataset", "inputs"] and len(parts) <= 3) or _is_job(parts)


def _is_job(parts: list[str]) -> bool:
    return parts[0] == "jobs" and len(parts) <= 2


def _is_flat(value: Any) -> bool:
    items = value if isinstance(value, list) else [value]
    return not any(isinstance(each, dict | list) for each in items)
