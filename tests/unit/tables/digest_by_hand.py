"""The digest of a table without the engine: what a stranger would write from the definition in `tables.digest`."""

import hashlib
import math
import struct
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

from penstock_jobs.contract.result import Column, ColumnType
from penstock_jobs.tables.digest import RowSums, digest

Value = None | bool | int | float | str | datetime | date

_SIGN = 2**63
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def digest_of_rows(columns: tuple[Column, ...], rows: Iterable[Mapping[str, Value]]) -> str:
    """Return the digest of the rows; a datetime without a zone is in UTC."""
    hashes = [hashlib.md5(encode_row(columns, row), usedforsecurity=False).digest() for row in rows]
    lower = sum(int.from_bytes(hashed[:8], "little") for hashed in hashes)
    upper = sum(int.from_bytes(hashed[8:], "little") for hashed in hashes)
    return digest(columns, RowSums(len(hashes), lower, upper))


def encode_row(columns: tuple[Column, ...], row: Mapping[str, Value]) -> bytes:
    """Return the canonical bytes of a row."""
    ordered = sorted(columns, key=lambda column: column.name)
    values = ((column.type, row[column.name]) for column in ordered)
    return b"".join(b"\1" if value is None else b"\2" + _encode_value(kind, value) for kind, value in values)


def _encode_value(kind: ColumnType, value: Value) -> bytes:
    match kind, value:
        case "Boolean", bool():
            return bytes([value])
        case "Integer", int():
            return struct.pack(">Q", value + _SIGN)
        case "Float", float() | int():
            return struct.pack(">Q", _float_bits(float(value)))
        case "String", str():
            return bytes(byte + 1 for byte in value.encode()) + b"\0"
        case "Timestamp", datetime():
            moment = value if value.tzinfo else value.replace(tzinfo=UTC)
            return struct.pack(">Q", (moment - _EPOCH) // timedelta(microseconds=1) + _SIGN)
        case "Date", date():
            return struct.pack(">I", (value - _EPOCH.date()).days + 2**31)
    raise TypeError(f"{value!r} is no value of a column of type {kind}")


def _float_bits(value: float) -> int:
    if math.isnan(value):
        return 2**64 - 1
    if math.isinf(value):
        return 2**64 - 2 if value > 0 else 0
    bits = int(struct.unpack(">Q", struct.pack(">d", value or 0.0))[0])
    return bits + _SIGN if bits < _SIGN else 2**64 - 1 - bits
