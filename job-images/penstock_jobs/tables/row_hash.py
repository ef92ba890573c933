"""The hash of a row: 64 bits, of which identities, draws and digests are made.

`stir` mixes 64 bits: x ^= x >> 32, x *= M, x ^= x >> 32, x *= M, x ^= x >> 32, modulo 2^64. It is one to one. A value
is hashed by the type of its column:

| type | hash |
|---|---|
| null | 0xBF58476D1CE4E5B9 |
| Boolean | `stir` of 0 or 1 |
| Integer | `stir` of the value, modulo 2^64 |
| Float | `stir` of the IEEE 754 bits; -0.0 counts as 0.0, and there is one NaN |
| Timestamp | `stir` of the microseconds since 1970 in UTC, modulo 2^64 |
| Date | `stir` of the days since 1970, modulo 2^32 |
| String | `stir` of the first 8 bytes of the MD5 of its UTF-8, xor `stir` of the last 8 (little-endian both) |

The hash of a row is that of its first value; each further value makes (h ^ (h >> 32)) * M, xor the value's hash, of it.
Two values of one type, not text, have different hashes.

DuckDB's `hash` is this for all but text, and takes 3 ns a value where the arithmetic in SQL takes 30. Nobody promises
that it stays so: `require_hash` asks before anything is hashed, and tests hold the engine to the definition. Its hash
of text is not used: texts that differ in their 8th and 16th letter may share one.
"""

import hashlib
import struct
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING

from penstock_jobs.contract.errors import JobError
from penstock_jobs.contract.result import Column
from penstock_jobs.tables.columns import quote_identifier

if TYPE_CHECKING:  # training hashes nothing, and its processes would carry the engine
    import duckdb

Value = None | bool | int | float | str | datetime | date

RANGE = 2**64
SIGN = 2**63
MULTIPLIER = 0xD6E8FEB86659FD93
_NULL = 0xBF58476D1CE4E5B9
_NAN = 0x7FF8000000000000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KNOWN = (
    "SELECT hash(NULL::BIGINT, 1::BIGINT, -2.5::DOUBLE, '-0.0'::DOUBLE, TRUE, DATE '1969-12-31', "
    "TIMESTAMPTZ '2026-01-31 12:00:00+00', md5_number('a'), NULL::DOUBLE)"
)
_KNOWN_HASH = 6049310049343560473


class OtherHash(JobError):
    """The engine's `hash` is not the one that is defined here."""


def stir(number: int) -> int:
    """Return the 64 bits, mixed."""
    for _ in range(2):
        number = (number ^ number >> 32) * MULTIPLIER % RANGE
    return number ^ number >> 32


def hash_value(value: Value) -> int:
    """Return the hash of one value. A datetime without a zone is taken as UTC."""
    match value:
        case None:
            return _NULL
        case bool() | int():
            return stir(int(value) % RANGE)
        case float():
            return stir(_NAN if value != value else struct.unpack("<Q", struct.pack("<d", value or 0.0))[0])
        case str():
            hashed = hashlib.md5(value.encode(), usedforsecurity=False).digest()
            return stir(int.from_bytes(hashed[:8], "little")) ^ stir(int.from_bytes(hashed[8:], "little"))
        case datetime():
            moment = value if value.tzinfo else value.replace(tzinfo=UTC)
            return stir((moment - _EPOCH) // timedelta(microseconds=1) % RANGE)
        case date():
            return stir((value - _EPOCH.date()).days % 2**32)


def hash_row(values: Iterable[Value]) -> int:
    """Return the hash of the values, of one at least, in the order given."""
    first, *others = (hash_value(value) for value in values)
    for other in others:
        first = (first ^ first >> 32) * MULTIPLIER % RANGE ^ other
    return first


def row_hash(columns: Iterable[Column], text: str = "{}") -> str:
    """Return the SQL of `hash_row` over the columns, a UBIGINT.

    Args:
        columns: in order, as they are in `canonical`.
        text: what is made of a text before it is hashed, with `{}` for the column.
    """
    names = ((column, quote_identifier(column.name)) for column in columns)
    listed = (f"md5_number({text.format(name)})" if column.type == "String" else name for column, name in names)
    return f"hash({', '.join(listed)})"


def as_stored(hashed: str) -> str:
    """Return the SQL of a UBIGINT as a table holds it: less 2^63, a BIGINT, in the same order."""
    return f"CAST(CAST({hashed} AS HUGEINT) - {SIGN} AS BIGINT)"


def require_hash(connection: "duckdb.DuckDBPyConnection") -> None:
    """Raise where the engine does not hash as this module says: points would move, and digests differ."""
    found = connection.execute(_KNOWN).fetchone()
    if found is None or found[0] != _KNOWN_HASH:
        raise OtherHash(
            f"DuckDB {version('duckdb')} hashes values otherwise than DuckDB 2.0, and the tables would not be what "
            "they are elsewhere; install the version that this version of Penstock requires."
        )
