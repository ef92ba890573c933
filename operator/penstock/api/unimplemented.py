"""Fields that are there so that the shape can be judged, and that nothing implements yet: refused, never ignored.

When one is implemented its line goes. `path` is the field, `*` standing for any item, and a name for the item of that
name; with `value` only that value of it is refused. `sentence` follows the field's name.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from penstock.api.findings import Fault, Path
from penstock_jobs.contract.errors import Refused

ANY = object()


@dataclass(frozen=True)
class UnimplementedField:
    """A field, or one value of it, of a kind, that nothing implements yet."""

    kind: str
    path: str
    sentence: str
    value: Any = ANY


TABLE = (
    UnimplementedField("Pipeline", "spec.storage.gcs", "is not there yet; keep files in s3 or pvc"),
    UnimplementedField("Pipeline", "spec.storage.azure", "is not there yet; keep files in s3 or pvc"),
    UnimplementedField("Pipeline", "spec.models.storage.gcs", "is not there yet; keep files in s3 or pvc"),
    UnimplementedField("Pipeline", "spec.models.storage.azure", "is not there yet; keep files in s3 or pvc"),
    UnimplementedField(
        "Pipeline", "spec.training.search.strategy", "is Adaptive, which is not there yet; use Random", "Adaptive"
    ),
    UnimplementedField("PipelineRun", "spec.storage.gcs", "is not there yet; keep files in s3 or pvc"),
    UnimplementedField("PipelineRun", "spec.storage.azure", "is not there yet; keep files in s3 or pvc"),
)
# What a cluster does, and a laptop has no need of.
ON_A_LAPTOP = (
    UnimplementedField(
        "PipelineRun", "spec.suspend", "is for a cluster; remove it, and stop a local run with Ctrl-C", value=True
    ),
    UnimplementedField(
        "PipelineRun", "spec.cancel", "is for a cluster; remove it, and stop a local run with Ctrl-C", value=True
    ),
)


def missing_feature_faults(kind: str, value: Any, *, laptop: bool = True) -> Iterator[Fault]:
    """Yield each field of a resource that nothing implements yet; on a laptop, or on a cluster."""
    for line in (*TABLE, *(ON_A_LAPTOP if laptop else ())):
        if line.kind == kind:
            for path, found in paths_of(value, line.path):
                if line.value is ANY or found == line.value:
                    yield Fault(path, line.sentence)


def paths_of(value: Any, pattern: str) -> Iterator[tuple[Path, Any]]:
    """Yield where the pattern is in the value, and what is there."""
    found: list[tuple[Path, Any]] = [((), value)]
    for part in pattern.split("."):
        found = [step for path, each in found for step in _steps(path, each, part)]
    yield from found


def _steps(path: Path, value: Any, part: str) -> Iterator[tuple[Path, Any]]:
    if part == "*":
        items = value.items() if isinstance(value, dict) else enumerate(value) if _is_list(value) else ()
        yield from (((*path, name), each) for name, each in items)
    elif isinstance(value, dict) and part in value:
        yield (*path, part), value[part]
    elif _is_list(value):
        named = ((index, each) for index, each in enumerate(value) if isinstance(each, dict))
        yield from (((*path, index), each) for index, each in named if each.get("name") == part)


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)  # of a document that was read, or of one of the types


def refuse_unimplemented(kind: str, there: Mapping[str, Any]) -> None:
    """Raise `Refused` where an object names what nothing implements yet."""
    fault = next(missing_feature_faults(kind, there, laptop=False), None)
    if fault is not None:
        raise Refused(f"{fault.field} {fault.sentence}.")
