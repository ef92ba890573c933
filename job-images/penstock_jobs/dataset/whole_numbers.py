"""Which values of a column that is to be Integer are exactly one, though they came as floating-point numbers.

A floating-point number has 53 bits (of 32 bits, 24): from there on two integers are one number. So a whole number is
not an exact one, and an id that went through such a column may be another by now.
"""

import duckdb

from penstock_jobs.contract.errors import Refused
from penstock_jobs.reading.values import EXACT_BITS
from penstock_jobs.tables.columns import quote_identifier


def inexact_condition(name: str, duckdb_type: str) -> str | None:
    """Return the SQL condition that a value is not exactly an integer; None where the type leaves no doubt of any."""
    column = quote_identifier(name)
    number = f"TRY_CAST({column} AS DOUBLE)"
    if duckdb_type in EXACT_BITS:
        exact = f"isnan({column}) OR {_exact(number, EXACT_BITS[duckdb_type])}"
    elif duckdb_type.startswith("DECIMAL"):
        exact = f"{column} = floor({column})"
    else:
        return None
    return f"{column} IS NOT NULL AND NOT ({exact})"


def refuse_inexact(
    connection: duckdb.DuckDBPyConnection, relation: str, name: str, duckdb_type: str, fractions: bool = True
) -> None:
    """Refuse a column that is to be Integer, or to identify points, by its first value that is not exactly an integer.

    Args:
        connection: the engine.
        relation: the SQL of the rows as they are in the file.
        name: the column.
        duckdb_type: its type there.
        fractions: whether numbers with a fraction are refused too, and not only those that are too large.
    """
    condition = inexact_condition(name, duckdb_type)
    if condition is None:
        return
    column = quote_identifier(name)
    if not fractions:
        condition = f"{condition} AND {column} = floor({column})"
    numbered = f"SELECT row_number() OVER () AS number, {column} FROM {relation}"
    found = connection.execute(f"SELECT number, {column} FROM ({numbered}) WHERE {condition} LIMIT 1").fetchone()
    if found is None:
        return
    row, value = found
    why = "which is no whole number" if _has_fraction(value) else "which is not exact: two integers can be that number"
    raise Refused(
        f"The column '{name}' has to hold whole numbers, and row {row} has the floating-point number {value}, {why}; "
        "write it as whole numbers or as text where the file is made (a gap in a column makes floating-point numbers "
        "of it), or give it the type Float if it identifies nothing."
    )


def _exact(number: str, bits: int) -> str:
    return f"({number} = floor({number}) AND abs({number}) < {2**bits})"


def _has_fraction(value: object) -> bool:
    try:
        return not float(str(value)).is_integer()
    except ValueError:
        return True
