"""Requests of the Open Inference Protocol v2: a tensor for each feature, or one matrix for a Model of numbers only.

https://kserve.github.io/website/docs/concepts/architecture/data-plane/v2-protocol (REST)
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from penstock_jobs.contract.manifest import FeatureSpec
from penstock_jobs.models.block import Block, BlockLayout
from penstock_jobs.models.inputs import Columns, column_of, without_null_numbers
from penstock_jobs.serving.refusals import RefusedRequest, shorten
from penstock_jobs.serving.rows import PLAIN, TakesLongError, are_parameters, is_doubtful, not_json_sentence
from penstock_jobs.serving.single_values import read_single_value

_FLOATS = ("FP64", "FP32", "FP16")
_INTEGERS = ("INT64", "INT32", "INT16", "INT8", "UINT64", "UINT32", "UINT16", "UINT8")
_ALLOWED: dict[str, tuple[str, ...]] = {
    "Integer": (*_INTEGERS, *_FLOATS),
    "Float": (*_FLOATS, *_INTEGERS),
    "Boolean": ("BOOL",),
    "String": ("BYTES",),
    "Timestamp": ("BYTES",),
    "Date": ("BYTES",),
}
DATATYPES = {
    "Integer": "INT64",
    "Float": "FP64",
    "Boolean": "BOOL",
    "String": "BYTES",
    "Timestamp": "BYTES",
    "Date": "BYTES",
}
_LONGEST_DATATYPE, _MOST_DIMENSIONS = 16, 8  # of a tensor that a sentence may show
_VALUES: dict[str, Any] = {"Timestamp": datetime, "Date": date, "String": str, "Boolean": bool}


_NONE = msgspec.Raw(b"null")  # of parameters, which nobody reads: nothing is built of them


class _OtherTypeError(RefusedRequest):
    """A value is of another type than its datatype says."""


class Tensor(msgspec.Struct, gc=False):
    """One input. `data` is row-major, flat or nested; it is parsed once its datatype is known."""

    name: str
    shape: list[int]
    datatype: str
    data: msgspec.Raw
    parameters: msgspec.Raw = _NONE


class RequestedOutput(msgspec.Struct, gc=False):
    """An output that the client asks for, by name."""

    name: str
    parameters: msgspec.Raw = _NONE


class InferenceRequest(msgspec.Struct, gc=False):
    """The body of `/v2/models/NAME/infer`."""

    inputs: list[Tensor]
    id: str | None = None
    parameters: msgspec.Raw = _NONE
    outputs: list[RequestedOutput] | None = None


class TensorReader:
    """Reads the tensors of a request body."""

    def __init__(self, features: Sequence[FeatureSpec]) -> None:
        """Make the parser of these features."""
        self._features = {feature.name: feature for feature in features}
        self._layout = BlockLayout(features)
        self._plain = all(feature.type in PLAIN for feature in features)
        # Where any number is right but a null, looking for one is all there is to check.
        self._free = all(feature.type == "Float" and not feature.null_texts for feature in features)
        self._request = msgspec.json.Decoder(InferenceRequest)
        self._numbers = msgspec.json.Decoder(list[float | None])

    def read(self, body: bytes, *, quickly: bool = False) -> tuple[InferenceRequest, Block]:
        """Return the request and its rows, or raise `RefusedRequest` with a sentence that names the tensor.

        Args:
            body: what was sent.
            quickly: whether to raise `TakesLongError` where values have to be looked at one by one.
        """
        try:
            request = self._request.decode(body)
        except msgspec.ValidationError as error:
            raise RefusedRequest(f"The body is no inference request: {_plain_words(str(error))}.") from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise RefusedRequest(not_json_sentence(error)) from error
        inputs = request.inputs
        if not are_parameters(request.parameters):
            raise RefusedRequest('The body is no inference request: "parameters" needs to be an object.')
        for tensor in inputs:
            self._require_plain(tensor)
        if len(inputs) == 1 and len(inputs[0].shape) == 2 and self._is_matrix(inputs[0]):
            return request, self._matrix(inputs[0], quickly)
        return request, self._layout.block(self._columns(inputs, quickly))

    def _require_plain(self, tensor: Tensor) -> None:
        """Refuse a tensor of which a sentence could not say what it is, and shorten a name that no feature has."""
        if tensor.name not in self._features:
            tensor.name = shorten(tensor.name)
        if len(tensor.datatype) > _LONGEST_DATATYPE:
            raise RefusedRequest(f'Tensor "{tensor.name}" has datatype {shorten(tensor.datatype)}, which is none.')
        if len(tensor.shape) > _MOST_DIMENSIONS:
            raise RefusedRequest(
                f'Tensor "{tensor.name}" has {len(tensor.shape)} dimensions; it needs [rows] or [rows, 1].'
            )

    def _is_matrix(self, tensor: Tensor) -> bool:
        return self._plain and (tensor.shape[1] != 1 or tensor.name not in self._features)

    def _matrix(self, tensor: Tensor, quickly: bool) -> Block:
        rows, width = tensor.shape
        if width != len(self._features):
            raise RefusedRequest(
                f'Tensor "{tensor.name}" has {width} columns; the Model has {len(self._features)} features.'
            )
        if tensor.datatype not in (*_FLOATS, *_INTEGERS):
            raise RefusedRequest(
                f'Tensor "{tensor.name}" has datatype {tensor.datatype}; '
                "a matrix of all features needs FP64, FP32 or INT64."
            )
        values = self._flatten(tensor, float, rows * width)
        matrix = np.array(values, dtype=np.float64).reshape(rows, width)
        if not self._free or np.isnan(matrix).any():
            exact = cache(lambda: self._flatten(tensor, Any, rows * width))
            for place, feature in enumerate(self._features.values()):
                matrix[:, place] = without_null_numbers(feature, matrix[:, place])
                self._check(feature, matrix[:, place], exact, slice(place, None, width), quickly)
        return Block(matrix, np.empty((rows, 0), dtype=object))

    def _columns(self, inputs: list[Tensor], quickly: bool) -> Columns:
        given = {tensor.name: tensor for tensor in inputs}
        if len(given) != len(inputs):
            raise RefusedRequest("Two input tensors have the same name.")
        unknown = [name for name in given if name not in self._features]
        if unknown:
            raise RefusedRequest(f'There is a tensor "{unknown[0]}", which is no feature of the Model.')
        absent = [name for name in self._features if name not in given]
        if absent:
            raise RefusedRequest(f'There is no tensor for the feature "{absent[0]}".')
        lengths = {tensor.shape[0] if tensor.shape else 0 for tensor in inputs}
        if len(lengths) > 1:
            raise RefusedRequest(f"The tensors have different numbers of rows: {', '.join(map(str, sorted(lengths)))}.")
        return {name: self._column(feature, given[name], quickly) for name, feature in self._features.items()}

    def _column(self, feature: FeatureSpec, tensor: Tensor, quickly: bool) -> NDArray[Any]:
        if len(tensor.shape) not in (1, 2) or (len(tensor.shape) == 2 and tensor.shape[1] != 1):
            raise RefusedRequest(f'Tensor "{tensor.name}" has shape {tensor.shape}; it needs [rows] or [rows, 1].')
        if tensor.datatype not in _ALLOWED[feature.type]:
            raise RefusedRequest(
                f'Tensor "{tensor.name}" has datatype {tensor.datatype}; '
                f"a feature of type {feature.type} needs {DATATYPES[feature.type]}."
            )
        try:
            values = self._flatten(tensor, _VALUES.get(feature.type, float), tensor.shape[0])
        except _OtherTypeError:
            return column_of(feature, self._read_each(feature, tensor, quickly))
        if feature.null_texts and not feature.nullable:
            return column_of(feature, self._read_each(feature, tensor, quickly))
        column = column_of(feature, values)
        if feature.type in PLAIN:
            exact = cache(lambda: self._flatten(tensor, Any, tensor.shape[0]))
            self._check(feature, column, exact, slice(None), quickly)
        return column

    def _read_each(self, feature: FeatureSpec, tensor: Tensor, quickly: bool) -> list[Any]:
        """Return the values read one by one, by the rule of `values`, or refuse the first that is none."""
        if quickly:
            raise TakesLongError
        values = self._flatten(tensor, Any, tensor.shape[0])
        return [read_single_value(feature, row, value) for row, value in enumerate(values)]

    def _flatten(self, tensor: Tensor, kind: Any, count: int) -> list[Any]:
        if min(tensor.shape, default=0) < 1:
            raise RefusedRequest(f'Tensor "{tensor.name}" has shape {tensor.shape}; send at least one row.')
        values = self._decode(tensor, kind)
        if values and isinstance(values[0], list):
            values = [value for row in values for value in row]
        if len(values) != count:
            raise RefusedRequest(
                f'Tensor "{tensor.name}" has {len(values)} values; its shape {tensor.shape} needs {count}.'
            )
        nullable = tensor.name not in self._features or self._features[tensor.name].nullable
        if not nullable and None in values:
            raise RefusedRequest(
                f'Row {values.index(None)}, tensor "{tensor.name}": null, which the Model cannot answer to.'
            )
        return values

    def _check(
        self,
        feature: FeatureSpec,
        column: NDArray[np.float64],
        exact: Callable[[], list[Any]],
        part: slice,
        quickly: bool,
    ) -> None:
        """Refuse a null where there may be none, a boolean that is neither 0 nor 1, and what is no whole number.

        Args:
            feature: what the column is of.
            column: as it was parsed, to doubles.
            exact: reads the tensor's values again, as they were written: a double may have rounded some.
            part: which of those are the column's.
            quickly: whether to raise `TakesLongError` where they have to be looked at one by one.
        """
        null = np.isnan(column)
        if not feature.nullable and null.any():
            raise RefusedRequest(
                f'Row {int(null.argmax())}, column "{feature.name}": null, which the Model cannot answer to.'
            )
        if feature.type == "Boolean":
            broken = (column != 0) & (column != 1) & ~null
            if broken.any():
                row = int(broken.argmax())
                raise RefusedRequest(f'Row {row}, column "{feature.name}": needs 0 or 1, got {column[row]:g}.')
        elif feature.type == "Integer" and is_doubtful(column):
            if quickly:
                raise TakesLongError
            for row, value in enumerate(exact()[part]):
                read_single_value(feature, row, value)

    def _decode(self, tensor: Tensor, kind: Any) -> list[Any]:
        flat, nested = list[kind | None], list[list[kind | None]]
        # Anything is a list of anything: only the other way round is a nested one told from a flat one.
        shapes = (nested, flat) if kind is Any else (flat, nested)
        try:
            if kind is float:
                return self._numbers.decode(tensor.data)
            return msgspec.json.decode(tensor.data, type=shapes[0])
        except msgspec.ValidationError as error:
            try:
                return msgspec.json.decode(tensor.data, type=shapes[1])
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                sentence = f'Tensor "{tensor.name}" of datatype {tensor.datatype}: {_plain_words(str(error))}.'
                raise _OtherTypeError(sentence) from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise RefusedRequest(not_json_sentence(error)) from error


def _plain_words(message: str) -> str:
    problem, _, where = message.partition(" - at ")
    words = problem[:1].lower() + problem[1:].replace("`", '"')
    return f"{words} at {where.replace('`', '').removeprefix('$').removeprefix('.')}" if where else words
