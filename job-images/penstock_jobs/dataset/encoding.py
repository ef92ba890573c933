"""The canonical encoding of a point's identity, and its hash.

Each value becomes a type tag, the length of its text in bytes, a colon, and the text:

| type | tag | text |
|---|---|---|
| null | n | nothing |
| Boolean | b | `0` or `1` |
| Integer | i | decimal |
| String | s | UTF-8 of the NFC form |
| Timestamp | t | microseconds since 1970 in UTC, decimal |
| Date | d | days since 1970, decimal |

The encodings of the values, one after the other, are the encoding of the row; no two rows share one. A floating-point
number has none: its text differs between formats, so it cannot identify a point. `identity` is the MD5 of the encoding
(a name for the point, not a secret). `penstock_jobs.dataset.expressions` says the same in SQL; tests hold both
together.
"""

import hashlib
import unicodedata
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

Value = None | bool | int | str | datetime | date

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def encode_value(value: Value) -> bytes:
    """Return the canonical encoding of one value. A datetime without a zone is taken as UTC."""
    match value:
        case None:
            return _encode_with_tag("n", "")
        case bool():
            return _encode_with_tag("b", str(int(value)))
        case int():
            return _encode_with_tag("i", str(value))
        case str():
            return _encode_with_tag("s", unicodedata.normalize("NFC", value))
        case datetime():
            moment = value if value.tzinfo else value.replace(tzinfo=UTC)
            return _encode_with_tag("t", str((moment - _EPOCH) // timedelta(microseconds=1)))
        case date():
            return _encode_with_tag("d", str((value - _EPOCH.date()).days))


def encode_row(values: Iterable[Value]) -> bytes:
    """Return the canonical encoding of the values, in the order given."""
    return b"".join(encode_value(value) for value in values)


def identity(values: Iterable[Value]) -> bytes:
    """Return the identity of the point with these key values: 16 bytes."""
    return hashlib.md5(encode_row(values), usedforsecurity=False).digest()


def _encode_with_tag(tag: str, text: str) -> bytes:
    content = text.encode()
    return f"{tag}{len(content)}:".encode() + content
