"""Which testing points a Model never saw in training or validation, told from its lineage alone.

A Model may be older than the split that is in use: the testing share may have been raised since, or the testing set
drawn anew. So each Model is asked by its own rule:

- Whatever the strategy, `Time` aside: a point that was in testing already, at the Model's generation of the Model's
  epoch, was not seen, since what is in testing is never trained on.
- `Key`: nor was one whose draw under the Model's own salt and epoch is below the Model's own share: wherever it was, it
  was not in training.
- `Group`: the same by the draw of its group. Where the key does not tell the group, a point may have had another group
  then, and must also be in none of the tables that the Model read, where they can still be read.
- `Stratified`: the side depends on the history, so what counts is that the point is in none of those tables.
- `Time`: the point is not older than the end of what training and validation hold (`trained_until`). That holds of
  retired points too, which are trained on once time has left them behind: the time of one in training is the one that
  each version of the testing table has. The time of any other point may have been another then, so it must also have
  been in testing, or be in none of those tables.

Models whose points have other identities (another storage, other key or group columns, other types of these) cannot be
compared.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock_jobs.contract.manifest import Lineage
from penstock_jobs.dataset.draw import draw, threshold
from penstock_jobs.dataset.encoding import HASHING

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class TestingSet:
    """The testing points and the split they came from.

    Attributes:
        storage: whose datasets these are.
        epoch: the testing epoch.
        salt: of the split in use.
        key: the key columns.
        group: the group columns.
        identity: the columns that identify a point, in order and with their types; empty where it is not known.
        points: the identity of each point.
        groups: the identity of each point's group (None for a point older than the groups), or None where the split
            knows no groups.
        generations: at which generation each point entered the testing set.
        times: of each point as `datetime64[us]` in UTC, or None where no time column is known.
    """

    storage: str
    epoch: int
    salt: str
    key: tuple[str, ...]
    group: tuple[str, ...]
    points: Sequence[int]
    groups: Sequence[int | None] | None
    generations: NDArray[np.int64]
    times: NDArray[np.datetime64] | None = None
    identity: tuple[str, ...] = ()


class NotComparable(Exception):
    """A Model cannot be judged by these points; the message is the sentence that says why."""


def unseen_mask(testing: TestingSet, lineage: Lineage, read: Callable[[], frozenset[int] | None] | None = None) -> Mask:
    """Return which testing points the Model of this lineage never saw, shape (points,).

    Args:
        testing: the testing points.
        lineage: the Model's.
        read: returns the points of the training and validation tables that the Model read, or None where they can no
            longer be read. Asked only where the rule needs it.

    Raises:
        NotComparable: the points of the two have different identities.
    """
    _require_same_identity(testing, lineage)
    match lineage.strategy:
        case "Key":
            return _mask_of_testing(testing, lineage) | _mask_of_draws(testing.points, lineage)
        case "Group" if set(lineage.group) <= set(lineage.key):
            return _mask_of_testing(testing, lineage) | _mask_of_draws(_require_groups(testing), lineage)
        case "Group":
            return _add_absent(testing, lineage, _mask_of_draws(_require_groups(testing), lineage), read)
        case "Stratified":
            return _add_absent(testing, lineage, np.ones(len(testing.points), dtype=bool), read)
        case "Time":
            later = _mask_of_later(testing, lineage)
            return later & _add_absent(testing, lineage, later, read)


def new_mask(testing: TestingSet, lineage: Lineage, unseen: Mask, tested: Callable[[], frozenset[int] | None]) -> Mask:
    """Return which of its unseen points came to the testing set only after the Model's tables were made.

    Args:
        testing: the testing points.
        lineage: the Model's.
        unseen: those that the Model never saw in training or validation.
        tested: returns the points of the testing table that was there when the Model was trained, or None where it can
            no longer be read. Asked only where that was of another draw.
    """
    if (lineage.epoch, lineage.salt) == (testing.epoch, testing.salt):
        return unseen & ~_mask_of_testing(testing, lineage)
    return unseen & _mask_of_absent(testing.points, tested)


def _add_absent(
    testing: TestingSet, lineage: Lineage, mask: Mask, read: Callable[[], frozenset[int] | None] | None
) -> Mask:
    """Return the points that were set apart, and those of the mask that are in none of the tables that were read."""
    apart = _mask_of_testing(testing, lineage)
    return apart if not (mask & ~apart).any() else apart | (mask & _mask_of_absent(testing.points, read))


def _require_same_identity(testing: TestingSet, lineage: Lineage) -> None:
    if lineage.storage.rstrip("/") != testing.storage.rstrip("/"):
        raise NotComparable(f"It was trained on the tables of another storage, {lineage.storage}.")
    if lineage.hashing != HASHING:
        raise NotComparable("It was trained by another version of Penstock, which drew its points by another hash.")
    if lineage.key != testing.key:
        raise NotComparable(
            f"It was trained with key {_column_words(lineage.key)}, and the key is now {_column_words(testing.key)}."
        )
    if lineage.identity and testing.identity and lineage.identity != testing.identity:
        raise NotComparable(
            f"Its points were identified by {_column_words(lineage.identity)}, and they are now by "
            f"{_column_words(testing.identity)}."
        )
    if not lineage.key and (lineage.epoch, lineage.salt) != (testing.epoch, testing.salt):
        raise NotComparable("Without key columns, points of another testing epoch cannot be told apart.")
    if lineage.strategy == "Group" and lineage.group != testing.group:
        raise NotComparable(
            f"It was trained with groups by {_column_words(lineage.group)}, "
            f"and the groups are now by {_column_words(testing.group)}."
        )


def _mask_of_testing(testing: TestingSet, lineage: Lineage) -> Mask:
    """Return which points were in the testing set already when the Model's tables were made."""
    if (lineage.epoch, lineage.salt) != (testing.epoch, testing.salt):
        return np.zeros(len(testing.points), dtype=bool)
    return np.asarray(testing.generations <= lineage.generation)


