"""Whether the loader takes a shared library: strip can break those whose headers patchelf has moved.

The format is that of elf(5), 64 bits, little-endian, which is what x86-64 and ARM have.
"""

import struct

_HEADER = struct.Struct("<16xHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_LOAD = 1


def is_loadable(content: bytes) -> bool:
    """Return whether each loaded segment is as far from a page's begin in the file as in memory.

    Args:
        content: a shared library, or its first pages.
    """
    if len(content) < _HEADER.size or not content.startswith(b"\x7fELF\x02\x01"):
        return False
    _, _, _, _, offset, _, _, _, size, count, *_ = _HEADER.unpack_from(content)
    for number in range(count):
        kind, _, place, address, _, _, _, alignment = _SEGMENT.unpack_from(content, offset + number * size)
        if kind == _LOAD and alignment > 1 and (place - address) % alignment:
            return False
    return True
