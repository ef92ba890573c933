"""The digest of a table: equal wherever the schema and the multiset of rows are equal, whatever the files.

The values of a row, in order of their columns' names, have a hash (`tables.row_hash`), and `stir` of that is summed
over all rows, modulo 2^64. The sum does not depend on the order of the rows, and parts add up. The digest is the
SHA-256 of the schema, the number of rows and the sum. It tells tables apart that differ by accident, not by intent.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from penstock_jobs.contract.result import Column
from penstock_jobs.tables.row_hash import RANGE, row_hash


@dataclass(frozen=True)
class RowSum:
    """The number of rows and the sum, over them, of their hashes, stirred."""

    rows: int
    total: int


def sum_of_rows(columns: Sequence[Column]) -> str:
    """Return the two SQL aggregates (count, sum) that make the `RowSum` of the columns, as they are in `canonical`."""
    hashed = row_hash(sorted(columns, key=lambda column: column.name))
    return f"count(*), coalesce(sum(hash({hashed})), 0)"


def digest(columns: Sequence[Column], summed: RowSum) -> str:
    """Return `sha256:` and the digest of a table with these columns and this sum."""
    schema = sorted((column.name, column.type) for column in columns)
    content = json.dumps([schema, summed.rows, summed.total % RANGE], ensure_ascii=False)
    return "sha256:" + hashlib.sha256(content.encode()).hexdigest()
