"""The draw of a point: the number that decides its side, a function of the point, the salt and the epoch only.

A draw is uniform on [0, 2^64): `row_hash.stir` of the 64 bits of the point's identity, xor a number made of the
purpose, the epoch and the salt (`whitening`). The purposes `testing` and `validation` give independent draws from one
salt. A point is below a share when its draw is less than the share of 2^64, compared as integers: exact, and a raised
share moves only the points between the two thresholds.
"""

import hashlib
from fractions import Fraction
from typing import Literal

from penstock_jobs.tables.row_hash import RANGE, stir

Purpose = Literal["testing", "validation"]


def whitening(purpose: Purpose, salt: str, epoch: int) -> int:
    """Return what the identities are xored with: the first 8 bytes, little-endian, of an MD5."""
    content = salt.encode()
    text = f"penstock:{purpose}:{epoch}:{len(content)}:".encode() + content
    return int.from_bytes(hashlib.md5(text, usedforsecurity=False).digest()[:8], "little")


def draw(purpose: Purpose, salt: str, epoch: int, point: int) -> int:
    """Return the draw of the point (or of the group: any identity), in [0, 2^64)."""
    return stir(point % RANGE ^ whitening(purpose, salt, epoch))


def threshold(share: float) -> int:
    """Return the least draw that is not below the share; the share is taken as the decimal that it prints as."""
    return int(Fraction(repr(float(share))) * RANGE)
