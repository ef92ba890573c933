"""From predictions to the bytes of a response, in each of the two protocols."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from penstock_jobs.models.answers import ModelPredictions
from penstock_jobs.models.loading import LoadedModel
from penstock_jobs.serving.description import has_probabilities, label_datatype, version
from penstock_jobs.serving.refusals import RefusedRequest, shorten
from penstock_jobs.serving.tensors import InferenceRequest

PREDICT, PREDICT_PROBA = "predict", "predict_proba"
_DOUBLE = 25  # bytes of the longest number, and a comma
_AROUND = 1024  # bytes of an answer of no rows, but for the names in it
# msgspec writes NaN and infinity as null, for JSON has neither.
_encoder = msgspec.json.Encoder()


class ResponseWriter:
    """Writes responses that name their Model.

    A response is written from parts, each of some of the rows, and is the pieces of its body: a large one is at no
    moment there twice.
    """

    def __init__(self, model: LoadedModel, name: str, longest: int) -> None:
        """Prepare what is the same in every response; `longest` is how many bytes one may have."""
        encode = _encoder.encode
        manifest = model.manifest
        classes = b',"classes":' + encode(list(manifest.classes)) if manifest.classes else b""
        self._start = b'{"model":' + encode(manifest.name) + classes + b',"predictions":'
        self._tensors_start = b'{"model_name":%s,"model_version":%s,"outputs":[' % (
            encode(name),
            encode(version(model)),
        )
        self._tensors_end = b',"parameters":{"model":%s}}' % encode(manifest.name)
        # Whether a Model without samples has probabilities is seen when it answers.
        certain = not manifest.classes or (bool(manifest.samples) and not has_probabilities(model))
        self._names = (PREDICT,) if certain else (PREDICT, PREDICT_PROBA)
        self._datatypes = {PREDICT: label_datatype(model).encode(), PREDICT_PROBA: b"FP64"}
        label = max((len(encode(value)) + 1 for value in manifest.classes), default=_DOUBLE)
        self._row_bytes = {PREDICT: label, PREDICT_PROBA: _DOUBLE * len(manifest.classes) + 2}
        self._longest = longest

    def outputs(self, request: InferenceRequest) -> tuple[str, ...]:
        """Return the names of the outputs that are asked for: all, or those that the request names."""
        if not request.outputs:
            return self._names
        names = tuple(output.name for output in request.outputs)
        unknown = next((name for name in names if name not in self._names), None)
        if unknown is not None:
            raise RefusedRequest(f'There is no output "{shorten(unknown)}"; there is {" and ".join(self._names)}.')
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise RefusedRequest(f'The output "{twice}" is asked for twice; name each once.')
        return names

    def require_short(self, rows: int, outputs: Iterable[str] | None = None) -> None:
        """Refuse so many rows where the answer, of these outputs or all, would be larger than one may be."""
        size = sum(self._row_bytes[name] for name in (self._names if outputs is None else outputs))
        most = max(1, (self._longest - _AROUND) // size)
        if rows > most:
            raise RefusedRequest(
                f"The answer to {rows} rows may be larger than {self._longest} bytes; send at most {most} at once.",
                413,
            )

    def rows(self, parts: Sequence[ModelPredictions]) -> list[bytes]:
        """Return the response to rows."""
        body = [self._start, *_list_of([part.labels for part in parts])]
        probabilities = [part.probabilities for part in parts if part.probabilities is not None]
        if probabilities:
            body += [b',"probabilities":', *_list_of(probabilities)]
        return [*body, b"}"]

    def tensors(
        self, request: InferenceRequest, outputs: Sequence[str], parts: Sequence[ModelPredictions]
    ) -> list[bytes]:
        """Return the response to tensors, with these outputs."""
        body = [self._tensors_start]
        for name in outputs:
            values = [part.labels if name == PREDICT else part.probabilities for part in parts]
            found = [value for value in values if value is not None]
            if found:
                body += [b"," if len(body) > 1 else b"", *self._tensor(name, found)]
        identity = b"" if request.id is None else b',"id":' + _encoder.encode(request.id)
        return [*body, b"]" + identity + self._tensors_end]

    def _tensor(self, name: str, parts: Sequence[NDArray[Any]]) -> list[bytes]:
        shape = [sum(len(part) for part in parts), *parts[0].shape[1:]]
        start = b'{"name":"%s","datatype":"%s","shape":%s,"data":'
        head = start % (name.encode(), self._datatypes[name], _encoder.encode(shape))
        return [head, *_list_of([np.ravel(part) for part in parts]), b"}"]


def _list_of(parts: Sequence[NDArray[Any]]) -> list[bytes]:
    """Return the JSON list of all values, in pieces."""
    texts = [_encoder.encode(part.tolist()) for part in parts]
    if len(texts) == 1:
        return texts
    pieces = [b"["]
    for text in texts:
        pieces += [text[1:-1], b","]
    return [*pieces[:-1], b"]"]
