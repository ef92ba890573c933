"""Tensors of an ONNX file that are in other files: refused, since only this one's digest was checked.

The server's image has no library for ONNX beside its runtime, which would open them. So the messages of the file are
walked here, by their numbers in `onnx.proto`; https://protobuf.dev/programming-guides/encoding says how they are laid.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from penstock_jobs.contract.errors import Refused

_KEY = b"location"  # the runtime refuses a tensor elsewhere that has no entry of this name
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_DATA_LOCATION, _EXTERNAL_DATA = 14, 13
_DEEPEST = 64  # graphs in graphs; protobuf reads no more than 100 messages in each other


@dataclass(frozen=True)
class _Message:
    """A kind of message: which of its fields are messages in which a tensor may be; a tensor has none."""

    fields: "Mapping[int, _Message]" = field(default_factory=dict)


_TENSOR = _Message()
_SPARSE = _Message({1: _TENSOR, 2: _TENSOR})
_ATTRIBUTE_FIELDS: dict[int, _Message] = {5: _TENSOR, 10: _TENSOR, 22: _SPARSE, 23: _SPARSE}
_ATTRIBUTE = _Message(_ATTRIBUTE_FIELDS)
_NODE = _Message({5: _ATTRIBUTE})
_GRAPH = _Message({1: _NODE, 5: _TENSOR, 15: _SPARSE})
_ATTRIBUTE_FIELDS |= {6: _GRAPH, 11: _GRAPH}
_FUNCTION = _Message({7: _NODE, 11: _ATTRIBUTE})
_TRAINING = _Message({1: _GRAPH, 2: _GRAPH})
_MODEL = _Message({7: _GRAPH, 20: _TRAINING, 25: _FUNCTION})


def refuse_external_tensors(content: bytes) -> None:
    """Refuse an ONNX file that has a tensor in another file, or that cannot be read so far as to tell."""
    try:
        external = _is_external(content, 0, len(content), _MODEL, 0)
    except (IndexError, ValueError) as error:
        raise Refused("The ONNX file cannot be loaded: it is cut short, or no ONNX file.") from error
    if external:
        raise Refused("The ONNX file has tensors in other files, whose digests nobody recorded; save it as one file.")


def _is_external(content: bytes, start: int, end: int, message: _Message, depth: int) -> bool:
    if content.find(_KEY, start, end) < 0:
        return False  # as in nearly all of a file, which need not be walked
    if depth > _DEEPEST:
        raise ValueError(depth)
    for number, first, last in _fields(content, start, end):
        if message is _TENSOR:
            if number == _EXTERNAL_DATA or (number == _DATA_LOCATION and first):
                return True
        elif number in message.fields and _is_external(content, first, last, message.fields[number], depth + 1):
            return True
    return False


def _fields(content: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield of each field its number, and where its bytes are; of one that is a number, the number, twice."""
    while start < end:
        tag, start = _varint(content, start)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, start = _varint(content, start)
            yield number, value, value
            continue
        if kind == _BYTES:
            length, start = _varint(content, start)
        elif kind in (_FIXED32, _FIXED64):
            length = 4 if kind == _FIXED32 else 8
        else:
            raise ValueError(kind)
        if start + length > end:
            raise ValueError(length)
        yield number, start, start + length
        start += length


def _varint(content: bytes, start: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = content[start]
        start += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, start
    raise ValueError(start)
