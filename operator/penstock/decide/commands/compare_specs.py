"""Which fields two specs have otherwise, leaf by leaf, each by the path that an override would name it by.

A list whose items have names is compared item by item, and any other one as a whole. Values of environment variables
are compared and never told: nobody should keep a credential in one, and some do.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from msgspec import UNSET

from penstock.api.admission import spec_schema
from penstock.api.pipeline import PipelineSpec
from penstock.api.run import PipelineRun
from penstock.api.structural import Schema, item_key
from penstock.decide.objects.children import as_json

NOT_SHOWN = "(not shown)"
_ENVIRONMENT = "env"
# What of a run's spec is in no snapshot of its Pipeline, and is not told beside it.
_OF_THE_RUN_ALONE = ("storage", "credentials", "rerunOf", "mode", "timeout")


@dataclass(frozen=True)
class FieldDifference:
    """A field that two specs have otherwise; `UNSET` where one does not have it."""

    path: str
    first: Any = UNSET
    second: Any = UNSET


def spec_differences(first: PipelineSpec, second: PipelineSpec) -> tuple[FieldDifference, ...]:
    """Return the fields that two Pipelines have otherwise."""
    return _differences(as_json(first), as_json(second), spec_schema("Pipeline"))


def request_differences(first: PipelineRun, second: PipelineRun) -> tuple[FieldDifference, ...]:
    """Return what two runs ask for otherwise, beside what is in their snapshots."""
    return _differences(_request(first), _request(second), spec_schema("PipelineRun"))


def shown_value(path: str, value: Any) -> Any:
    """Return the value of the field as it may be told to anybody."""
    parts = path.split(".")
    if parts[0] != "jobs" or value is UNSET:
        return value  # only jobs have an environment
    if _ENVIRONMENT not in parts:
        return _without_environment(value)
    return _hide_values(value) if parts[-1] == _ENVIRONMENT else NOT_SHOWN


def _request(run: PipelineRun) -> dict[str, Any]:
    found = as_json(run.spec)
    resets = [{"name": each.name, "resetTesting": each.reset_testing} for each in run.spec.jobs if each.reset_testing]
    return {name: found[name] for name in _OF_THE_RUN_ALONE if name in found} | ({"jobs": resets} if resets else {})


def _differences(first: Any, second: Any, schema: Schema) -> tuple[FieldDifference, ...]:
    found = sorted(_compare(first, second, schema, ()), key=lambda each: each.path)
    return tuple(
        replace(each, first=shown_value(each.path, each.first), second=shown_value(each.path, each.second))
        for each in found
    )


def _compare(first: Any, second: Any, schema: Schema, path: tuple[str, ...]) -> Iterator[FieldDifference]:
    """Yield the leaves beneath this field that differ; `UNSET` is a field that is not there."""
    if _is_same(first, second):
        return
    beneath = _Beneath.of(first, second, schema)
    if beneath is None:
        yield FieldDifference(".".join(path), first, second)
        return
    for name in beneath.first | beneath.second:
        there = (beneath.first.get(name, UNSET), beneath.second.get(name, UNSET))
        yield from _compare(*there, beneath.schema_of(name), (*path, name))
    orders = (
        [name for name in beneath.first if name in beneath.second],
        [name for name in beneath.second if name in beneath.first],
    )
    if beneath.is_list and orders[0] != orders[1]:
        yield FieldDifference(".".join(path), *orders)


@dataclass(frozen=True)
class _Beneath:
    """The fields, or named items, that two values have beneath them, by name."""

    first: dict[str, Any]
    second: dict[str, Any]
    schema: Schema
    is_list: bool

    @staticmethod
    def of(first: Any, second: Any, schema: Schema) -> "_Beneath | None":
        """Return what is beneath the two; None where they are to be compared as a whole."""
        values = [each for each in (first, second) if each is not UNSET]
        if all(isinstance(each, dict) for each in values):
            one, other = (each if isinstance(each, dict) else {} for each in (first, second))
            return _Beneath(one, other, schema, is_list=False) if one or other else None
        key = item_key(schema)
        if key is None or not all(_has_named_items(each, key) for each in values):
            return None
        one, other = (_items(each, key) if isinstance(each, list) else {} for each in (first, second))
        return _Beneath(one, other, schema.get("items", {}), is_list=True) if one or other else None

    def schema_of(self, name: str) -> Schema:
        found: Schema = self.schema if self.is_list else self.schema.get("properties", {}).get(name, {})
        return found


def _has_named_items(value: Any, key: str) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) and isinstance(each.get(key), str) for each in value)


def _items(value: Sequence[dict[str, Any]], key: str) -> dict[str, Any]:
    """Return the items by their names, which they then need not have themselves."""
    return {each[key]: {name: field for name, field in each.items() if name != key} for each in value}


def _is_same(first: Any, second: Any) -> bool:
    """Return whether the values mean the same: 1, 1.0 and true are three values of a hyper-parameter."""
    if UNSET in (first, second):
        return first is second
    return msgspec.json.encode(first, order="sorted") == msgspec.json.encode(second, order="sorted")


def _without_environment(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_environment(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _hide_values(each) if name == _ENVIRONMENT else _without_environment(each) for name, each in value.items()
    }


def _hide_values(variables: Any) -> Any:
    if not isinstance(variables, list):
        return NOT_SHOWN
    return [
        {"name": each["name"], "value": NOT_SHOWN} if isinstance(each, dict) and "name" in each else NOT_SHOWN
        for each in variables
    ]
