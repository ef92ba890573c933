"""A receiver with real sockets on the loopback, before an API server in memory; and small requests to it."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp

from penstock.decide.events.limits import AUDIENCE, Limits
from penstock.kubernetes.connection import Answer, Request
from penstock.kubernetes.kinds import Object
from penstock.receiver.service import ReceiverService
from penstock.receiver.settings import ReceiverSettings
from unit.act.fake_api import FakeApi

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PATH = "/v1/triggers/team/arrivals"
SENDER = "system:serviceaccount:team:sender"


def make_token(audience: str = AUDIENCE, name: str = "sender") -> str:
    """Return a token as it looks; whether it is one, the API server says."""
    parts = ({"alg": "RS256"}, {"aud": [audience], "sub": name})
    return ".".join([*(_base64(json.dumps(part).encode()) for part in parts), _base64(name.encode())])


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


TOKEN = make_token()


@dataclass
class ReceiverApi(FakeApi):
    """The API server as a receiver knows it: it reviews tokens and rights, and can be watched.

    `tokens` says whose each token is, and for whom; `rights` who may bring events to which Trigger.
    """

    latency: float = 0.0
    tokens: dict[str, tuple[str, str]] = field(default_factory=lambda: {TOKEN: (SENDER, AUDIENCE)})
    rights: set[tuple[str, str, str]] = field(default_factory=lambda: {(SENDER, "team", "arrivals")})
    watchers: list[tuple[str, str, "asyncio.Queue[Object]"]] = field(default_factory=list)

    async def lines(self, request: Request) -> AsyncIterator[bytes]:
        """Yield what changes of the kind, for ever."""
        path, query = urlsplit(request.path).path, parse_qs(urlsplit(request.path).query)
        queue: asyncio.Queue[Object] = asyncio.Queue()
        self.watchers.append((path, query.get("labelSelector", [""])[0], queue))
        while True:
            yield json.dumps(await queue.get()).encode()

    def runs(self) -> list[Object]:
        """Return all PipelineRuns."""
        return [each for each in self.objects.values() if each["kind"] == "PipelineRun"]

    def asked(self, plural: str) -> int:
        """Return how often something of that kind was asked for or made."""
        return sum(urlsplit(each.path).path.endswith(f"/{plural}") and each.method == "POST" for each in self.requests)

    def _handle(self, request: Request) -> Answer:
        path = urlsplit(request.path).path
        if path.endswith("/tokenreviews"):
            return _status(self._review_token(json.loads(request.body or b"")["spec"]))
        if path.endswith("/subjectaccessreviews"):
            return _status(self._review_access(json.loads(request.body or b"")["spec"]))
        return super()._handle(request)

    def _review_token(self, spec: Object) -> Object:
        name, audience = self.tokens.get(spec["token"], ("", ""))
        if not name or audience not in spec["audiences"]:
            return {"authenticated": False, "error": "no such token"}
        return {"authenticated": True, "user": {"username": name, "groups": ["all"]}, "audiences": [audience]}

    def _review_access(self, spec: Object) -> Object:
        asked = spec["resourceAttributes"]
        kind = [asked[name] for name in ("verb", "group", "resource", "subresource")]
        right = (spec["user"], asked["namespace"], asked["name"])
        return {"allowed": kind == ["create", "penstock.dev", "triggers", "events"] and right in self.rights}

    def _store(self, path: str, made: Object) -> Object:
        known = path in self.objects
        stored = super()._store(path, made)
        self._tell("MODIFIED" if known else "ADDED", stored)
        return stored

    def _drop(self, path: str) -> None:
        gone = self.objects[path]
        super()._drop(path)
        self._tell("DELETED", gone)

    def _tell(self, change: str, found: Object) -> None:
        plural = f"/{found['kind'].lower()}s"
        for path, selector, queue in self.watchers:
            if path.endswith(plural) and (not selector or selector in found["metadata"].get("labels", {})):
                queue.put_nowait({"type": change, "object": json.loads(json.dumps(found))})


def _status(status: Object) -> Answer:
    return Answer(201, {}, json.dumps({"kind": "Review", "status": status}).encode())


def make_trigger(name: str = "arrivals", event: Object | None = None, namespace: str = "team", **spec: Any) -> Object:
    return {
        "apiVersion": "penstock.dev/v1alpha1",
        "kind": "Trigger",
        "metadata": {"name": name, "namespace": namespace, "uid": f"uid-of-{namespace}-{name}", "generation": 1},
        "spec": {"pipelineRef": {"name": "churn"}, "event": event or {}, **spec},
    }


def cloud_event(identity: str = "1", **rest: Any) -> Object:
    said = {"id": identity, "source": "/shop", "type": "rows.arrived", "specversion": "1.0", **rest}
    return {name: value for name, value in said.items() if value is not None}


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    text: str
    headers: dict[str, str]


@dataclass
class Site:
    """A receiver that runs, and the API server behind it."""

    api: ReceiverApi
    service: ReceiverService
    port: int
    health_port: int
    session: aiohttp.ClientSession

    async def post(
        self,
        body: Any = b"{}",
        kind: str = "application/json",
        path: str = PATH,
        token: str | None = TOKEN,
        headers: dict[str, str] | None = None,
        method: str = "POST",
    ) -> Reply:
        """Send a request, and return the answer."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Content-Type": kind, **(headers or {})} | ({"Authorization": f"Bearer {token}"} if token else {})
        address = f"http://127.0.0.1:{self.port}{path}"
        async with self.session.request(method, address, data=content, headers=sent) as answer:
            return Reply(answer.status, (await answer.text()).strip(), dict(answer.headers))

    async def send(self, *identities: str, **rest: Any) -> list[int]:
        """Send CloudEvents of these ids, one after the other; return the statuses."""
        return [
            (await self.post(cloud_event(identity, **rest), "application/cloudevents+json")).status
            for identity in identities
        ]

    async def metrics(self) -> dict[str, float]:
        """Return what is counted, by name and labels."""
        async with self.session.get(f"http://127.0.0.1:{self.health_port}/metrics") as answer:
            lines = (line for line in (await answer.text()).splitlines() if line and line[0] != "#")
            return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}

    async def until(self, holds: Callable[[], bool]) -> None:
        """Let the receiver go on until this holds."""
        async with asyncio.timeout(10):
            while not holds():  # noqa: ASYNC110 - whatever it is, it happens in this loop
                await asyncio.sleep(0)


Told = Callable[[Site], Awaitable[Any]]


def with_receiver(
    told: Told,
    *objects: Object,
    api: ReceiverApi | None = None,
    limits: Limits | None = None,
    now: Callable[[], datetime] = lambda: NOW,
    **settings: Any,
) -> Any:
    """Begin a receiver of these Triggers, do what is told with it, end it in order, and return what came of it."""
    server = api or ReceiverApi()
    for each in objects or (make_trigger(),):
        server.put(each)
    asked = ReceiverSettings(port=0, health_port=0, limits=limits or Limits(), drain=0, **settings)
    return asyncio.run(_run(told, server, asked, now))


async def _run(told: Told, api: ReceiverApi, settings: ReceiverSettings, now: Callable[[], datetime]) -> Any:
    service = ReceiverService(api, settings, "receiver-1", now)
    ending, started = asyncio.Event(), asyncio.get_running_loop().create_future()
    serving = asyncio.ensure_future(service.serve(ending, lambda *ports: started.set_result(ports)))
    await asyncio.wait({serving, started}, return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        serving.result()
    try:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            port, health_port = started.result()
            return await told(Site(api, service, port, health_port, session))
    finally:
        ending.set()
        await serving
