"""Some of the rows, to be looked at one by one: which ones is a function of their identity, not of chance or order."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from penstock_jobs.contract.column_statistics import FrequentValue
from penstock_jobs.contract.result import Column
from penstock_jobs.tables.columns import POINT, quote_identifier
from penstock_jobs.tables.engine import parquet_relation
from penstock_jobs.tables.row_hash import RANGE, SIGN

ALL = 20_000  # tables of so many rows are looked at whole
ROWS = 10_000
_CELLS = 4_000_000
_MOST_FREQUENT = 5


@dataclass(frozen=True)
class Sample:
    """The rows by column, in the order of their identity: numbers as doubles (null is NaN), text as objects or None.

    Truth values, dates and times are numbers. `is_all` says that no row is missing.
    """

    rows: int
    is_all: bool
    columns: Mapping[str, NDArray[Any]]

    def counts(self, name: str) -> NDArray[np.int64]:
        """Return how often each different value of a column is there, nulls not counted."""
        values = self.columns[name]
        if values.dtype == object:
            return np.fromiter(self.texts(name).values(), dtype=np.int64)
        return np.unique(values[~np.isnan(values)], return_counts=True)[1].astype(np.int64)

    def texts(self, name: str) -> Counter[str]:
        """Return how often each text of a column of text is there."""
        return Counter(value for value in self.columns[name] if value is not None)


def take_sample(
    connection: duckdb.DuckDBPyConnection, files: Sequence[Path], rows: int, columns: Sequence[Column]
) -> Sample:
    """Return the rows of the files whose identity, a hash, is below a threshold: as many as there is room for."""
    most = max(1000, min(ROWS, _CELLS // max(len(columns), 1)))
    is_all = rows <= max(ALL if len(columns) * ALL <= _CELLS else 0, most)
    where = "" if is_all else f" WHERE {below_share(most / rows)}"
    listed = ", ".join(f"{_as_plain(column)} AS c{index}" for index, column in enumerate(columns))
    query = f"SELECT {listed} FROM (SELECT * FROM {parquet_relation(files)}{where}) ORDER BY {POINT}"
    fetched = connection.execute(query).fetchnumpy()
    found = {column.name: _as_column(column, fetched[f"c{index}"]) for index, column in enumerate(columns)}
    return Sample(len(next(iter(found.values()), ())), is_all, found)


def below_share(share: float) -> str:
    """Return the SQL condition that about this share of all points meets, the same ones wherever they are."""
    return f"{POINT} < {min(int(share * RANGE), RANGE - 1) - SIGN}"


def distinct_values(counts: NDArray[np.int64], present: int, is_all: bool) -> int:
    """Return how many different values the whole column has: counted, or by Chao's estimate from those of a sample."""
    seen = len(counts)
    if is_all:
        return seen
    once, twice = int((counts == 1).sum()), int((counts == 2).sum())
    return min(present, seen + once * (once - 1) // (2 * (twice + 1)))


def frequent_values(column: Column, sample: Sample) -> tuple[FrequentValue, ...]:
    """Return the values that are there most often, for columns that have no ends worth telling."""
    if column.type == "Boolean":
        values = sample.columns[column.name]
        counts = Counter({"true": int((values == 1).sum()), "false": int((values == 0).sum())})
    elif column.type == "String":
        counts = sample.texts(column.name)
    else:
        return ()
    ranked = sorted((+counts).items(), key=lambda item: (-item[1], item[0]))[:_MOST_FREQUENT]
    return tuple(FrequentValue(value=value[:80], rows=count) for value, count in ranked)


def _as_plain(column: Column) -> str:
    name = quote_identifier(column.name)
    match column.type:
        case "String":
            return name
        case "Timestamp":
            return f"CAST(epoch_us({name}) AS DOUBLE)"
        case "Date":
            return f"CAST({name} - DATE '1970-01-01' AS DOUBLE)"
    return f"CAST({name} AS DOUBLE)"


def _as_column(column: Column, values: Any) -> NDArray[Any]:
    mask = np.ma.getmaskarray(values)
    plain = np.ma.getdata(values)
    if column.type == "String":
        made = np.empty(len(plain), dtype=object)
        made[:] = [None if absent else str(value) for value, absent in zip(plain, mask, strict=True)]
        return made
    numbers = np.asarray(plain, dtype=np.float64).copy()
    numbers[mask] = np.nan
    return numbers
