"""The draw of a point: the number that decides its side, a function of the point, the salt and the epoch only.

A draw is uniform on [0, 2^64): the last 8 bytes, little-endian, of the MD5 of a prefix (purpose, epoch, length of the
salt in bytes, salt) and the point's 16 bytes. The purposes `testing` and `validation` give independent draws from one
salt. A point is below a share when its draw is less than the share of 2^64, compared as integers: exact, and a raised
share moves only the points between the two thresholds.
"""

import hashlib
from fractions import Fraction
from typing import Literal

Purpose = Literal["testing", "validation"]

RANGE = 2**64


def prefix(purpose: Purpose, salt: str, epoch: int) -> bytes:
    """Return what is hashed before the point."""
    content = salt.encode()
    return f"penstock:{purpose}:{epoch}:{len(content)}:".encode() + content


def draw(purpose: Purpose, salt: str, epoch: int, point: bytes) -> int:
    """Return the draw of the point (or of the group: any identity of 16 bytes), in [0, 2^64)."""
    hashed = hashlib.md5(prefix(purpose, salt, epoch) + point, usedforsecurity=False).digest()
    return int.from_bytes(hashed[8:], "little")


def threshold(share: float) -> int:
    """Return the least draw that is not below the share; the share is taken as the decimal that it prints as."""
    return int(Fraction(repr(float(share))) * RANGE)
