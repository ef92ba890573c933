"""The cluster, as a command line speaks with it: objects as plain dicts, and watches that outlive an outage."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from penstock.kubernetes.client import Client
from penstock.kubernetes.connection import KubernetesConnection, Request, connect
from penstock.kubernetes.errors import ApiError, Expired, Transient, error_of
from penstock.kubernetes.kinds import POD, Kind, Object
from penstock.kubernetes.rate_limit import RateLimiter
from penstock.kubernetes.watch import watch_events
from penstock.remote.access import Access
from penstock.remote.kubeconfig import way_to
from penstock.remote.sentences import sentence_of
from penstock_jobs.contract.errors import Refused

MANAGER = "penstock-cli"
_NAMESPACE = Kind("", "v1", "namespaces", "Namespace")
_CONCURRENT, _RATE = 16, 50.0  # requests at once, and a second
_CONNECTIONS = 300  # each log that is followed holds one
_PAUSES = (0.5, 1.0, 2.0, 5.0, 10.0)  # seconds between attempts while the server does not answer
UNAUTHORIZED = 401
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")

Said = Callable[[str], None]


class Cluster:
    """A cluster and a namespace of it."""

    def __init__(
        self,
        connection: KubernetesConnection,
        namespace: str,
        host: str,
        say: Said,
        renew: Callable[[], Awaitable[None]],
    ) -> None:
        self.namespace = namespace
        self.host = host
        self._connection = connection
        self._say = say
        self._renew = renew
        limiter = RateLimiter(_RATE, int(_RATE))
        self._client = Client(connection, limiter, _CONCURRENT, manager=MANAGER)

    async def list(self, kind: Kind, selector: str | None = None, *, everywhere: bool = False) -> list[Object]:
        """Return the objects of the namespace, or of all."""
        return (await self._client.list(kind, None if everywhere else self.namespace, selector)).items

    async def find(self, kind: Kind, name: str) -> Object | None:
        """Return the object, or None where there is none."""
        if not _NAME.fullmatch(name):
            return None  # in a path it would mean something else: `.`, or all objects where it is empty
        return await self._client.get(kind, self.namespace, name)

    async def require_namespace(self) -> None:
        """Raise `NotFound` where there is no such namespace; whoever may not look is believed."""
        answer = await self._connection.send(Request("GET", _NAMESPACE.path(None, self.namespace)))
        if answer.status == 404:
            raise error_of(answer.status, answer.headers, answer.body)

    async def create(self, made: Object) -> Object:
        """Make the object, and return it as the server has it."""
        return await self._client.create(made | {"metadata": made["metadata"] | {"namespace": self.namespace}})

    async def patch(self, kind: Kind, name: str, content: Mapping[str, Any], *, manager: str | None = None) -> Object:
        """Merge the content into the object, as that field manager, and return it as it is then."""
        return await self._client.patch(kind, self.namespace, name, content, manager=manager)

    async def delete(self, kind: Kind, name: str, uid: str) -> None:
        """Delete exactly the object that has this uid; it is no error where it is gone."""
        await self._client.delete(kind, self.namespace, name, uid)

    async def watch(self, kind: Kind, *, labels: str = "", fields: str = "") -> AsyncIterator[dict[str, Object]]:
        """Yield the objects by name, at once and again at each change.

        A server that does not answer for a while is asked until it does; the person is told once.
        """
        outage = _Outage(self._say, self._renew)
        version: str | None = None
        there: dict[str, Object] = {}
        query = {name: each for name, each in (("labelSelector", labels), ("fieldSelector", fields)) if each}
        while True:
            try:
                if version is None:
                    there, version = await self._list_with_version(kind, query)
                    outage.over()
                    yield there
                async for event in watch_events(self._connection, kind, self.namespace, query, version):
                    outage.over()
                    version = event["object"]["metadata"]["resourceVersion"]
                    if _apply_event(there, event):
                        yield there
            except Expired:
                version = None
            except Transient as error:
                await outage.wait_out(error)

    async def watch_one(self, kind: Kind, name: str) -> AsyncIterator[Object | None]:
        """Yield the object at once and again at each change; None while there is none of that name."""
        if not _NAME.fullmatch(name):
            raise Refused(f"{name!r} is no name that an object can have: small letters, digits, dashes and dots.")
        async for there in self.watch(kind, fields=f"metadata.name={name}"):
            yield there.get(name)

    async def log(self, pod: str, query: Mapping[str, object]) -> AsyncIterator[bytes]:
        """Yield the lines of a pod's log, as they come where the query says `follow`."""
        async for line in self._connection.lines(Request("GET", POD.path(self.namespace, pod, "log", query))):
            yield line

    async def _list_with_version(self, kind: Kind, query: Mapping[str, object]) -> tuple[dict[str, Object], str]:
        answer = await self._connection.send(Request("GET", kind.path(self.namespace, query=query)))
        if answer.status >= 400:
            raise error_of(answer.status, answer.headers, answer.body)
        found = msgspec.json.decode(answer.body, type=dict[str, Any])
        said = {"apiVersion": kind.api_version, "kind": kind.kind}
        return {each["metadata"]["name"]: said | each for each in found["items"]}, found["metadata"]["resourceVersion"]


class _Outage:
    """A server that does not answer for a while, once it has answered before."""

    def __init__(self, say: Said, renew: Callable[[], Awaitable[None]]) -> None:
        self._say, self._renew = say, renew
        self._answered = False
        self._failures = 0

    def over(self) -> None:
        self._answered, self._failures = True, 0

    async def wait_out(self, error: Transient) -> None:
        """Wait until it may be asked again; raise the error where it would say the same."""
        if not self._answered or (error.status == UNAUTHORIZED and self._failures):
            raise error
        if error.status == UNAUTHORIZED:
            await self._renew()
        elif self._failures == 2:
            self._say(f"{error} It is asked again until it does.")
        await asyncio.sleep(error.retry_after or _PAUSES[min(self._failures, len(_PAUSES) - 1)])
        self._failures += 1


def _apply_event(there: dict[str, Object], event: Object) -> bool:
    """Take the event over; return whether it was one of an object."""
    name = event["object"]["metadata"].get("name")
    match event["type"]:
        case "ADDED" | "MODIFIED":
            there[name] = event["object"]
        case "DELETED":
            there.pop(name, None)
        case _:
            return False
    return True


@asynccontextmanager
async def open_cluster(access: Access, say: Said) -> AsyncIterator[Cluster]:
    """Open the way to the cluster that is meant.

    Raises:
        Refused: there is no way, or the server said no: in one sentence.
    """
    way = await way_to(access)
    host = str(way.configuration.host)
    namespace = way.namespace

    async def renew() -> None:
        """Take a new token, where the kubeconfig has a program that makes them."""
        again = await way_to(access)
        way.configuration.api_key.update(again.configuration.api_key)

    try:
        async with connect(way.configuration, _CONNECTIONS, proxy_of_environment=True) as connection:
            yield Cluster(connection, namespace, host, say, renew)
    except ApiError as error:
        raise Refused(sentence_of(error, host, namespace)) from error
    except msgspec.DecodeError as error:
        raise Refused(f"The server at {host} did not answer as Kubernetes does; is the kubeconfig right?") from error
    except ssl.SSLError as error:
        raise Refused(f"The certificates of the kubeconfig for {host} cannot be used: {error}.") from error
