"""From predictions to the bytes of a response, in each of the two protocols."""

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from penstock_jobs.models.answers import ModelPredictions
from penstock_jobs.models.loading import LoadedModel
from penstock_jobs.serving.description import label_datatype, version
from penstock_jobs.serving.refusals import RefusedRequest
from penstock_jobs.serving.tensors import InferenceRequest

# msgspec writes NaN and infinity as null, for JSON has neither.
_encoder = msgspec.json.Encoder()


class ResponseWriter:
    """Writes responses that name their Model."""

    def __init__(self, model: LoadedModel, name: str) -> None:
        """Prepare what is the same in every response."""
        classes = b',"classes":' + _encoder.encode(list(model.manifest.classes)) if model.manifest.classes else b""
        self._start = b'{"model":' + _encoder.encode(model.manifest.name) + classes + b',"predictions":'
        self._name = name
        self._version = version(model)
        self._datatype = label_datatype(model)
        self._manifest_name = model.manifest.name

    def rows(self, predictions: ModelPredictions) -> bytes:
        """Return the response to rows."""
        body = self._start + _encoder.encode(predictions.labels.tolist())
        if predictions.probabilities is not None:
            body += b',"probabilities":' + _encoder.encode(predictions.probabilities.tolist())
        return body + b"}"

    def tensors(self, request: InferenceRequest, predictions: ModelPredictions) -> bytes:
        """Return the response to tensors: all outputs, or those that were asked for."""
        outputs = [_tensor("predict", self._datatype, predictions.labels)]
        if predictions.probabilities is not None:
            outputs.append(_tensor("predict_proba", "FP64", predictions.probabilities))
        if request.outputs:
            known = {output["name"]: output for output in outputs}
            unknown = [output.name for output in request.outputs if output.name not in known]
            if unknown:
                raise RefusedRequest(f'There is no output "{unknown[0]}"; there is {" and ".join(known)}.')
            outputs = [known[output.name] for output in request.outputs]
        answer: dict[str, Any] = {"model_name": self._name, "model_version": self._version, "outputs": outputs}
        if request.id is not None:
            answer["id"] = request.id
        answer["parameters"] = {"model": self._manifest_name}
        return _encoder.encode(answer)


def _tensor(name: str, datatype: str, values: NDArray[Any]) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": list(values.shape), "data": np.ravel(values).tolist()}
