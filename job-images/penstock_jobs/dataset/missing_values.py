"""Points whose key is not there: nothing would tell them apart at a later generation."""

import duckdb

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import Column
from penstock_jobs.contract.specification import DatasetJob
from penstock_jobs.dataset.canonical import CANONICAL, first_row
from penstock_jobs.tables.columns import quote_identifier


def refuse_without_key(connection: duckdb.DuckDBPyConnection, job: DatasetJob, identity: tuple[Column, ...]) -> None:
    """Refuse rows without any value in the key.

    Two rows whose whole key is missing would be one point, at this generation or at a later one. A part of a key may
    well be missing: it is a value like any other. Without a key a point is its whole row, and nothing is missing.
    """
    if not job.key:
        return
    missing = " AND ".join(f"{quote_identifier(column.name)} IS NULL" for column in identity)
    row = connection.execute(f"SELECT count(*) FROM {CANONICAL} WHERE {missing}").fetchone()
    if row and row[0]:
        raise Refused(
            f"The key ({', '.join(column.name for column in identity)}) is missing in {row[0]} rows, first in row "
            f"{first_row(connection, missing)}, and nothing else tells them apart for good; leave those rows out, fill "
            "the key in, or name further columns in spec.dataset.key."
        )
