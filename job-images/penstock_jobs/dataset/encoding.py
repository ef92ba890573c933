"""The identity of a point: the hash of the values that identify it.

It is `row_hash.hash_row` of them, texts in the NFC form of Unicode, less 2^63, so that a signed column holds it. A
floating-point number identifies nothing: its value differs between formats. Points identified by one number, moment or
date never share an identity; others do by chance, one pair in 2^64. `penstock_jobs.dataset.expressions` says the same
in SQL; tests hold both together, and docs/reference/split.md to them.
"""

import unicodedata
from collections.abc import Iterable
from datetime import date, datetime

from penstock_jobs.tables.row_hash import SIGN, hash_row

Value = None | bool | int | str | datetime | date

# Which identities, draws and folds these are: 2 since they are no MD5s. Tables and Models of others are refused.
HASHING = 2


def identity(values: Iterable[Value]) -> int:
    """Return the identity of the point with these key values, in [-2^63, 2^63)."""
    return hash_row(_normalise(value) for value in values) - SIGN


def _normalise(value: Value) -> Value:
    return unicodedata.normalize("NFC", value) if isinstance(value, str) else value
