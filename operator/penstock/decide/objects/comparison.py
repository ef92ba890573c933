"""Whether an object that is there is still as it was asked for, whatever the API server and others added to it."""

from collections.abc import Mapping
from typing import Any

from penstock.api.quantities import read_quantity
from penstock_jobs.contract.errors import Refused

_OF_QUANTITIES = frozenset({"limits", "requests"})


def is_as_asked(there: Any, asked: Any) -> bool:
    """Return whether all that was asked for is there: defaults that were filled in, and what others add, are no matter.

    An item of a list of objects may be anywhere in the list, as the lists of a pod template are keyed by name; texts
    and numbers must be in their order. Zero values that the API server leaves out are as good as there.
    """
    if isinstance(asked, Mapping):
        found = {} if there is None else there
        return isinstance(found, Mapping) and all(
            _has_quantities(found.get(name), value)
            if name in _OF_QUANTITIES and isinstance(value, Mapping)
            else is_as_asked(found.get(name), value)
            for name, value in asked.items()
        )
    if isinstance(asked, list) and asked and isinstance(asked[0], Mapping):
        return isinstance(there, list) and all(any(is_as_asked(each, item) for each in there) for item in asked)
    return bool(there == asked) or (there is None and not asked)


def _has_quantities(there: Any, asked: Mapping[str, Any]) -> bool:
    """Return whether the resources are there in these amounts: the API server writes 0.5 of a core as 500m."""
    if not isinstance(there, Mapping):
        return not asked
    try:
        return all(
            name in there and read_quantity(there[name], name) == read_quantity(amount, name)
            for name, amount in asked.items()
        )
    except Refused:
        return False
