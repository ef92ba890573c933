"""Scores of parts of the testing set: one for each value of a column, or for each stretch of a column of numbers."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import ScoreResult
from penstock_jobs.scoring import Predictions, Scorer
from penstock_jobs.testing.points import Points, take_predictions
from penstock_jobs.testing.scores import all_scores

_MOST_VALUES = 12
_STRETCHES = 4


@dataclass(frozen=True)
class Segment:
    """One part: its name, its points, and its score, or why there is none."""

    name: str
    points: int
    score: ScoreResult | None
    reason: str = ""


@dataclass(frozen=True)
class Segmentation:
    """The parts by one column."""

    column: str
    segments: tuple[Segment, ...]


def segmentation(
    column: str,
    frame: pd.DataFrame,
    points: Points,
    predictions: Predictions,
    scorer: Scorer,
    resamples: int,
    seed: int,
) -> Segmentation:
    """Return the score of each part of the points, largest part first for classes, in order for numbers."""
    if column not in frame.columns:
        raise Refused(f"testing.segments names the column {column}, which the tables do not have.")
    found = []
    for name, mask in parts(frame[column]):
        mine = points.take(mask)
        scores = all_scores(
            [scorer], mine, take_predictions(predictions, mask), resamples, seed, f"the segment {column} = {name}"
        )
        found.append(Segment(name, len(mine), scores.of(scorer.name), scores.undefined.get(scorer.name, "")))
    return Segmentation(column, tuple(found))


def parts(column: "pd.Series[Any]") -> list[tuple[str, NDArray[np.bool_]]]:
    """Return the name and the mask of each part; nulls are a part of their own, rare values are one together."""
    null = column.isna().to_numpy()
    found = _stretches(column, null) if _is_numeric(column) else _values(column, null)
    if null.any():
        found.append(("(null)", null))
    return [(name, mask) for name, mask in found if mask.any()]


def _is_numeric(column: "pd.Series[Any]") -> bool:
    ordered = pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column)
    return ordered and not pd.api.types.is_bool_dtype(column) and column.nunique() > _MOST_VALUES


def _values(column: "pd.Series[Any]", null: NDArray[np.bool_]) -> list[tuple[str, NDArray[np.bool_]]]:
    values = column.to_numpy(dtype=object)
    counts = column[~null].value_counts()
    common = list(counts.index[:_MOST_VALUES])
    found = [(_format_edge(one), np.asarray((values == one) & ~null, dtype=bool)) for one in common]
    rest = ~null & ~np.logical_or.reduce([mask for _, mask in found]) if found else ~null
    if rest.any():
        found.append((f"{len(counts) - len(common)} other values", rest))
    return found


def _stretches(column: "pd.Series[Any]", null: NDArray[np.bool_]) -> list[tuple[str, NDArray[np.bool_]]]:
    edges = column[~null].quantile([place / _STRETCHES for place in range(1, _STRETCHES)]).drop_duplicates().tolist()
    place = np.searchsorted(np.asarray(edges), column.to_numpy(), side="right")
    names = [f"below {_format_edge(edges[0])}"]
    names += [f"{_format_edge(low)} to {_format_edge(high)}" for low, high in pairwise(edges)]
    names.append(f"{_format_edge(edges[-1])} or more")
    return [(name, np.asarray((place == number) & ~null)) for number, name in enumerate(names)]


def _format_edge(edge: Any) -> str:
    if isinstance(edge, float):
        return f"{edge:.4g}"
    return f"{edge:%Y-%m-%d}" if isinstance(edge, pd.Timestamp) else str(edge)
