"""What the Parquet files say of their columns in their footers: nulls and ends, at the price of reading no row."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from penstock_jobs.contract.result import Column
from penstock_jobs.tables.columns import quote_identifier
from penstock_jobs.tables.engine import parquet_relation, path_list

End = float | str


@dataclass(frozen=True)
class ColumnEnds:
    """A column's rows without a value, its least and greatest finite value (None for text), and its infinite ones."""

    nulls: int
    least: End | None = None
    greatest: End | None = None
    infinite: int = 0


def read_ends(
    connection: duckdb.DuckDBPyConnection, files: Sequence[Path], columns: Sequence[Column]
) -> dict[str, ColumnEnds]:
    """Return what the footers say of each column; of one of which they do not say all, what its values say."""
    said: dict[str, list[tuple[int, int, str | None, str | None]]] = {}
    query = (
        "SELECT path_in_schema, num_values, stats_null_count, stats_min_value, stats_max_value FROM "
        f"parquet_metadata({path_list(files)})"
    )
    for name, values, nulls, least, greatest in connection.execute(query).fetchall():
        said.setdefault(str(name), []).append((int(values), -1 if nulls is None else int(nulls), least, greatest))
    found = {}
    for column in columns:
        ends = _combine(column, said.get(column.name, []))
        found[column.name] = _count(connection, files, column) if ends is None else ends
    return found


def _combine(column: Column, groups: Sequence[tuple[int, int, str | None, str | None]]) -> ColumnEnds | None:
    """Return the ends of all groups of rows; None where one does not say them, as of infinite numbers."""
    if not groups or any(nulls < 0 for _, nulls, _, _ in groups):
        return None
    nulls = sum(group[1] for group in groups)
    filled = [group for group in groups if group[0] > group[1]]
    if column.type == "String" or not filled:
        return ColumnEnds(nulls)
    if any(least is None or greatest is None for _, _, least, greatest in filled):
        return None
    leasts = [_end(column, str(least)) for _, _, least, _ in filled]
    greatests = [_end(column, str(greatest)) for _, _, _, greatest in filled]
    if {"inf", "-inf"} & {str(end) for end in (*leasts, *greatests)}:
        return None
    return ColumnEnds(nulls, min(leasts), max(greatests))


def _end(column: Column, text: str) -> End:
    if column.type == "Integer":
        return int(text)
    return float(text) if column.type == "Float" else text


def _count(connection: duckdb.DuckDBPyConnection, files: Sequence[Path], column: Column) -> ColumnEnds:
    name = quote_identifier(column.name)
    if column.type == "Float":
        infinite, value = f"count(*) FILTER (WHERE isinf({name}))", f"CASE WHEN isfinite({name}) THEN {name} END"
    else:
        infinite, value = "0", name if column.type == "Integer" else f"CAST({name} AS VARCHAR)"
    query = f"SELECT count(*) - count({name}), min({value}), max({value}), {infinite} FROM {parquet_relation(files)}"
    nulls, least, greatest, infinites = connection.execute(query).fetchone() or (0, None, None, 0)
    if column.type == "String":
        least = greatest = None
    return ColumnEnds(int(nulls), least, greatest, int(infinites))
