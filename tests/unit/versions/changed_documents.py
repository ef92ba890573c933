"""What another version, or an accident, may make of a document: every place in it, found from the object as it is read.

The places come from the values and their types, and not from what the decoder makes of them.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

import msgspec

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Place:
    """A struct in a document: its path, and the names there of its required fields and of those that are enums."""

    path: Path
    required: tuple[str, ...]
    enums: tuple[str, ...]


def places(value: Any, plain: Any, path: Path = ()) -> Iterator[Place]:
    """Yield the structs of a value that was read, with their paths in the plain data that it was read from."""
    if isinstance(value, msgspec.Struct):
        fields = [each for each in msgspec.structs.fields(value) if each.encode_name in plain]
        yield Place(
            path,
            tuple(each.encode_name for each in fields if each.required),
            tuple(each.encode_name for each in fields if _is_enum(each.type)),
        )
        for each in fields:
            name = each.encode_name
            yield from places(getattr(value, each.name), plain[name], (*path, name))
    elif isinstance(value, tuple) and isinstance(plain, list):
        for index, (own, other) in enumerate(zip(value, plain, strict=True)):
            yield from places(own, other, (*path, index))
    elif isinstance(value, dict):
        for key, own in value.items():
            yield from places(own, plain[key], (*path, key))


def _is_enum(kind: Any) -> bool:
    if get_origin(kind) is Literal:
        return all(isinstance(each, str) for each in get_args(kind))
    return any(_is_enum(each) for each in get_args(kind) if not isinstance(each, str))


def with_more(plain: Any, path: Path) -> Any:
    """Return the document with a field of a newer version in that place."""
    return _changed(plain, path, lambda there: there.update({"newInThisVersion": {"deep": [1, {"deeper": None}]}}))


def without(plain: Any, path: Path, name: str) -> Any:
    return _changed(plain, path, lambda there: there.pop(name))


def with_other(plain: Any, path: Path, name: str, value: Any) -> Any:
    return _changed(plain, path, lambda there: there.update({name: value}))


def at(plain: Any, path: Path) -> Any:
    for step in path:
        plain = plain[step]
    return plain


def _changed(plain: Any, path: Path, change: Any) -> Any:
    made = copy.deepcopy(plain)
    change(at(made, path))
    return made
