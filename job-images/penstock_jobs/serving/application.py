"""The ASGI application: a handful of routes, found in a dictionary; every answer is JSON and names the Model."""

from collections.abc import Awaitable, Callable
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
from penstock_jobs.serving.metrics import ServerMetrics
from penstock_jobs.serving.refusals import RefusedRequest
from penstock_jobs.serving.rows import RowReader
from penstock_jobs.serving.tensors import TensorReader

MAXIMUM_BODY = 16 * 1024 * 1024

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
_JSON = b"application/json"


class Application:
    """Serves one Model.

    Attributes:
        draining: set when the server was asked to end; it is then no longer ready, and still answers.
    """

    def __init__(self, model: LoadedModel, name: str, maximum_body: int = MAXIMUM_BODY) -> None:
        """Take the Model, the name it is served under, and the largest body that is read, in bytes."""
        self.draining = False
        self._model = model
        self._name = name
        self._maximum_body = maximum_body
        self._rows = RowReader(model.manifest.features)
        self._tensors = TensorReader(model.manifest.features)
        self._answers = ResponseWriter(model, name)
        self._batcher = Batcher(model.predict_block)
        self.reset_metrics()
        self._identity = [
            (b"penstock-model", model.manifest.name.encode()),
            (b"penstock-model-digest", model.digest.encode()),
        ]
        self._inference = {f"/v1/models/{name}:predict": self._predict_rows, f"/v2/models/{name}/infer": self._infer}
        self._pages = self._static_pages()

    def reset_metrics(self) -> None:
        """Count from now on: what warming asked is nobody's request."""
        manifest = self._model.manifest
        self._batcher.runs = 0
        self.metrics = ServerMetrics(
            {"name": self._name, "model": manifest.name, "version": description.version(self._model)},
            lambda: self._batcher.runs,
        )

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request (https://asgi.readthedocs.io/en/latest/specs/www.html)."""
        if scope["type"] != "http":
            raise RuntimeError(f"ASGI scope {scope['type']} is not served")
        started = perf_counter()
        metrics = self.metrics
        metrics.in_flight.inc()
        path = scope["path"]
        route = "other"
        kind = _JSON
        try:
            inference = self._inference.get(path)
            if inference is not None:
                route = "infer"
                if scope["method"] != "POST":
                    raise RefusedRequest(f"{path} takes POST, not {scope['method']}.", 405)
                status, body = 200, await inference(await self._body(receive))
            else:
                route, status, kind, body = self._page(path, scope["method"])
        except RefusedRequest as refusal:
            status, body = refusal.status, _error(refusal.sentence)
        except Refused as refusal:
            status, body = 400, _error(str(refusal))
        except Exception:
            # Whatever it is, the client gets a sentence and the log the traceback.
            log.exception("A request to %s failed.", path)
            status, body = 500, _error("The server failed to answer; its log says why.")
        finally:
            metrics.in_flight.dec()
        metrics.count_answer(route, status, perf_counter() - started)
        headers = [(b"content-type", kind), (b"content-length", b"%d" % len(body)), *self._identity]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _predict_rows(self, body: bytes) -> bytes:
        return self._answers.rows(await self._answer(self._rows.read(body)))

    async def _infer(self, body: bytes) -> bytes:
        request, block = self._tensors.read(body)
        return self._answers.tensors(request, await self._answer(block))

    async def _answer(self, block: Block) -> ModelPredictions:
        predictions = await self._batcher.answer(block)
        self.metrics.rows.inc(block.rows)
        return predictions

    async def _body(self, receive: Receive) -> bytes:
        message = await receive()
        body: bytes = message.get("body", b"")
        if message.get("more_body"):
            return await self._rest(body, receive)
        if len(body) > self._maximum_body:
            raise self._refuse_size()
        return body

    async def _rest(self, start: bytes, receive: Receive) -> bytes:
        parts = [start]
        size = len(start)
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise RefusedRequest("The client went away.", 499)
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self._maximum_body:
                raise self._refuse_size()
            more = message.get("more_body", False)
        return b"".join(parts)

    def _refuse_size(self) -> RefusedRequest:
        return RefusedRequest(f"The body is larger than {self._maximum_body} bytes; send fewer rows at once.", 413)

    def _page(self, path: str, method: str) -> tuple[str, int, bytes, bytes]:
        """Return (route, status, content type, body) of anything but inference."""
        if path == "/metrics":
            return "metrics", 200, b"text/plain; version=0.0.4; charset=utf-8", self.metrics.text()
        if path in ("/v2/health/ready", f"/v2/models/{self._name}/ready"):
            ready = not self.draining
            return "health", 200 if ready else 503, _JSON, b'{"ready":%s}' % (b"true" if ready else b"false")
        page = self._pages.get(path)
        if page is None:
            raise RefusedRequest(self._not_found(path), 404)
        if method not in ("GET", "HEAD"):
            raise RefusedRequest(f"{path} takes GET, not {method}.", 405)
        route, kind, body = page
        return route, 200, kind, body

    def _static_pages(self) -> dict[str, tuple[str, bytes, bytes]]:
        encode = msgspec.json.encode
        metadata = encode(description.metadata(self._model, self._name))
        server = encode({"name": "penstock", "version": _penstock_version(), "extensions": []})
        return {
            "/": ("page", b"text/html; charset=utf-8", description.page(self._model, self._name).encode()),
            "/openapi.json": ("page", _JSON, encode(description.openapi(self._model, self._name))),
            "/v2": ("metadata", _JSON, server),
            "/v2/health/live": ("health", _JSON, b'{"live":true}'),
            "/v2/models": ("metadata", _JSON, encode({"models": [self._name]})),
            f"/v2/models/{self._name}": ("metadata", _JSON, metadata),
            "/v1/models": ("metadata", _JSON, encode({"models": [self._name]})),
            f"/v1/models/{self._name}": ("metadata", _JSON, encode({"name": self._name, "ready": True})),
        }

    def _not_found(self, path: str) -> str:
        if path.startswith(("/v1/models/", "/v2/models/")):
            asked = path.split("/")[3].partition(":")[0]
            if asked != self._name:
                return f'There is no Model "{asked}" here; this server serves "{self._name}".'
        return f"There is nothing at {path}; / says what there is."


def _error(sentence: str) -> bytes:
    return msgspec.json.encode({"error": sentence})


def _penstock_version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("penstock")
    except PackageNotFoundError:  # run from a checkout
        return "unknown"
