"""Which of the objects that carry a run's uid is what of it: the same wherever they are kept."""

from collections.abc import Iterable
from dataclasses import dataclass

from penstock.decide.decision import ApiObject
from penstock.decide.objects.children import STEP


@dataclass(frozen=True)
class Maps:
    """The ConfigMaps of a run: the one with the results of its steps, and those with specifications."""

    results: ApiObject | None
    specifications: tuple[ApiObject, ...]


def maps_of(maps: Iterable[ApiObject]) -> Maps:
    """Return what each of the ConfigMaps that carry the run's uid is."""
    maps = tuple(maps)
    return Maps(
        results=next((each for each in maps if STEP not in each["metadata"]["labels"]), None),
        specifications=tuple(each for each in maps if STEP in each["metadata"]["labels"]),
    )


def living(pipeline: ApiObject | None) -> ApiObject | None:
    """Return the Pipeline, or None where it is on its way out."""
    return None if pipeline is None or "deletionTimestamp" in pipeline["metadata"] else pipeline
