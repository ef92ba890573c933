"""The classes of a target: their order, which is that of the probabilities, and the one that scores are about."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from penstock_jobs.contract.errors import Refused

_CONVENTIONAL = ({0, 1}, {-1, 1})


def order_classes(target: npt.NDArray[Any]) -> tuple[Any, ...]:
    """Return the distinct values of a target as Python values, in scikit-learn's order (ascending)."""
    return tuple(value.item() if isinstance(value, np.generic) else value for value in np.unique(target))


def positive_index(classes: Sequence[Any], positive: object = None) -> int | None:
    """Return the place of the positive class among two, or None where there are not two, or nobody can know.

    Without `positive`, 1 of {0, 1} or {-1, 1} and True of {False, True} are the positive class, as in scikit-learn.

    Raises:
        Refused: `positive` is none of the classes.
    """
    if positive is not None:
        place = _position(classes, positive)
        return place if len(classes) == 2 else None
    if len(classes) == 2 and not any(isinstance(one, str) for one in classes) and set(classes) in _CONVENTIONAL:
        return list(classes).index(1)
    return None


def encode_classes(labels: npt.NDArray[Any], classes: Sequence[Any]) -> npt.NDArray[np.int64]:
    """Return the place of each label among the classes; a label that is none of them becomes -1."""
    places = {value: place for place, value in enumerate(classes)}
    values = labels.tolist() if isinstance(labels, np.ndarray) else list(labels)
    return np.fromiter((places.get(value, -1) for value in values), dtype=np.int64, count=len(values))


def _position(classes: Sequence[Any], positive: object) -> int:
    for place, value in enumerate(classes):
        if type(value) is type(positive) and value == positive:
            return place
    written = [str(value).lower() if isinstance(value, bool) else str(value) for value in classes]
    wanted = str(positive).lower() if isinstance(positive, bool) else str(positive)
    if wanted in written:
        return written.index(wanted)
    raise Refused(f"target.positive is {positive}, which is none of the classes ({', '.join(written[:10])}).")
