"""The digest of a table: equal wherever the schema and the multiset of rows are equal, whatever the files.

A row is made canonical as the concatenation of its values in order of their columns' names. A null is the byte 1; any
other value is the byte 2 and then, big-endian:

| type | bytes |
|---|---|
| Integer | 8: the value plus 2^63 |
| Float | 8: the IEEE 754 bits, all inverted where the sign is minus, else plus 2^63 |
| Boolean | 1: 0 or 1 |
| String | each byte of its UTF-8 plus 1, then a 0 |
| Timestamp | 8: microseconds since 1970 in UTC, plus 2^63 |
| Date | 4: days since 1970, plus 2^31 |

Of floats, -0.0 counts as 0.0, NaN is 2^64 - 1, infinity 2^64 - 2, and minus infinity 0. DuckDB's
`create_sort_key` gives these bytes, and tests hold it to this definition, written out in Python. The MD5 of a row's
bytes is read as two little-endian unsigned 64-bit integers, and each is summed over all rows, modulo 2^64. The sums do
not depend on the order of the rows, and parts add up. The digest is the SHA-256 of the schema, the number of rows and
the two sums.
"""

import hashlib
import json
from dataclasses import dataclass

from penstock_jobs.contract.result import Column, ColumnType
from penstock_jobs.tables.columns import quote_identifier

_SHORT: dict[ColumnType, int] = {"Boolean": 2, "Date": 5}
_LONG = 9


@dataclass(frozen=True)
class RowSums:
    """The number of rows and the sums, over them, of both halves of their hashes."""

    rows: int
    lower: int
    upper: int


def row_hash(columns: tuple[Column, ...]) -> str:
    """Return the SQL of the hash of a row, a UHUGEINT: its lower 64 bits are the first 8 bytes of the MD5."""
    names = sorted(column.name for column in columns)
    key = ", ".join(f"{quote_identifier(name)}, 'ASC NULLS FIRST'" for name in names)
    if sum(_SHORT.get(column.type, _LONG) for column in columns) >= _LONG:
        return f"md5_number(create_sort_key({key}))"
    longer = f"create_sort_key({key}, '', 'ASC NULLS FIRST')"  # the engine makes a number of up to eight bytes
    return f"md5_number({longer}[1:octet_length({longer}) - 2])"


def sums_of(hashed: str) -> str:
    """Return the three SQL aggregates (count, sum, sum) that make the `RowSums` of a column of row hashes."""
    halves = (f"{hashed} & {2**64 - 1}::UHUGEINT", f"{hashed} >> 64")
    return "count(*), " + ", ".join(f"coalesce(sum(CAST({half} AS UBIGINT)), 0)" for half in halves)


def digest(columns: tuple[Column, ...], sums: RowSums) -> str:
    """Return `sha256:` and the digest of a table with these columns and these sums."""
    schema = sorted((column.name, column.type) for column in columns)
    content = json.dumps([schema, sums.rows, sums.lower % 2**64, sums.upper % 2**64], ensure_ascii=False)
    return "sha256:" + hashlib.sha256(content.encode()).hexdigest()
