"""Points whose key or group is not there: what they are taken for is said, and what cannot be told apart is refused."""

import duckdb

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import Column, Remark
from penstock_jobs.contract.specification import DatasetJob
from penstock_jobs.dataset.canonical import CANONICAL, first_row
from penstock_jobs.tables.columns import quote_identifier
from penstock_jobs.tables.engine import fetch_number


def find_missing(
    connection: duckdb.DuckDBPyConnection, job: DatasetJob, identity: tuple[Column, ...], groups: tuple[Column, ...]
) -> tuple[Remark, ...]:
    """Refuse rows without any value in the key; return a remark on those without a part of it, and without a group.

    Two rows whose whole key is missing would be one point, at this generation or at a later one. A part of a key may
    well be missing: it is a value like any other. Without a key a point is its whole row, and nothing is missing.
    """
    found = []
    if job.key:
        _refuse_without_key(connection, identity)
        if len(identity) > 1 and (rows := _count(connection, _any_missing(identity))):
            found.append(
                Remark(
                    code="NullKeys",
                    message=f"{_rows_have(rows)} no value in a part of the key ({_names(identity)}); a missing value "
                    "is taken for a value like any other, so rows that are equal in the other parts are one point. "
                    "Fill it in, or leave those rows out, if that is not so.",
                    column=_first_with_nulls(connection, identity),
                )
            )
    if groups and (rows := _count(connection, _all_missing(groups))):
        found.append(
            Remark(
                code="NullGroups",
                message=f"{_rows_have(rows)} no group ({_names(groups)}); each of them is a group of its own, so two "
                "that belong together may be on two sides. Fill the group in, or leave those rows out, if that may be.",
                column=groups[0].name if len(groups) == 1 else None,
            )
        )
    return tuple(found)


def _refuse_without_key(connection: duckdb.DuckDBPyConnection, identity: tuple[Column, ...]) -> None:
    rows = _count(connection, _all_missing(identity))
    if rows:
        raise Refused(
            f"The key ({_names(identity)}) is missing in {rows} rows, first in row "
            f"{first_row(connection, _all_missing(identity))}, and nothing else tells them apart for good; leave those "
            "rows out, fill the key in, or name further columns in spec.dataset.key."
        )


def _all_missing(columns: tuple[Column, ...]) -> str:
    return " AND ".join(f"{quote_identifier(column.name)} IS NULL" for column in columns)


def _any_missing(columns: tuple[Column, ...]) -> str:
    return " OR ".join(f"{quote_identifier(column.name)} IS NULL" for column in columns)


def _first_with_nulls(connection: duckdb.DuckDBPyConnection, columns: tuple[Column, ...]) -> str | None:
    lacking = [column.name for column in columns if _count(connection, _all_missing((column,)))]
    return lacking[0] if len(lacking) == 1 else None


def _count(connection: duckdb.DuckDBPyConnection, condition: str) -> int:
    return fetch_number(connection, f"SELECT count(*) FROM {CANONICAL} WHERE {condition}")


def _names(columns: tuple[Column, ...]) -> str:
    return ", ".join(column.name for column in columns)


def _rows_have(rows: int) -> str:
    return "1 row has" if rows == 1 else f"{rows} rows have"
