"""What makes a table useless, found before anything is committed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

import duckdb

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import Column
from penstock_jobs.contract.specification import DatasetJob, RepeatedTables
from penstock_jobs.dataset.canonical import CANONICAL, first_row
from penstock_jobs.dataset.strategies.stratified import quota
from penstock_jobs.tables.columns import quote_identifier

Task = Literal["Classification", "Regression"]


def check_target(connection: duckdb.DuckDBPyConnection, job: DatasetJob, column: Column) -> Task:
    """Refuse an empty table, a target that is missing or infinite somewhere, or has one value only; return the task."""
    task = _task(job, column)
    name = quote_identifier(column.name)
    infinite = f"isinf({name})" if column.type == "Float" else "FALSE"
    row = connection.execute(
        f"SELECT count(*), count({name}), min({name}), max({name}), count(*) FILTER (WHERE {infinite}) FROM {CANONICAL}"
    ).fetchone()
    total, present, least, greatest, infinites = row or (0, 0, None, None, 0)
    if not total:
        raise Refused("The input has no rows; there is nothing to make a dataset of.")
    if present < total:
        condition = f"{name} IS NULL OR isnan({name})" if column.type == "Float" else f"{name} IS NULL"
        raise Refused(
            f"The target '{column.name}' is missing in {total - present} of {total} rows, first in row "
            f"{first_row(connection, condition)}; leave those rows out (WHERE {name} IS NOT NULL in "
            "spec.dataset.query), or fill them in."
        )
    if infinites:
        raise Refused(
            f"The target '{column.name}' is infinite in {infinites} of {total} rows, first in row "
            f"{first_row(connection, infinite)}; leave those rows out (WHERE isfinite({name}) in spec.dataset.query), "
            "or mend them."
        )
    if least == greatest:
        single = "has a single class" if task == "Classification" else "is one number"
        raise Refused(
            f"The target '{column.name}' {single}, {least!s}, in all {total} rows; there is nothing to predict."
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


def check_repetition(repeated: RepeatedTables | None, digests: Mapping[str, str]) -> None:
    """Refuse tables that are not those of the run that is repeated, by the digest of each table."""
    if repeated is None:
        return
    changed = [name for name in ("training", "validation", "testing") if digests[name] != getattr(repeated, name)]
    if changed:
        raise Refused(
            f"The {_join_names(changed)} {'table' if len(changed) == 1 else 'tables'} would not be what the run "
            f"{repeated.run} made: the inputs have changed since, or another run has added points to the testing set. "
            "Nothing was written. Begin with training, to use the tables as they were then, or apply a new run."
        )


def _join_names(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def check_classes(job: DatasetJob, task: Task, sides: Mapping[str, tuple[int, Mapping[str, int]]]) -> None:
    """Refuse, by name, a side with no points, or without enough points of each class.

    Args:
        job: says the minimum of points of a class.
        task: only a classification has classes.
        sides: the number of points and the points of each class, by side.
    """
    for side, (rows, _) in sides.items():
        if not rows:
            raise Refused(f"The {side} set would have no points; {_advice(job, task)}.")
    if task == "Regression":
        return
    totals: Counter[str] = Counter()
    for _, counts in sides.values():
        totals.update(counts)
    lacking = {
        side: {name: counts.get(name, 0) for name in sorted(totals) if counts.get(name, 0) < job.minimum_class_count}
        for side, (_, counts) in sides.items()
    }
    alike: dict[str, list[str]] = {}
    for side, few in lacking.items():
        if few:
            alike.setdefault(_lacking_words(few, job.minimum_class_count), []).append(side)
    said = ", and ".join(
        f"the {' and '.join(names)} {'set' if len(names) == 1 else 'sets'} would have {words}"
        for words, names in alike.items()
    )
    if said:
        scarce = {name: totals[name] for few in lacking.values() for name in few}
        raise Refused(f"{said[0].upper()}{said[1:]}; {_class_advice(job, task, scarce)}.")


def _lacking_words(few: Mapping[str, int], minimum: int) -> str:
    """Return how many points there are of each class that has too few."""
    none = [name for name, points in few.items() if not points]
    found = [f"no points of the {_class_words(none)}"] if none else []
    some = [f"{points} of '{name}'" for name, points in few.items() if points]
    if some:
        shown = f"{', '.join(some[:_SHOWN])}{', …' if len(some) > _SHOWN else ''}"
        found.append(f"only {shown}, fewer than {minimum} points of a class")
    return " and ".join(found)


def _class_words(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:_SHOWN])
    others = f" and {len(names) - _SHOWN} others" if len(names) > _SHOWN else ""
    return f"class {shown}" if len(names) == 1 else f"classes {shown}{others}"


def check_variance(connection: duckdb.DuckDBPyConnection, job: DatasetJob, sides: Mapping[str, str]) -> None:
    """Refuse, by name, a side on which the target of a regression is one number: no score means anything there.

    Args:
        connection: the engine.
        job: what was asked.
        sides: the SQL of what readers see, by side.
    """
    name = quote_identifier(job.target.column)
    other = f"change the shares ({_SHARES}), or give rows with other values"
    advice = _ADVICE_TIME if job.split.strategy == "Time" else other
    for side, seen in sides.items():
        row = connection.execute(f"SELECT count(*), min({name}), max({name}) FROM {seen}").fetchone()
        count, least, greatest = row or (0, None, None)
        if count > 1 and least == greatest:
            raise Refused(
                f"The {side} set would have the same '{job.target.column}', {least!s}, in all {count} points; {advice}."
            )


_SHOWN = 20
_ADVICE_TIME = (
    "change spec.dataset.split.time or spec.training.validation so that each has some of the time that the rows are "
    "from, or give more rows"
)
_SHARES = "spec.dataset.split.testing, spec.training.validation"


def _advice(job: DatasetJob, task: Task) -> str:
    match job.split.strategy:
        case "Time":
            return _ADVICE_TIME
        case "Key" if task == "Classification":
            return f"change the shares ({_SHARES}), give more rows, or split with strategy Stratified"
        case "Group":
            return f"change the shares ({_SHARES}), or give more groups"
        case _:
            return f"change the shares ({_SHARES}), or give more rows"


def _class_advice(job: DatasetJob, task: Task, totals: Mapping[str, int]) -> str:
    """Return what to do about classes of so many rows in all; what was done already is no advice."""
    needed = rows_needed(job)
    rare = [name for name, points in totals.items() if points < needed]
    if not rare or job.split.strategy in ("Time", "Group"):
        history = "or begin a new testing set (resetTesting), since only points never placed before fill a quota"
        return f"{_advice(job, task)}, {history}" if job.split.strategy == "Stratified" else _advice(job, task)
    rows = {points for name, points in totals.items() if name in rare}
    least = f"{min(rows)}" if len(rows) == 1 else f"{min(rows)} to {max(rows)}"
    which = "it" if len(rare) == 1 else "them"
    what = "also strategy Stratified needs" if job.split.strategy == "Key" else "strategy Stratified needs"
    enough = min(rows) >= _SIDES * max(job.minimum_class_count, 1)
    way_out = f"raise the shares ({_SHARES})" if enough else f"leave {which} out in the query (spec.dataset.query)"
    return (
        f"with these shares {what} {needed} rows of a class, and there {'is' if max(rows) == 1 else 'are'} {least} of "
        f"the {_class_words(rare)}: {way_out}, or gather more of {which}"
    )


def rows_needed(job: DatasetJob) -> int:
    """Return how many rows of a class `Stratified` needs for the minimum of them on each side."""
    least = max(job.minimum_class_count, 2 if job.validation.folds else 1)  # a fold is scored, and another fitted on
    for rows in range(1, _MOST_ROWS):
        testing = quota(job.split.testing, rows)
        validation = quota(job.validation.holdout or 0.0, rows - testing)
        asked = validation if job.validation.holdout else least
        if min(testing, asked) >= job.minimum_class_count and rows - testing - validation >= least:
            return rows
    return _MOST_ROWS


_MOST_ROWS = 100_000
_SIDES = 3


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
