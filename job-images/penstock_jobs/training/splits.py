"""Which rows a candidate is fitted on and which it is scored on: a holdout, or folds dealt out like cards.

The order of the cards is that of the points' own draws, so the same rows always make the same folds, whatever their
order. They are dealt out class by class: the folds differ by one point at most, within each class too, and each has a
point of every class that has as many. All points of a group share its draw and are dealt together. With strategy `Time`
each fold is fitted on what came before it, and the gap keeps the two apart.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from penstock_jobs.contract.errors import Refused

_SHOWN = 20

Rows = slice | npt.NDArray[np.int64]


@dataclass(frozen=True)
class RowSplit:
    """The places of the rows to fit on and of the rows to score on, both in rising order."""

    fit: Rows
    score: Rows


def holdout_split(training_rows: int, validation_rows: int) -> tuple[RowSplit, ...]:
    """Return the one split of the two tables, where the validation rows follow the training rows."""
    return (RowSplit(slice(0, training_rows), slice(training_rows, training_rows + validation_rows)),)


def hash_folds(
    draws: npt.NDArray[np.uint64], folds: int, repeats: int, target: npt.NDArray[Any] | None = None
) -> tuple[RowSplit, ...]:
    """Return folds x repeats splits, dealt out in the order of the draws.

    Args:
        draws: A uniform 64-bit draw for each row, equal within a group; shape (n,).
        folds: The number of parts that each repeat makes.
        repeats: How often the rows are divided anew.
        target: The class of each row, shape (n,); None where there are none.
    """
    classes = np.zeros(len(draws), dtype=np.int64) if target is None else np.unique(target, return_inverse=True)[1]
    units, unit = np.unique(draws, return_inverse=True)
    splits = []
    for repeat in range(repeats):
        if len(units) == len(draws):
            fold = _deal_points(mix_draws(draws, repeat), classes, folds)
        else:
            fold = _deal_groups(mix_draws(units, repeat), unit, classes, folds)[unit]
        for number in range(folds):
            inside = fold == number
            splits.append(RowSplit(np.flatnonzero(~inside), np.flatnonzero(inside)))
    return tuple(splits)


def _deal_points(draws: npt.NDArray[np.uint64], classes: npt.NDArray[np.int64], folds: int) -> npt.NDArray[np.int64]:
    """Return the fold of each point: one after the other, each class where the one before it has ended."""
    fold = np.empty(len(draws), dtype=np.int64)
    fold[np.lexsort((draws, classes))] = np.arange(len(draws)) % folds
    return fold


def _deal_groups(
    draws: npt.NDArray[np.uint64], group: npt.NDArray[np.int64], classes: npt.NDArray[np.int64], folds: int
) -> npt.NDArray[np.int64]:
    """Return the fold of each group: groups with the rarest class first, and then in the order of their draws.

    Each goes to the fold that lacks most of its classes; of such to the one with the fewest points, then to the first.

    Args:
        draws: One for each group; shape (groups,).
        group: The place of each point's group; shape (n,).
        classes: The place of each point's class; shape (n,).
        folds: How many there are.
    """
    pairs = np.unique(np.stack([group, classes], axis=1), axis=0)
    rarity = np.bincount(pairs[:, 1])[pairs[:, 1]]
    rarest = np.full(len(draws), len(draws) + 1)
    np.minimum.at(rarest, pairs[:, 0], rarity)
    held = np.split(pairs[:, 1], np.flatnonzero(np.diff(pairs[:, 0])) + 1)
    sizes = np.bincount(group)
    fold = np.empty(len(draws), dtype=np.int64)
    points, seen = [0] * folds, [set[int]() for _ in range(folds)]
    for place in np.lexsort((draws, rarest)).tolist():
        mine = set(held[place].tolist())
        chosen = min(range(folds), key=lambda one: (len(mine & seen[one]), points[one]))
        fold[place] = chosen
        points[chosen] += int(sizes[place])
        seen[chosen] |= mine
    return fold


def time_folds(times: npt.NDArray[np.float64], folds: int, gap: float) -> tuple[RowSplit, ...]:
    """Return folds in time order: each is scored on one stretch and fitted on all that came more than `gap` before.

    The rows are cut into folds + 1 stretches of nearly equal size, never inside one moment; the first is only fitted
    on.

    Args:
        times: The moment of each row, in seconds; shape (n,).
        folds: The number of stretches that are scored.
        gap: Seconds between the last row fitted on and the first row scored.
    """
    ordered = np.sort(times)
    edges = [ordered[len(ordered) * number // (folds + 1)] for number in range(1, folds + 1)]
    splits = []
    for number, begin in enumerate(edges):
        after = times >= begin
        scored = after if number + 1 == len(edges) else after & (times < edges[number + 1])
        splits.append(RowSplit(np.flatnonzero(times < begin - gap), np.flatnonzero(scored)))
    return tuple(splits)


def mix_draws(draws: npt.NDArray[np.uint64], stream: int) -> npt.NDArray[np.uint64]:
    """Return a fresh uniform draw from each, one for each stream (finaliser of SplitMix64, Steele et al. 2014)."""
    with np.errstate(over="ignore"):
        z = draws.astype(np.uint64) + np.uint64((stream + 1) * 0x9E3779B97F4A7C15 % 2**64)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)))


def check_splits(splits: tuple[RowSplit, ...], target: npt.NDArray[Any], classes: tuple[Any, ...]) -> None:
    """Refuse splits that nothing can be fitted on, or scored on."""
    for number, split in enumerate(splits, start=1):
        fitted, scored = target[split.fit], target[split.score]
        where = f"fold {number} of {len(splits)}" if len(splits) > 1 else "the holdout"
        for rows, use in ((fitted, "trains"), (scored, "is scored")):
            if len(rows) == 0:
                raise Refused(f"Validation: {where} {use} on no point; there are too few, or the gap is too long.")
        if not classes:
            continue
        present = np.unique(fitted)
        missing = [str(one) for one in classes if one not in present]
        if missing:
            rest = f" and {len(missing) - _SHOWN} others" if len(missing) > _SHOWN else ""
            named = ", ".join(missing[:_SHOWN])
            raise Refused(
                f"Validation: {where} trains on no point of class {named}{rest}, all of whose points it scores; leave "
                "such classes out in the query (spec.dataset.query), or gather more of them (with groups, more groups)."
            )


def find_missing_class(splits: tuple[RowSplit, ...], target: npt.NDArray[Any], classes: tuple[Any, ...]) -> str | None:
    """Return which split has no point of which class to score, in words; None where each has one of every class."""
    for number, split in enumerate(splits, start=1):
        present = np.unique(target[split.score])
        for one in classes:
            if one not in present:
                where = f"fold {number} of {len(splits)}" if len(splits) > 1 else "the holdout"
                return f"{where} has no point of class {one}"
    return None
