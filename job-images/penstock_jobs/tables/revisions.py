"""What readers see of the files of a table."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from penstock_jobs.tables.columns import POINT, RETIRED, REVISION, quote_identifier
from penstock_jobs.tables.engine import parquet_relation


def rows_of_files(files: Sequence[Path], types: Mapping[str, str]) -> str:
    """Return the SQL of all rows of the files; a column that is younger than a file is null in its rows."""
    columns = ", ".join(f"CAST(NULL AS {kind}) AS {quote_identifier(name)}" for name, kind in types.items())
    empty = f"SELECT {columns} LIMIT 0"
    return f"({empty})" if not files else f"(({empty}) UNION ALL BY NAME SELECT * FROM {parquet_relation(files)})"


def is_revised(connection: duckdb.DuckDBPyConnection, relation: str) -> bool:
    """Return whether a point of the stored testing table may have more than one row."""
    row = connection.execute(f"SELECT coalesce(max({REVISION}), 0) FROM {relation}").fetchone()
    return row is not None and int(row[0]) > 0


def rows_for_readers(connection: duckdb.DuckDBPyConnection, relation: str, types: Mapping[str, str]) -> str:
    """Return the SQL of what readers see of a stored relation: last revisions only, none of them retired."""
    if REVISION not in types:
        return relation
    if not is_revised(connection, relation):  # whole rows would go through the window
        return f"(SELECT * FROM {relation} WHERE NOT {RETIRED})"
    last = f"row_number() OVER (PARTITION BY {POINT} ORDER BY {REVISION} DESC) = 1"
    return f"(SELECT * FROM (SELECT * FROM {relation} QUALIFY {last}) WHERE NOT {RETIRED})"
