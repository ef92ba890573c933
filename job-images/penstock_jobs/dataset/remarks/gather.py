"""From the files of one generation to the facts: footers, a sample, and exact counts of what a sample asks.

Every row is never read for a remark: a generation of millions of rows is looked at for a small part of what it takes to
make it. Rows are numbered as the input has them, so a question about the first one goes to the input's own rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
from numpy.typing import NDArray

from penstock_jobs.contract.column_statistics import FrequentValue
from penstock_jobs.contract.result import Column
from penstock_jobs.contract.specification import DatasetJob, Task
from penstock_jobs.dataset.canonical import CANONICAL, first_row
from penstock_jobs.dataset.remarks import telling, texts
from penstock_jobs.dataset.remarks.facts import ColumnFacts, NumberTexts, TableFacts
from penstock_jobs.dataset.remarks.footers import ColumnEnds, read_ends
from penstock_jobs.dataset.remarks.sample import Sample, distinct_values, frequent_values, take_sample
from penstock_jobs.dataset.remarks.twins import count_twins
from penstock_jobs.tables.columns import quote_identifier, quote_literal
from penstock_jobs.tables.engine import explain_duckdb_errors, fetch_number

_LARGE = 100_000
_NAMED = 3


@dataclass(frozen=True)
class WrittenRows:
    """What a generation wrote, by side: the new files, all files of the table, and how many rows the new ones have."""

    new: Mapping[str, Sequence[Path]]
    all: Mapping[str, Sequence[Path]]
    rows: Mapping[str, int]
    classes: Mapping[str, int]

    @property
    def files(self) -> tuple[Path, ...]:
        """All new files."""
        return tuple(file for files in self.new.values() for file in files)

    def files_for_sample(self, job: DatasetJob) -> tuple[tuple[Path, ...], int]:
        """Return files whose rows are like all rows, and how many: of a large table those of validation will do."""
        drawn = job.split.strategy != "Time"
        if drawn and self.rows["validation"] >= _LARGE:
            return tuple(self.new["validation"]), self.rows["validation"]
        return self.files, sum(self.rows.values())


def gather_facts(
    connection: duckdb.DuckDBPyConnection,
    job: DatasetJob,
    task: Task,
    columns: tuple[Column, ...],
    written: WrittenRows,
    left_out: tuple[str, ...],
) -> TableFacts:
    """Return what there is to know of the rows that were written, before they are committed."""
    rows = sum(written.rows.values())
    with explain_duckdb_errors("The tables' files"):
        ends = read_ends(connection, written.files, columns)
        sample = take_sample(connection, *written.files_for_sample(job), columns)
        sample = sample if sample.rows == rows else replace(sample, is_all=False)
        twins = count_twins(connection, written.all, written.rows, columns, sample)
        found = tuple(_facts_of_column(job, task, column, rows, ends[column.name], sample) for column in columns)
        with _in_order_of_input(connection):
            found = tuple(_answer_questions(connection, each, rows, sample) for each in found)
    return TableFacts(job, task, rows, sample.rows, found, written.classes, left_out, twins)


def _facts_of_column(
    job: DatasetJob, task: Task, column: Column, rows: int, ends: ColumnEnds, sample: Sample
) -> ColumnFacts:
    counts = sample.counts(column.name)
    return ColumnFacts(
        column=column,
        nulls=ends.nulls,
        distinct=distinct_values(counts, rows - ends.nulls, sample.is_all),
        estimated=not sample.is_all,
        least=ends.least,
        greatest=ends.greatest,
        frequent=frequent_values(column, sample),
        is_declared=any(column.name in declared.types for declared in job.inputs),
        infinite=ends.infinite,
        date_example=texts.date_example(sample.texts(column.name)) if column.type == "String" else None,
        tells=_tells(task, column, sample.columns[column.name], sample.columns[job.target.column]),
    )


def _tells(task: Task, column: Column, values: NDArray[Any], target: NDArray[Any]) -> float | None:
    if column.role != "Feature":
        return None
    return telling.classes_told(values, target) if task == "Classification" else telling.amount_told(values, target)


def _answer_questions(
    connection: duckdb.DuckDBPyConnection, facts: ColumnFacts, rows: int, sample: Sample
) -> ColumnFacts:
    """Return the facts with what the rows of the input say, where there is a reason to ask them."""
    column, name = facts.column, quote_identifier(facts.column.name)
    changes: dict[str, Any] = {}
    if facts.infinite:
        changes["infinite"] = fetch_number(connection, f"SELECT count(*) FROM {CANONICAL} WHERE isinf({name})")
        changes["first_infinite"] = first_row(connection, f"isinf(CAST({name} AS DOUBLE))")
    if facts.nulls == 0 and facts.distinct == 1:
        query = f"SELECT count(*) FROM (SELECT DISTINCT {name} FROM {CANONICAL} LIMIT 2)"
        changes["is_constant"] = fetch_number(connection, query) == 1
    if column.role == "Feature" and column.type == "Integer" and _may_count_rows(facts, rows):
        changes["counts_rows"] = _counts_rows(connection, name)
    if column.role == "Feature" and column.type == "String" and not facts.is_declared:
        form = texts.number_form(sample.texts(column.name))
        if form is not None:
            changes["numbers"] = _count_numbers(connection, name, *form)
    return replace(facts, **changes)


def _may_count_rows(facts: ColumnFacts, rows: int) -> bool:
    if facts.nulls or facts.least is None or facts.greatest is None or rows < 2:
        return False
    return facts.distinct > 0.9 * rows and int(facts.greatest) - int(facts.least) < 2 * rows


def _counts_rows(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    query = f"SELECT count(*), count(DISTINCT {name}), max({name}) - min({name}) + 1 FROM {CANONICAL}"
    found = connection.execute(query).fetchone()
    return found is not None and found[0] == found[1] == found[2]


def _count_numbers(connection: duckdb.DuckDBPyConnection, name: str, form: Any, example: str) -> NumberTexts:
    is_number = f"regexp_full_match({name}, {quote_literal(texts.NUMBER)})"
    query = f"SELECT count({name}), count(*) FILTER (WHERE {is_number}) FROM {CANONICAL}"
    present, numbers = connection.execute(query).fetchone() or (0, 0)
    if present == numbers:
        return NumberTexts(form, example, present, numbers)
    others = connection.execute(
        f"SELECT {name}, count(*) FROM {CANONICAL} WHERE NOT {is_number} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {_NAMED}"
    ).fetchall()
    row = first_row(connection, f"NOT {is_number}")
    first = connection.execute(f"SELECT {name} FROM {CANONICAL} WHERE NOT {is_number} LIMIT 1").fetchone()
    return NumberTexts(
        form=form,
        example=example,
        present=present,
        numbers=numbers,
        others=tuple(FrequentValue(value=str(value)[:80], rows=int(count)) for value, count in others),
        first=None if first is None else str(first[0])[:80],
        row=row,
    )


@contextmanager
def _in_order_of_input(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let the first row be the input's first: writing gives up that order."""
    connection.execute("SET preserve_insertion_order = true")
    yield
    connection.execute("SET preserve_insertion_order = false")
