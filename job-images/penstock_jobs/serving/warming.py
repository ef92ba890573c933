"""The recorded samples, through the whole path of a request, as rows and as tensors, must get the recorded answers.

A server asks them before it is ready: it warms every cache on the way, and finds out a runtime that computes otherwise
than the one that recorded them. Whoever saves a Model asks them before it is one: what no server could start or answer
is not a Model.
"""

import asyncio
from time import perf_counter
from typing import Any

import msgspec

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.manifest import Sample
from penstock_jobs.models.loading import LoadedModel
from penstock_jobs.serving.application import Application
from penstock_jobs.serving.description import tensor
from penstock_jobs.serving.messages import HttpRequest
from penstock_jobs.serving.rehearsal import require_servable

# Of a probability, or of a predicted number: what other processors and library versions may change.
TOLERANCE = 1e-5


def rehearse(model: LoadedModel) -> None:
    """Do what a server of the Model does before it is ready; refuse, in a sentence, what would not start."""
    require_servable(model.manifest.features)
    warm(Application(model, model.manifest.name), model, model.manifest.name)


def warm(application: Application, model: LoadedModel, name: str) -> None:
    """Answer every recorded sample, more than once; refuse to serve when an answer is not the recorded one."""
    for number, sample in enumerate(model.manifest.samples):
        rows = msgspec.json.encode({"instances": [sample.row]})
        inputs = [tensor(feature, sample.row[feature.name]) for feature in model.manifest.features]
        tensors = msgspec.json.encode({"inputs": inputs})
        for path, body, read in (
            (f"/v1/models/{name}:predict", rows, _read_rows),
            (f"/v1/models/{name}:predict", rows, _read_rows),
            (f"/v2/models/{name}/infer", tensors, _read_tensors),
        ):
            status, answer = asyncio.run(ask_application(application, path, body))
            found = msgspec.json.decode(answer)
            if status != 200:
                raise Refused(f"The Model {model.manifest.name} refuses its recorded sample {number}: {found['error']}")
            prediction, probabilities = read(found)
            if not _agrees(model, sample, prediction, probabilities):
                raise Refused(
                    f"The Model {model.manifest.name} answers {prediction} to its recorded sample {number}, where "
                    f"{sample.prediction} was recorded; this runtime computes otherwise, so it does not serve."
                )


def _read_rows(answer: dict[str, Any]) -> tuple[Any, list[float]]:
    return answer["predictions"][0], answer.get("probabilities", [[]])[0]


def _read_tensors(answer: dict[str, Any]) -> tuple[Any, list[float]]:
    outputs = {output["name"]: output["data"] for output in answer["outputs"]}
    return outputs["predict"][0], outputs.get("predict_proba", [])


def _agrees(model: LoadedModel, sample: Sample, prediction: Any, probabilities: list[float]) -> bool:
    if model.manifest.task == "Regression":
        return bool(abs(prediction - sample.prediction) <= TOLERANCE * max(1.0, abs(sample.prediction)))
    if not sample.probabilities:
        return bool(prediction == sample.prediction)
    near = all(
        abs(ours - theirs) <= TOLERANCE for ours, theirs in zip(probabilities, sample.probabilities, strict=True)
    )
    # Another threshold than the manifest's may mean another class.
    return near and (prediction == sample.prediction or model.threshold != model.manifest.threshold)


async def ask_application(application: Application, path: str, body: bytes, method: str = "POST") -> tuple[int, bytes]:
    """Return the status and the body of an answer, without a socket."""
    request = HttpRequest(method, path, started=perf_counter(), body=body)
    takes = application.takes_body(request)
    answer = await application.answer(request) if takes else application.answer_page(request)
    return answer.status, b"".join(answer.body)
