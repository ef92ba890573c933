"""Rows of testing that have an equal row, but for the key, among those of training and validation.

Where columns have few values rows are equal by chance and nothing is wrong; so nothing is compared unless chance would
hardly make one such pair. In large tables some of the testing rows are compared, first by the columns that tell most.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from penstock_jobs.contract.result import Column
from penstock_jobs.dataset.remarks.facts import Twins
from penstock_jobs.dataset.remarks.sample import Sample, below_share
from penstock_jobs.tables.columns import POINT, TRAINING_INTERNAL, quote_identifier, types_of_columns
from penstock_jobs.tables.engine import fetch_number
from penstock_jobs.tables.revisions import rows_of_files

_BY_CHANCE = 0.001  # pairs of equal rows that chance would make at most, and of each testing row
_BY_CHANCE_EACH = 1e-6
_COMPARED = 2_000
_SMALL = 200_000
_TELLING = 3


def count_twins(
    connection: duckdb.DuckDBPyConnection,
    files: Mapping[str, Sequence[Path]],
    rows: Mapping[str, int],
    columns: tuple[Column, ...],
    sample: Sample,
) -> Twins | None:
    """Return how many testing rows have a twin; None where that would mean nothing."""
    compared = [column for column in columns if column.role != "Key"]
    if len(compared) == len(columns) or not rows["testing"] or len(compared) < 2:
        return None
    alike = _chances_to_be_equal(sample, [column.name for column in compared])
    others = rows["training"] + rows["validation"]
    pairs = float(others * rows["testing"])
    for chance in alike.values():
        pairs *= chance
    if pairs > max(_BY_CHANCE, _BY_CHANCE_EACH * rows["testing"]):
        return None
    types = types_of_columns(columns, TRAINING_INTERNAL)
    testing = rows_of_files(tuple(files["testing"]), types)
    training = rows_of_files((*files["training"], *files["validation"]), types)
    if rows["testing"] > _COMPARED and others + rows["testing"] > _SMALL:
        testing = f"(SELECT * FROM {testing} WHERE {below_share(_COMPARED / rows['testing'])})"
        telling = sorted(compared, key=lambda column: alike[column.name])[:_TELLING]
        training = _of_points_alike(connection, testing, training, telling)
    names = [quote_identifier(column.name) for column in compared]
    equal = " AND ".join(f"testing.{name} IS NOT DISTINCT FROM training.{name}" for name in names)
    found = fetch_number(
        connection,
        f"SELECT count(DISTINCT {POINT}) FROM {testing} AS testing SEMI JOIN {training} AS training ON {equal}",
    )
    return Twins(found, fetch_number(connection, f"SELECT count(DISTINCT {POINT}) FROM {testing}"))


def _of_points_alike(
    connection: duckdb.DuckDBPyConnection, testing: str, training: str, telling: Sequence[Column]
) -> str:
    """Return the SQL of the rows of training that are as one of these testing rows in the columns that tell most."""
    names = [quote_identifier(column.name) for column in telling]
    equal = " AND ".join(f"training.{name} IS NOT DISTINCT FROM testing.{name}" for name in names)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE points_alike AS SELECT {POINT} FROM {training} AS training "
        f"SEMI JOIN (SELECT {', '.join(names)} FROM {testing}) AS testing ON {equal}"
    )
    if not fetch_number(connection, "SELECT count(*) FROM points_alike"):
        return f"(SELECT * FROM {training} LIMIT 0)"
    return f"(SELECT * FROM {training} SEMI JOIN points_alike USING ({POINT}))"


def _chances_to_be_equal(sample: Sample, names: Sequence[str]) -> dict[str, float]:
    """Return, by column, the chance that two rows have the same value: how many pairs of the sample do.

    Of rows that are equal in all of the columns only one is counted: they are what is looked for, and no chance.
    """
    codes = {name: _codes(sample.columns[name]) for name in names}
    whole = np.zeros(sample.rows, dtype=np.uint64)
    for column in codes.values():
        whole = whole * np.uint64(0x9E3779B97F4A7C15) + column.astype(np.uint64) + np.uint64(1)
    _, once = np.unique(whole, return_index=True)
    pairs = max(len(once) * (len(once) - 1), 1)
    counts = {name: np.bincount(column[once]).astype(np.float64) for name, column in codes.items()}
    return {name: max(float((count * (count - 1)).sum()), 1.0) / pairs for name, count in counts.items()}


def _codes(values: NDArray[Any]) -> NDArray[np.int64]:
    """Return a number for each different value, nulls being one."""
    if values.dtype == object:
        values = np.array(["\0" if value is None else value for value in values], dtype=object)
    return np.unique(values, return_inverse=True)[1].astype(np.int64)