def _mask_of_draws(identities: Sequence[int | None], lineage: Lineage) -> Mask:
    """Return which identities the Model's own split sends to testing, whatever has happened since."""
    below = threshold(lineage.testing_share)
    sides: dict[int | None, bool] = {None: False}
    for identity in identities:
        if identity is not None and identity not in sides:
            sides[identity] = draw("testing", lineage.salt, lineage.epoch, identity) < below
    return np.fromiter((sides[identity] for identity in identities), dtype=bool, count=len(identities))


def _mask_of_absent(points: Sequence[int], read: Callable[[], frozenset[int] | None] | None) -> Mask:
    known = read() if read is not None else None
    if known is None:
        return np.zeros(len(points), dtype=bool)
    return np.fromiter((point not in known for point in points), dtype=bool, count=len(points))


def _require_groups(testing: TestingSet) -> Sequence[int | None]:
    if testing.groups is None:
        raise NotComparable("It was trained with a split by groups, and the testing set knows no groups.")
    return testing.groups


def _mask_of_later(testing: TestingSet, lineage: Lineage) -> Mask:
    if testing.times is None or lineage.trained_until is None:
        raise NotComparable("It was trained with a split by time, and the testing set knows no time.")
    return np.asarray(testing.times >= parse_moment(lineage.trained_until))


def parse_moment(written: str) -> np.datetime64:
    """Return an ISO 8601 moment in UTC; one without a zone is UTC."""
    from datetime import UTC, datetime

    parsed = datetime.fromisoformat(written)
    aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    return np.datetime64(aware.astimezone(UTC).replace(tzinfo=None), "us")


def _column_words(names: tuple[str, ...]) -> str:
    return " + ".join(names) if names else "of all input columns"


def times_of(values: Any) -> NDArray[np.datetime64]:
    """Return a frame's time column as `datetime64[us]` in UTC; nulls become NaT, which is after nothing."""
    import pandas as pd

    return np.asarray(pd.to_datetime(values, utc=True).dt.tz_localize(None).to_numpy(dtype="datetime64[us]"))
