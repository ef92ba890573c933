"""Rows in JSON, `{"instances": [{"age": 41, …}, …]}` or lists of values: read, checked and typed in one pass.

A msgspec type is made of the Model's features, so that a wrong row is refused while it is parsed, by name and number,
and nothing is looked at twice.
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
from penstock_jobs.models.inputs import column_of
from penstock_jobs.serving.refusals import RefusedRequest

PLAIN = ("Integer", "Float", "Boolean")

_TYPES: dict[str, Any] = {
    "Integer": int | float,  # 41.0 is what many writers make of a whole number; see `_check_whole`
    "Float": float,
    "Boolean": bool,
    "String": str,
    "Timestamp": datetime,
    "Date": date,
}
_NEEDS = {
    "Integer": "a whole number",
    "Float": "a number",
    "Boolean": "true or false",
    "String": "a string",
    "Timestamp": 'a date and time in a string, as "2026-01-31T12:00:00Z"',
    "Date": 'a date in a string, as "2026-01-31"',
}
_GOT = {
    "int": "a whole number",
    "float": "a number with a fraction",
    "str": "a string",
    "bool": "true or false",
    "null": "null",
    "array": "a list",
    "object": "an object",
}
_AT_ROW = re.compile(r" - at `\$\.instances\[(\d+)\](?:\.(.*)|\[(\d+)\])?`$", re.DOTALL)
_A_LIST = "Expected `object`, got `array` - at `$.instances[0]`"
_BACKTICKED = re.compile(r"`([^`]*)`")


class RowReader:
    """Reads the rows of a request body."""

    def __init__(self, features: Sequence[FeatureSpec]) -> None:
        """Make the parser of these features."""
        self._features = tuple(features)
        self._layout = BlockLayout(features)
        self._objects = _decoder(features, array_like=False)
        self._lists = _decoder(features, array_like=True)
        self._plain = all(feature.type in PLAIN for feature in features)
        self._whole = [position for position, feature in enumerate(features) if feature.type == "Integer"]

    def read(self, body: bytes) -> Block:
        """Return the rows, or raise `RefusedRequest` with a sentence that names the row and the column."""
        rows = self._rows(body)
        if not rows:
            raise RefusedRequest('"instances" is empty; send at least one row.')
        values = [msgspec.structs.astuple(row) for row in rows]
        if self._plain:
            return Block(self._matrix(values), np.empty((len(values), 0), dtype=object))
        columns = {}
        for feature, column in zip(self._features, zip(*values, strict=True), strict=True):
            columns[feature.name] = self._column(feature, column)
        if self._whole:
            self._check_whole(np.array([columns[self._features[position].name] for position in self._whole]))
        return self._layout.block(columns)

    @staticmethod
    def _column(feature: FeatureSpec, values: tuple[Any, ...]) -> NDArray[Any]:
        try:
            return column_of(feature, values)
        except OverflowError as error:
            raise RefusedRequest(f'A number in column "{feature.name}" is larger than a double can hold.') from error

    def _matrix(self, values: list[tuple[Any, ...]]) -> NDArray[np.float64]:
        try:
            matrix = np.array(values, dtype=np.float64)
        except OverflowError as error:
            raise RefusedRequest("A number is larger than a double can hold.") from error
        if self._whole:
            self._check_whole(matrix[:, self._whole].T)
        return matrix

    def _check_whole(self, columns: NDArray[np.float64]) -> None:
        broken = (columns != np.floor(columns)) & ~np.isnan(columns)
        if broken.any():
            feature, row = (int(place[0]) for place in np.nonzero(broken))
            name = self._features[self._whole[feature]].name
            raise RefusedRequest(f'Row {row}, column "{name}": needs a whole number, got {columns[feature, row]:g}.')

    def _rows(self, body: bytes) -> list[msgspec.Struct]:
        rows: list[msgspec.Struct]
        try:
            try:
                rows = self._objects.decode(body).instances
            except msgspec.ValidationError as error:
                if str(error) != _A_LIST:
                    raise
                rows = self._lists.decode(body).instances
        except msgspec.ValidationError as error:
            raise RefusedRequest(self._sentence(str(error))) from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError) as error:
            raise RefusedRequest(not_json_sentence(error)) from error
        return rows

    def _sentence(self, message: str) -> str:
        """Return msgspec's message as a sentence that names row and column."""
        where = _AT_ROW.search(message)
        problem = message[: where.start()] if where else message.partition(" - at ")[0]
        names = _BACKTICKED.findall(problem)
        if where is None:
            return self._sentence_outside_rows(problem, names)
        row, name, position = where.groups()
        if position is not None:
            name = self._features[int(position)].name
        if name is not None:
            return f'Row {row}, column "{name}": {self._wrong_value(name, problem, names)}.'
        if problem.startswith("Object missing"):
            return f'Row {row} has no column "{names[0]}".'
        if problem.startswith("Object contains unknown"):
            return f'Row {row} has a column "{names[0]}", which the Model does not know.'
        if problem.startswith("Expected `array` of"):
            return f"Row {row} needs {len(self._features)} values, one a feature in their order; {problem[17:]}."
        return f"Row {row} needs to be like the others: an object with the features, or a list of their values."

    def _wrong_value(self, name: str, problem: str, names: list[str]) -> str:
        kind = next((feature.type for feature in self._features if feature.name == name), None)
        if kind is None:
            return problem
        got = names[1] if len(names) > 1 else ""
        found = _GOT.get(got, got) if got else problem[:1].lower() + problem[1:].rstrip(".")
        return f"needs {_NEEDS[kind]}, got {found}"

    def _sentence_outside_rows(self, problem: str, names: list[str]) -> str:
        if problem.startswith("Object contains unknown"):
            return f'The body has a field "{names[0]}"; it takes "instances", a list of rows, and "parameters".'
        if problem.startswith("Expected `array` of"):
            return f"A row needs {len(self._features)} values, one a feature in their order."
        return 'The body needs to be an object with "instances", a list of rows.'


def not_json_sentence(error: Exception) -> str:
    """Return the sentence for a body that is no JSON."""
    if isinstance(error, RecursionError):
        return "The body is nested too deeply."
    if isinstance(error, UnicodeDecodeError):
        return "The body is not UTF-8."
    return f"The body is not JSON: {str(error).removeprefix('JSON is malformed: ')}."


def feature_type(feature: FeatureSpec) -> Any:
    """Return the Python type that a feature has in JSON."""
    return _TYPES[feature.type] | None if feature.nullable else _TYPES[feature.type]


def _decoder(features: Sequence[FeatureSpec], *, array_like: bool) -> msgspec.json.Decoder[Any]:
    fields = [(f"feature_{position}", feature_type(feature)) for position, feature in enumerate(features)]
    row = msgspec.defstruct(
        "Row",
        fields,
        rename={f"feature_{position}": feature.name for position, feature in enumerate(features)},
        forbid_unknown_fields=True,
        array_like=array_like,
        gc=False,
    )
    body = msgspec.defstruct(
        "Body",
        [("instances", list[row]), ("parameters", dict[str, Any] | None, None)],  # type: ignore[valid-type]
        forbid_unknown_fields=True,
        gc=False,
    )
    return msgspec.json.Decoder(body)
