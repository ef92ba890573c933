"""Fields that a type does not have: passed over when a newer version's document is read, carried on when it is written.

Types are strict, since a person's mistake must be found. What another version of Penstock wrote is no mistake: here are
the two ways around the strictness, both from what `msgspec.inspect` says of the type itself.
"""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

Pruner = Callable[[Any], Any]
_LISTS = (list, tuple)


class OtherForm(Exception):
    """A document, or a part of one, has a form that the type does not read."""


@cache
def _info(kind: Any) -> inspect.Type:
    return inspect.type_info(kind)


def without_unknown_fields(value: Any, kind: Any) -> Any:
    """Return plain data, as JSON has it, without the fields that the type does not have, at any depth.

    Raises:
        OtherForm: some part says by its `format` that its type must not be taken for it.
    """
    return _pruned(value, _info(kind))


def with_unknown_fields(value: Any, before: Any, kind: Any) -> Any:
    """Return plain data of the type, and with it the fields of what was there before that the type does not have.

    Items of a list belong together when their keys are the same (`x-kubernetes-list-map-keys` of the schema); where it
    says none, when all that is known of them is the same.
    """
    return _carried(value, before, _info(kind))


def _pruned(value: Any, info: inspect.Type) -> Any:
    prune = _pruner(info)
    return value if prune is None else prune(value)


def _pruner(info: inspect.Type) -> Pruner | None:
    """Return what takes unknown fields out of a value of this type; None where there can be none in it."""
    match info:
        case inspect.Metadata(type=inner):
            return _pruner(inner)
        case inspect.UnionType(types=types):
            return _union_pruner([prune for each in types if (prune := _pruner(each)) is not None])
        case inspect.StructType(cls=cls):
            return _struct_pruner(cls)
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
            each = _pruner(item)
            return None if each is None else lambda value: [*map(each, value)] if isinstance(value, _LISTS) else value
        case inspect.DictType(value_type=item):
            own = _pruner(item)
            if own is not None:
                return lambda value: {k: own(v) for k, v in value.items()} if isinstance(value, dict) else value
    return None


def _union_pruner(pruners: list[Pruner]) -> Pruner | None:
    """Return what asks one after the other: a pruner changes nothing of what is not its own."""
    if len(pruners) < 2:
        return pruners[0] if pruners else None

    def prune(value: Any) -> Any:
        for each in pruners:
            value = each(value)
        return value

    return prune


@cache
def _struct_pruner(cls: type[msgspec.Struct]) -> Pruner:
    struct = _info(cls)
    assert isinstance(struct, inspect.StructType)
    pruners: dict[str, Pruner | None] = {}

    def prune(value: Any) -> Any:
        if not isinstance(value, dict) or (struct.tag_field is not None and value.get(struct.tag_field) != struct.tag):
            return value
        _require_form(value, struct)
        if not pruners:  # not before: a type may hold itself
            pruners.update({name: _pruner(each) for name, each in _fields(cls).items()})
        found = {}
        for name, each in value.items():
            if name in pruners:
                own = pruners[name]
                found[name] = each if own is None else own(each)
            elif name == struct.tag_field:
                found[name] = each
        return found

    return prune


def _carried(value: Any, before: Any, info: inspect.Type) -> Any:
    keys = _keys(info)
    match _branch(value, info):
        case inspect.StructType() as struct if isinstance(before, dict):
            told_apart_by = [name for name in (struct.tag_field, "name") if name is not None]
            if any(value.get(name) != before.get(name) for name in told_apart_by):
                return value  # another thing is in its place by now
            fields = _fields(struct.cls)
            known = {
                name: _carried(each, before[name], fields[name]) if name in fields and name in before else each
                for name, each in value.items()
            }
            return known | {name: each for name, each in before.items() if name not in fields and name not in known}
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item) if isinstance(
            before, list | tuple
        ):
            same = _same_keys(keys) if keys else lambda new, old: new == _pruned(old, item)
            return [_carried(new, next((old for old in before if same(new, old)), None), item) for new in value]
        case inspect.DictType(value_type=item) if isinstance(before, dict):
            return {name: _carried(each, before.get(name), item) for name, each in value.items()}
    return value


def _same_keys(keys: Iterable[str]) -> Callable[[Any, Any], bool]:
    def same(new: Any, old: Any) -> bool:
        return isinstance(old, dict) and all(new.get(key) == old.get(key) for key in keys)

    return same


def _require_form(value: dict[str, Any], struct: inspect.StructType) -> None:
    form, said = getattr(struct.cls, "form", None), value.get("format")
    if form is not None and said is not None and said != form.name:
        raise OtherForm(form.refusal(said))


def _branch(value: Any, info: inspect.Type) -> inspect.Type | None:
    """Return what of the type holds fields of this value: a struct, a list, a mapping; None where nothing does."""
    match info:
        case inspect.Metadata(type=inner):
            return _branch(value, inner)
        case inspect.UnionType(types=types):
            return next((found for each in types if (found := _branch(value, each)) is not None), None)
        case inspect.StructType(tag_field=field, tag=tag) if isinstance(value, dict):
            return info if field is None or value.get(field) == tag else None
        case inspect.ListType() | inspect.VarTupleType() if isinstance(value, _LISTS):
            return info
        case inspect.DictType() if isinstance(value, dict):
            return info
    return None


def _keys(info: inspect.Type) -> tuple[str, ...]:
    match info:
        case inspect.Metadata(type=inner, extra_json_schema=extra):
            return tuple((extra or {}).get("x-kubernetes-list-map-keys") or _keys(inner))
        case inspect.UnionType(types=types):
            return next((keys for each in types if (keys := _keys(each))), ())
    return ()


@cache
def _fields(cls: type[msgspec.Struct]) -> dict[str, inspect.Type]:
    struct = _info(cls)
    assert isinstance(struct, inspect.StructType)
    return {field.encode_name: field.type for field in struct.fields}
