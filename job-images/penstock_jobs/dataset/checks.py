"""What makes a table useless, found before anything is committed."""

from collections.abc import Mapping
from typing import Literal

import duckdb

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import Column
from penstock_jobs.contract.specification import DatasetJob
from penstock_jobs.dataset.canonical import CANONICAL, first_row
from penstock_jobs.tables.columns import quote_identifier

Task = Literal["Classification", "Regression"]


def check_target(connection: duckdb.DuckDBPyConnection, job: DatasetJob, column: Column) -> Task:
    """Refuse an empty table, a target with nulls or with one class only; return the task."""
    name = quote_identifier(column.name)
    row = connection.execute(f"SELECT count(*), count({name}), min({name}), max({name}) FROM {CANONICAL}").fetchone()
    total, present, least, greatest = row or (0, 0, None, None)
    if not total:
        raise Refused("The input has no rows; there is nothing to make a dataset of.")
    if present < total:
        condition = f"{name} IS NULL OR isnan({name})" if column.type == "Float" else f"{name} IS NULL"
        raise Refused(
            f"The target '{column.name}' is missing in {total - present} of {total} rows, first in row "
            f"{first_row(connection, condition)}; leave those rows out, or fill them in."
        )
    task = _task(job, column)
    if task == "Classification" and least == greatest:
        raise Refused(
            f"The target '{column.name}' has a single class, {least!s}, in all {total} rows; there is nothing to "
            "predict."
        )
    return task


def check_weight(connection: duckdb.DuckDBPyConnection, columns: tuple[Column, ...]) -> None:
    """Refuse a weight that is no number, or that is missing, negative or infinite somewhere, in whatever table."""
    column = next((each for each in columns if each.role == "Weight"), None)
    if column is None:
        return
    if column.type not in ("Integer", "Float"):
        raise Refused(f"The column '{column.name}' (spec.dataset.weight) is {column.type}; a weight is a number.")
    name = quote_identifier(column.name)
    row = first_row(connection, f"{name} IS NULL OR NOT ({name} >= 0 AND {name} < 'infinity'::DOUBLE)")
    if row is not None:
        raise Refused(
            f"The column '{column.name}' (spec.dataset.weight) is missing, negative or not finite, first in row {row}; "
            "give each point a weight of 0 or more."
        )


def check_classes(job: DatasetJob, task: Task, sides: Mapping[str, tuple[int, Mapping[str, int]]]) -> None:
    """Refuse, by name, a side with no points, or without enough points of each class.

    Args:
        job: says the minimum of points of a class.
        task: only a classification has classes.
        sides: the number of points and the points of each class, by side.
    """
    advice = _ADVICE_TIME if job.split.strategy == "Time" else _ADVICE
    classes = sorted({name for _, counts in sides.values() for name in counts})
    for side, (rows, counts) in sides.items():
        if not rows:
            raise Refused(f"The {side} set would have no points; {advice}.")
        if task == "Regression":
            continue
        for name in classes:
            if counts.get(name, 0) < job.minimum_class_count:
                found = counts.get(name, 0)
                least = f", fewer than {job.minimum_class_count}" if found else ""
                raise Refused(
                    f"The {side} set would have {found or 'no'} points of the class '{name}'{least}; {advice}."
                )


_ADVICE = (
    "change the shares (spec.dataset.split.testing, spec.training.validation), give more rows, or split with strategy "
    "Stratified"
)
_ADVICE_TIME = (
    "change spec.dataset.split.time or spec.training.validation so that each has some of the time that the rows are "
    "from, or give more rows"
)


def _task(job: DatasetJob, column: Column) -> Task:
    if job.task == "Regression" and column.type not in ("Integer", "Float"):
        raise Refused(
            f"The target '{column.name}' is {column.type}; a regression needs numbers. Set spec.dataset.task."
        )
    if column.type in ("Timestamp", "Date"):
        raise Refused(f"The target '{column.name}' is a {column.type}, which cannot be predicted; make a number of it.")
    if job.task is not None:
        return job.task
    if column.type == "Integer":
        raise Refused(
            f"The target '{column.name}' holds whole numbers, which may be classes or amounts; set spec.dataset.task "
            "to "
            "Classification or Regression."
        )
    return "Regression" if column.type == "Float" else "Classification"
