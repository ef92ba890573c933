"""Before a server is ready: the recorded samples, through the whole path of a request, must get the recorded answers.

It warms every cache on the way, and finds out a runtime that computes otherwise than the one that recorded them.
"""

import asyncio
from typing import Any

import msgspec

from penstock_jobs.contract.errors import Refused
from penstock_jobs.models.loading import LoadedModel
from penstock_jobs.serving.application import Application

# Of a probability, or of a predicted number: what other processors and library versions may change.
TOLERANCE = 1e-5


def warm(application: Application, model: LoadedModel, name: str) -> None:
    """Answer every recorded sample, twice; refuse to serve when an answer is not the recorded one."""
    for number, sample in enumerate(model.manifest.samples):
        body = msgspec.json.encode({"instances": [sample.row]})
        for _ in range(2):
            status, answer = asyncio.run(ask_application(application, f"/v1/models/{name}:predict", body))
        found = msgspec.json.decode(answer)
        if status != 200:
            raise Refused(f"The Model {model.manifest.name} refuses its recorded sample {number}: {found['error']}")
        if not _agrees(model, found, sample.prediction, sample.probabilities):
            raise Refused(
                f"The Model {model.manifest.name} answers {found['predictions'][0]} to its recorded sample {number}, "
                f"where {sample.prediction} was recorded; this runtime computes otherwise, so it does not serve."
            )


def _agrees(model: LoadedModel, found: dict[str, Any], prediction: Any, probabilities: tuple[float, ...]) -> bool:
    [answer] = found["predictions"]
    if model.manifest.task == "Regression":
        return bool(abs(answer - prediction) <= TOLERANCE * max(1.0, abs(prediction)))
    if not probabilities:
        return bool(answer == prediction)
    near = all(
        abs(ours - theirs) <= TOLERANCE for ours, theirs in zip(found["probabilities"][0], probabilities, strict=True)
    )
    # Another threshold than the manifest's may mean another class.
    return near and (answer == prediction or model.threshold != model.manifest.threshold)


async def ask_application(application: Application, path: str, body: bytes, method: str = "POST") -> tuple[int, bytes]:
    """Return the status and the body of an answer, without a socket."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await application({"type": "http", "method": method, "path": path, "headers": []}, receive, send)
    return sent[0]["status"], sent[1]["body"]
