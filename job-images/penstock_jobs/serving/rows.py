"""Rows in JSON, `{"instances": [{"age": 41, …}, …]}` or lists of values: read, checked and typed.

A msgspec type is made of the Model's features, so that rows as they should be are parsed, checked and typed in one
pass. What it does not take is read again, value by value, by the rule of `values`: that either finds what it means, or
the row and the column to name.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from penstock_jobs.contract.manifest import FeatureSpec
from penstock_jobs.models.block import Block, BlockLayout
from penstock_jobs.models.inputs import column_of, means_null
from penstock_jobs.reading.values import EXACT, NEEDS
from penstock_jobs.serving.refusals import RefusedRequest, shorten
from penstock_jobs.serving.single_values import read_single_value

PLAIN = ("Integer", "Float", "Boolean")

_TYPES: dict[str, Any] = {
    "Integer": int | float,  # 41.0 is what many writers make of a whole number; see `is_doubtful`
    "Float": float,
    "Boolean": bool,
    "String": str,
    "Timestamp": datetime,
    "Date": date,
}
_A_LIST = "Expected `object`, got `array` - at `$.instances[0]`"
_UNKNOWN_FIELD = re.compile(r"Object contains unknown field `(.*)`(?: - at `\$`)?", re.DOTALL)
# Nobody reads `parameters`, so nothing is built of them: a megabyte of lists would take seconds.
_NONE = msgspec.Raw(b"null")
# msgspec writes the names of a type as they are, so it takes none that JSON would have to escape.
_ESCAPED = re.compile(r'["\\\x00-\x1f]')


class TakesLongError(Exception):
    """A body has to be read value by value, for which the reader was given no time."""


class _Body(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    instances: list[msgspec.Raw]
    parameters: msgspec.Raw = _NONE


_body = msgspec.json.Decoder(_Body)
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_list = msgspec.json.Decoder(list[msgspec.Raw])


class RowReader:
    """Reads the rows of a request body."""

    def __init__(self, features: Sequence[FeatureSpec]) -> None:
        """Make the parser of these features."""
        self._features = tuple(features)
        self._names = {feature.name: None for feature in features}
        self._layout = BlockLayout(features)
        escaped = any(_ESCAPED.search(feature.name) for feature in features)
        self._objects = None if escaped else _decoder(features, array_like=False)
        self._lists = _decoder(features, array_like=True)
        self._plain = all(feature.type in PLAIN and not feature.null_texts for feature in features)
        whole = {feature.name for feature in features if feature.type == "Integer"}
        self._whole = [position for position, name in enumerate(self._layout.numbers) if name in whole]
        self._filled = [feature for feature in features if feature.null_texts and not feature.nullable]

    def read(self, body: bytes, *, quickly: bool = False) -> Block:
        """Return the rows, or raise `RefusedRequest` with a sentence that names the row and the column.

        Args:
            body: what was sent.
            quickly: whether to raise `TakesLongError` where values have to be looked at one by one.
        """
        try:
            block = self._read_at_once(body)
            if block is None and quickly:
                raise TakesLongError
            return self._block(self._read_each(body)) if block is None else block
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise RefusedRequest(not_json_sentence(error)) from error

    def _read_at_once(self, body: bytes) -> Block | None:
        """Return the rows if each is as the parser has it and means what it says, else None."""
        try:
            parsed = self._parse(body)
            rows = parsed.instances
            if not are_parameters(parsed.parameters):
                return None
            values = [msgspec.structs.astuple(row) for row in rows]
            if not rows or (self._filled and self._has_null(values)):
                return None
            block = self._block(values)
        except (msgspec.ValidationError, OverflowError):
            return None
        if self._whole and is_doubtful(block.numbers[:, self._whole]):
            return None
        return block

    def _has_null(self, rows: Sequence[tuple[Any, ...]]) -> bool:
        """Return whether a value means null where the Model answers to none."""
        columns = dict(zip(self._names, zip(*rows, strict=True), strict=True))
        return any(means_null(feature, value) for feature in self._filled for value in columns[feature.name])

    def _parse(self, body: bytes) -> Any:
        """Return the body as its type has it: `instances`, which are rows, and `parameters`."""
        if self._objects is None:
            return self._lists.decode(self._name_no_features(body))
        try:
            return self._objects.decode(body)
        except msgspec.ValidationError as error:
            if str(error) != _A_LIST:
                raise
            return self._lists.decode(body)

    def _name_no_features(self, body: bytes) -> bytes:
        """Return the body with lists in place of objects, for names that a type of msgspec cannot have."""
        parsed = _body.decode(body)
        instances = parsed.instances
        if not instances or _is_list(instances[0]) or not are_parameters(parsed.parameters):
            return body
        rows = []
        for instance in instances:
            given = _object.decode(instance)
            if given.keys() != self._names.keys():
                raise msgspec.ValidationError
            rows.append(b"[" + b",".join([given[name] for name in self._names]) + b"]")
        return b'{"instances":[' + b",".join(rows) + b"]}"

    def _block(self, rows: Sequence[tuple[Any, ...]]) -> Block:
        if self._plain:
            return Block(np.array(rows, dtype=np.float64), np.empty((len(rows), 0), dtype=object))
        columns = zip(*rows, strict=True)
        return self._layout.block(
            {feature.name: column_of(feature, column) for feature, column in zip(self._features, columns, strict=True)}
        )

    def _read_each(self, body: bytes) -> list[tuple[Any, ...]]:
        """Return the values of each row, read one by one."""
        try:
            parsed = _body.decode(body)
        except msgspec.ValidationError as error:
            raise RefusedRequest(_sentence_outside_rows(str(error))) from error
        if not are_parameters(parsed.parameters):
            raise RefusedRequest(_sentence_outside_rows(""))
        instances = parsed.instances
        if not instances:
            raise RefusedRequest('"instances" is empty; send at least one row.')
        read = self._read_list if _is_list(instances[0]) else self._read_object
        return [read(row, instance) for row, instance in enumerate(instances)]

    def _read_object(self, row: int, instance: msgspec.Raw) -> tuple[Any, ...]:
        try:
            given = _object.decode(instance)
        except msgspec.ValidationError as error:
            raise RefusedRequest(_unlike_others(row)) from error
        unknown = next((name for name in given if name not in self._names), None)
        if unknown is not None:
            raise RefusedRequest(f'Row {row} has a column "{shorten(unknown)}", which the Model does not know.')
        present = (feature for feature in self._features if feature.name in given)
        values = tuple(_read_value(feature, row, given[feature.name]) for feature in present)
        missing = next((name for name in self._names if name not in given), None)
        if missing is not None:
            raise RefusedRequest(f'Row {row} has no column "{missing}".')
        return values

    def _read_list(self, row: int, instance: msgspec.Raw) -> tuple[Any, ...]:
        try:
            given = _list.decode(instance)
        except msgspec.ValidationError as error:
            raise RefusedRequest(_unlike_others(row)) from error
        if len(given) != len(self._features):
            raise RefusedRequest(
                f"Row {row} needs {len(self._features)} values, one a feature in their order; it has {len(given)}."
            )
        return tuple(_read_value(feature, row, value) for feature, value in zip(self._features, given, strict=True))


def _is_list(instance: msgspec.Raw) -> bool:
    return bytes(memoryview(instance)[:1]) == b"["


def are_parameters(raw: msgspec.Raw) -> bool:
    """Return whether these are parameters: an object, of which no more is looked at, or none."""
    return bytes(memoryview(raw)[:1]) in (b"{", b"n")


def is_doubtful(whole: NDArray[np.float64]) -> bool:
    """Return whether a number has a fraction, or is so large that it may have been rounded."""
    doubtful = (whole != np.floor(whole)) | (np.abs(whole) >= EXACT)
    return bool(doubtful.any()) and bool((doubtful & ~np.isnan(whole)).any())


def _read_value(feature: FeatureSpec, row: int, raw: msgspec.Raw) -> Any:
    try:
        value = msgspec.json.decode(raw)
    except msgspec.ValidationError as error:  # a number that neither Python nor a double holds
        problem = str(error)
        raise RefusedRequest(
            f'Row {row}, column "{feature.name}": needs {NEEDS[feature.type]}, got {problem[:1].lower()}{problem[1:]}.'
        ) from error
    return read_single_value(feature, row, value)


def _unlike_others(row: int) -> str:
    return f"Row {row} needs to be like the others: an object with the features, or a list of their values."


def _sentence_outside_rows(message: str) -> str:
    unknown = _UNKNOWN_FIELD.fullmatch(message)
    if unknown:
        return f'The body has a field "{shorten(unknown[1])}"; it takes "instances", a list of rows, and "parameters".'
    return 'The body needs to be an object with "instances", a list of rows.'


def not_json_sentence(error: Exception) -> str:
    """Return the sentence for a body that is no JSON."""
    if isinstance(error, RecursionError):
        return "The body is nested too deeply."
    if isinstance(error, UnicodeDecodeError):
        return "The body is not UTF-8."
    return f"The body is not JSON: {str(error).removeprefix('JSON is malformed: ')}."


def _decoder(features: Sequence[FeatureSpec], *, array_like: bool) -> msgspec.json.Decoder[Any]:
    names = [f"feature_{position}" for position in range(len(features))]
    row = msgspec.defstruct(
        "Row",
        [(name, _json_type(feature)) for name, feature in zip(names, features, strict=True)],
        rename=None if array_like else dict(zip(names, (feature.name for feature in features), strict=True)),
        forbid_unknown_fields=True,
        array_like=array_like,
        gc=False,
    )
    body = msgspec.defstruct(
        "Body",
        [("instances", list[row]), ("parameters", msgspec.Raw, _NONE)],  # type: ignore[valid-type]
        forbid_unknown_fields=True,
        gc=False,
    )
    return msgspec.json.Decoder(body)


def _json_type(feature: FeatureSpec) -> Any:
    return _TYPES[feature.type] | None if feature.nullable else _TYPES[feature.type]
