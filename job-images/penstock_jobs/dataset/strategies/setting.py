"""What every strategy is given, and what it answers."""

from collections.abc import Callable
from dataclasses import dataclass

import duckdb

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import Column, Remark
from penstock_jobs.contract.specification import DatasetJob
from penstock_jobs.dataset.points import KEPT_POINTS


@dataclass(frozen=True)
class SplitContext:
    """The engine with the views `points` and `kept_points`, the job, the epoch and the columns of the tables.

    `placed_training` makes, on request, the temporary table `placed` of the points that the last generation of the same
    epoch put into training or validation.
    """

    connection: duckdb.DuckDBPyConnection
    job: DatasetJob
    epoch: int
    columns: tuple[Column, ...]
    place_training: Callable[[], None]


@dataclass(frozen=True)
class SideRule:
    """The SQL of the side of a point that is not set apart, and of which kept testing points are to be retired.

    `set_apart` is the relation of the testing points that no rule gives another side: all of them, unless those that
    are retired are given one.
    """

    expression: str
    retire: str | None = None
    set_apart: str = KEPT_POINTS
    remarks: tuple[Remark, ...] = ()


def holdout_share(setting: SplitContext) -> float:
    """Return the share of training that becomes validation: 0 where there are folds."""
    return setting.job.validation.holdout or 0.0


def require_field(value: str | None, field: str, strategy: str) -> str:
    """Return the value of a field that the strategy cannot do without."""
    if value is None:
        raise Refused(f"The strategy {strategy} needs spec.dataset.split.{field}.")
    return value
