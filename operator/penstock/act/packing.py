"""Objects kept small: compressed against another one of their kind, of which they say most over again.

A single object of a few kilobytes compresses to a third; against one of its kind, to a tenth.
"""

import zlib

LARGEST = 8192  # bytes of a sample; as much as the window of the compression holds
_WINDOW = 13  # its logarithm
_MEMORY = 6
_LEVEL = 6
_GROWTH = 1.5


class Packing:
    """Compresses. The sample of a kind is one of the first that were seen, and the fullest of these."""

    def __init__(self) -> None:
        self._samples: dict[str, bytes] = {}

    def pack(self, kind: str, content: bytes) -> tuple[bytes, bytes]:
        """Return the content, compressed, and the sample that it is read with."""
        sample = self._samples.get(kind, b"")
        if len(sample) < LARGEST and len(content) > _GROWTH * len(sample):
            sample = self._samples[kind] = content[:LARGEST]
        packer = zlib.compressobj(_LEVEL, wbits=_WINDOW, memLevel=_MEMORY, zdict=sample)
        return packer.compress(content) + packer.flush(), sample


def unpack(packed: bytes, sample: bytes) -> bytes:
    """Return the content as it was."""
    unpacker = zlib.decompressobj(wbits=_WINDOW, zdict=sample)
    return unpacker.decompress(packed) + unpacker.flush()
