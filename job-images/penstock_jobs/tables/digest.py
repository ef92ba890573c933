"""The digest of a table: equal wherever the schema and the multiset of rows are equal, whatever the files.

A row is made canonical as the concatenation of its columns in order of their names (null marker, then the bytes of the
value so that they sort as the values do: DuckDB's `create_sort_key`); its MD5 is read as two unsigned 64-bit integers,
and each is summed over all rows. The sums do not depend on the order of the rows, and parts add up. The digest is the
SHA-256 of the schema, the number of rows and the two sums.
"""

import hashlib
import json
from dataclasses import dataclass

from penstock_jobs.result import Column
from penstock_jobs.tables.columns import quoted


@dataclass(frozen=True)
class RowSums:
    """The number of rows and the sums, over them, of both halves of their hashes."""

    rows: int
    lower: int
    upper: int


def row_hash(columns: tuple[Column, ...]) -> str:
    """Return the SQL of the hash of a row, a UHUGEINT."""
    names = sorted(column.name for column in columns)
    key = ", ".join(f"{quoted(name)}, 'ASC NULLS FIRST'" for name in names)
    return f"md5_number(create_sort_key({key}))"


def sums_of(hashed: str) -> str:
    """Return the three SQL aggregates (count, sum, sum) that make the `RowSums` of a column of row hashes."""
    halves = (f"{hashed} & {2**64 - 1}::UHUGEINT", f"{hashed} >> 64")
    return "count(*), " + ", ".join(f"coalesce(sum(CAST({half} AS UBIGINT)), 0)" for half in halves)


def digest(columns: tuple[Column, ...], sums: RowSums) -> str:
    """Return `sha256:` and the digest of a table with these columns and these sums."""
    schema = sorted((column.name, column.type) for column in columns)
    content = json.dumps([schema, sums.rows, sums.lower % 2**64, sums.upper % 2**64], ensure_ascii=False)
    return "sha256:" + hashlib.sha256(content.encode()).hexdigest()
