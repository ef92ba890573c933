"""Changes of manifests, as tests write them: a path of fields, in which an item of a list goes by its name."""

from collections.abc import Sequence
from typing import Any


def set_field(there: Any, path: Sequence[str], value: Any) -> None:
    """Set the field of that path beneath `there`; what is not there yet is made. An item of a list keeps its name."""
    *parents, last = path
    for name in parents:
        there = _beneath(there, name)
    if isinstance(there, list):
        item = named(there, last)
        item.clear()
        item.update({"name": last, **value})
    else:
        there[last] = value


def named(items: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """Return the item of that name, which is made where there is none."""
    for each in items:
        if each["name"] == name:
            return each
    items.append({"name": name})
    return items[-1]


def _beneath(there: Any, name: str) -> Any:
    if isinstance(there, list):
        return named(there, name)
    return there.setdefault(name, [] if name == "jobs" else {})
