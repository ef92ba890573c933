"""The columns that Penstock adds to the tables, and how each type of a column is stored.

`POINT` is the identity of a row (`penstock_jobs.dataset.encoding`), `GROUP` that of its group, or null, and `FOLD` the
draw for validation and folds: each a signed 64-bit integer, uniform. The other three are in the testing table: the
generation in which a row was appended, its revision (0, then 1, 2, … where `updates: Refresh` or a retirement appended
it again; readers take the last), and whether a time window has left the point behind.
`SIDE` names the table that a row is to be written to, and is in none.
"""

from collections.abc import Iterable

from penstock_jobs.contract.result import Column, ColumnType

PREFIX = "_penstock_"
POINT = "_penstock_point"
GROUP = "_penstock_group"
FOLD = "_penstock_fold"
GENERATION = "_penstock_generation"
REVISION = "_penstock_revision"
RETIRED = "_penstock_retired"
SIDE = "_penstock_side"

TRAINING_INTERNAL = {POINT: "BIGINT", GROUP: "BIGINT", FOLD: "BIGINT"}
TESTING_INTERNAL = {**TRAINING_INTERNAL, GENERATION: "BIGINT", REVISION: "BIGINT", RETIRED: "BOOLEAN"}

DUCKDB_TYPES: dict[ColumnType, str] = {
    "Integer": "BIGINT",
    "Float": "DOUBLE",
    "Boolean": "BOOLEAN",
    "String": "VARCHAR",
    "Timestamp": "TIMESTAMP WITH TIME ZONE",
    "Date": "DATE",
}
DELTA_TYPES = {
    "BIGINT": "long",
    "DOUBLE": "double",
    "BOOLEAN": "boolean",
    "VARCHAR": "string",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
    "DATE": "date",
}


def types_of_columns(columns: tuple[Column, ...], internal: dict[str, str]) -> dict[str, str]:
    """Return the DuckDB type of each column of a table, the internal ones first, in the order that they are stored."""
    return {**internal, **{column.name: DUCKDB_TYPES[column.type] for column in columns}}


def sort_columns(columns: Iterable[Column]) -> tuple[Column, ...]:
    """Return the columns in the order of their names, by code point, as the digest of a table has them.

    The order in a file is no part of what a file says: whatever depends on an order takes this one, or a Model, or a
    point's identity, would differ between two files that hold the same rows.
    """
    return tuple(sorted(columns, key=lambda column: column.name))


def quote_identifier(name: str) -> str:
    """Return the name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def quote_literal(text: str) -> str:
    """Return the text as an SQL string."""
    return "'" + text.replace("'", "''") + "'"
