"""Words that several remarks have in common."""

from collections.abc import Sequence

_SHOWN = 5
LEAVE_OUT = "leave it out (spec.training.features.exclude)"


def list_names(names: Sequence[str]) -> str:
    """Return the names in quotes, and how many more there are."""
    shown = ", ".join(f"'{name}'" for name in names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN:,} more"


def count_rows(count: int) -> str:
    """Return the number of rows in words."""
    return "1 row" if count == 1 else f"{count:,} rows"


def format_share(part: float, whole: float) -> str:
    """Return a share in per cent, with two digits that count."""
    return f"{100 * part / whole:.2g} %"
