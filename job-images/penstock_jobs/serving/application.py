"""What is answered: a handful of routes, found in a dictionary; every answer is JSON and names the Model.

A body that is small, and as it should be, is read on the event loop, and its rows are answered together with those of
others. All else goes to one thread, a request at a time and a slice of rows at a time: health is answered meanwhile,
and two large requests never need their memory at once.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import msgspec

from penstock_jobs.contract.errors import Refused
from penstock_jobs.logs import log
from penstock_jobs.models.answers import ModelPredictions
from penstock_jobs.models.block import Block
from penstock_jobs.models.loading import LoadedModel
from penstock_jobs.serving import description
from penstock_jobs.serving.answering import ResponseWriter
from penstock_jobs.serving.batcher import Batcher
from penstock_jobs.serving.limits import ServerLimits
from penstock_jobs.serving.messages import JSON, HttpAnswer, HttpRequest, error_body, refusal_answer
from penstock_jobs.serving.metrics import ServerMetrics
from penstock_jobs.serving.refusals import RefusedRequest, shorten, wrong_method
from penstock_jobs.serving.rows import RowReader, TakesLongError
from penstock_jobs.serving.tensors import TensorReader

SMALL = 128 << 10  # bytes of a body that is read on the event loop, where its parser takes it at once
_TINY = 8 << 10  # bytes of one that is read there value by value too
_SLICE = 4096  # rows that a large request has answered at once
_PAGE, _INFERENCE = "GET, HEAD", "POST"


@dataclass(frozen=True)
class _Asked:
    """The rows of a request, and how its response is written from the answers to some of them each."""

    block: Block
    write: Callable[[list[ModelPredictions]], list[bytes]]


_Read = Callable[[bytes, bool], _Asked]


class Application:
    """Serves one Model.

    Attributes:
        draining: set when the server was asked to end; it is then no longer ready, and still answers.
        limits: what it takes from its clients.
        identity: the header lines of every answer that name the Model.
    """

    def __init__(self, model: LoadedModel, name: str, limits: ServerLimits | None = None) -> None:
        """Take the Model, the name it is served under, and the limits."""
        self.draining = False
        self.limits = limits or ServerLimits()
        self._model = model
        self._name = name
        self._rows = RowReader(model.manifest.features)
        self._tensors = TensorReader(model.manifest.features)
        self._answers = ResponseWriter(model, name, self.limits.answer_bytes)
        self._batcher = Batcher(model.predict_block)
        self._aside = ThreadPoolExecutor(1, thread_name_prefix="large-requests")
        self.reset_metrics()
        self.identity = f"penstock-model: {model.manifest.name}\r\npenstock-model-digest: {model.digest}\r\n".encode()
        self._inference: dict[str, _Read] = {
            f"/v1/models/{name}:predict": self._read_rows,
            f"/v2/models/{name}/infer": self._read_tensors,
        }
        self._pages = self._static_pages()
        self._ready = ("/v2/health/ready", f"/v2/models/{name}/ready")

    def reset_metrics(self) -> None:
        """Count from now on: what warming asked is nobody's request."""
        manifest = self._model.manifest
        self._batcher.runs = 0
        self.metrics = ServerMetrics(
            {"name": self._name, "model": manifest.name, "version": description.version(self._model)},
            lambda: self._batcher.runs,
        )

    def takes_body(self, request: HttpRequest) -> bool:
        """Return whether the request is one for predictions, so that its body is to be read."""
        return request.method == _INFERENCE and request.path in self._inference

    def answer_page(self, request: HttpRequest) -> HttpAnswer:
        """Return the answer to a request that takes no body: at once, whatever else is going on."""
        started = perf_counter()
        self.metrics.in_flight.inc()
        route, answer = "other", None
        try:
            if request.path in self._inference:
                route = "infer"
                raise wrong_method(request.path, request.method, _INFERENCE)
            route, answer = self._page(request)
        except RefusedRequest as refusal:
            answer = refusal_answer(refusal)
        finally:
            self.metrics.in_flight.dec()
        self.metrics.count_answer(route, answer.status, perf_counter() - started)
        return answer

    def refuse(self, refusal: RefusedRequest) -> HttpAnswer:
        """Return the answer to what could not be read as a request, which is counted too."""
        self.metrics.count_answer("other", refusal.status, 0.0)
        return refusal_answer(refusal)

    async def answer(self, request: HttpRequest) -> HttpAnswer:
        """Return the answer to a request with a body, that for predictions."""
        self.metrics.in_flight.inc()
        try:
            answer = HttpAnswer(200, await self._predict(self._inference[request.path], request.body))
        except RefusedRequest as refusal:
            answer = refusal_answer(refusal)
        except Refused as refusal:
            answer = HttpAnswer(400, [error_body(str(refusal))])
        except Exception:
            # Whatever it is, the client gets a sentence and the log the traceback.
            log.exception("A request to %s failed.", request.path)
            answer = HttpAnswer(500, [error_body("The server failed to answer; its log says why.")])
        finally:
            self.metrics.in_flight.dec()
        self.metrics.count_answer("infer", answer.status, perf_counter() - request.started)
        return answer

    async def _predict(self, read: _Read, body: bytes) -> list[bytes]:
        asked = self._read_quickly(read, body) if len(body) <= SMALL else None
        if asked is None or asked.block.rows > _SLICE:
            loop = asyncio.get_running_loop()
            rows, answer = await loop.run_in_executor(self._aside, self._answer_aside, read, body, asked)
        else:
            rows, answer = asked.block.rows, asked.write([await self._batcher.answer(asked.block)])
        self.metrics.rows.inc(rows)
        return answer

    def _read_quickly(self, read: _Read, body: bytes) -> _Asked | None:
        """Return the rows, or None where the event loop has no time for such a body."""
        try:
            return read(body, len(body) > _TINY)
        except TakesLongError:
            return None

    def _answer_aside(self, read: _Read, body: bytes, asked: _Asked | None) -> tuple[int, list[bytes]]:
        """Return how many rows there are, and the answer to them."""
        self._require_few_marks(body)
        asked = asked or read(body, False)
        block = asked.block
        starts = range(0, block.rows, _SLICE)
        slices = (Block(block.numbers[at : at + _SLICE], block.texts[at : at + _SLICE]) for at in starts)
        self._batcher.runs += len(starts)
        return block.rows, asked.write([self._model.predict_block(rows) for rows in slices])

    def _require_few_marks(self, body: bytes) -> None:
        """Refuse a body before it is read into far more memory than it is: each value has one of these before it."""
        most = self.limits.body_marks
        if len(body) > most and sum(map(body.count, (b",", b"[", b"{"))) > most:
            raise RefusedRequest(
                f"The body has more than {most} commas and opening brackets, so too many values; "
                "send fewer rows at once.",
                413,
            )

    def _read_rows(self, body: bytes, quickly: bool) -> _Asked:
        block = self._rows.read(body, quickly=quickly)
        self._answers.require_short(block.rows)
        return _Asked(block, self._answers.rows)

    def _read_tensors(self, body: bytes, quickly: bool) -> _Asked:
        request, block = self._tensors.read(body, quickly=quickly)
        outputs = self._answers.outputs(request)
        self._answers.require_short(block.rows, outputs)
        return _Asked(block, lambda parts: self._answers.tensors(request, outputs, parts))

    def _page(self, request: HttpRequest) -> tuple[str, HttpAnswer]:
        """Return (route, answer) of anything but inference."""
        path = request.path
        route, answer = self._found(path)
        if answer is None:
            raise RefusedRequest(self._not_found(path), 404)
        if request.method not in ("GET", "HEAD"):
            raise wrong_method(shorten(path), request.method, _PAGE)
        return route, answer

    def _found(self, path: str) -> tuple[str, HttpAnswer | None]:
        if path == "/metrics":
            return "metrics", HttpAnswer(200, [self.metrics.text()], b"text/plain; version=0.0.4; charset=utf-8")
        if path in self._ready:
            ready = not self.draining
            body = b'{"ready":%s}' % (b"true" if ready else b"false")
            return "health", HttpAnswer(200 if ready else 503, [body])
        return self._pages.get(path, ("other", None))

    def _static_pages(self) -> dict[str, tuple[str, HttpAnswer | None]]:
        def page(route: str, content: Any) -> tuple[str, HttpAnswer]:
            return route, HttpAnswer(200, [msgspec.json.encode(content)], JSON)

        html = description.page(self._model, self._name).encode()
        server = {"name": "penstock", "version": _penstock_version(), "extensions": []}
        return {
            "/": ("page", HttpAnswer(200, [html], b"text/html; charset=utf-8")),
            "/openapi.json": page("page", description.openapi(self._model, self._name)),
            "/v2": page("metadata", server),
            "/v2/health/live": page("health", {"live": True}),
            "/v2/models": page("metadata", {"models": [self._name]}),
            f"/v2/models/{self._name}": page("metadata", description.metadata(self._model, self._name)),
            "/v1/models": page("metadata", {"models": [self._name]}),
            f"/v1/models/{self._name}": page("metadata", {"name": self._name, "ready": True}),
        }

    def _not_found(self, path: str) -> str:
        if path.startswith(("/v1/models/", "/v2/models/")):
            asked = path.split("/")[3].partition(":")[0]
            if asked != self._name:
                return f'There is no Model "{shorten(asked)}" here; this server serves "{self._name}".'
        return f"There is nothing at {shorten(path)}; / says what there is."


def _penstock_version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("penstock")
    except PackageNotFoundError:  # run from a checkout
        return "unknown"
