"""What the operator asks of the API server, in plain dicts.

Server-side apply under one name, creation, deletion of exactly the object that was seen. Each answer that is not good
is raised as one of `penstock.kubernetes.errors`.
"""

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from penstock.kubernetes.connection import JSON, Answer, ApiConnection, Request, encode
from penstock.kubernetes.errors import Expired, NotFound, Transient, error_of
from penstock.kubernetes.kinds import CORE_EVENT, POD, Key, Kind, Object, key_of, kind_of
from penstock.kubernetes.rate_limit import RateLimiter

MANAGER = "penstock"
PAGE, LIGHT_PAGE = 500, 2000  # objects; of which only the metadata comes
_APPLY = "application/apply-patch+yaml"  # JSON is YAML
_MERGE = "application/merge-patch+json"
# A server that knows no such form sends whole objects, whose metadata is read all the same.
_METADATA_ONLY = f"{JSON};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,{JSON}"


@dataclass(frozen=True)
class Listing:
    """All objects of a kind as they were at one moment, `version`."""

    items: list[Object]
    version: str


class ObjectVersion(msgspec.Struct, rename="camel", frozen=True):
    """Which object it is, and at which version, and nothing else of it."""

    name: str
    uid: str
    resource_version: str
    namespace: str = ""


class _Metadata(msgspec.Struct):
    metadata: ObjectVersion


class _Moment(msgspec.Struct):
    version: str = msgspec.field(name="resourceVersion")
    next_page: str = msgspec.field(default="", name="continue")


class _Page(msgspec.Struct):
    metadata: _Moment
    items: list[msgspec.Raw] | None = None


class _LightPage(msgspec.Struct):
    metadata: _Moment
    items: list[_Metadata] | None = None


class Client:
    """Requests, no more than so many at once and so many a second.

    Args:
        connection: what carries them.
        limiter: how many a second.
        concurrent: how many at once.
        written: told of each write that succeeded: the verb and the kind.
        manager: whose the fields are that are written.
        left: how many seconds writes may still take, 0 or less where another may be writing by now.
    """

    def __init__(
        self,
        connection: ApiConnection,
        limiter: RateLimiter,
        concurrent: int,
        written: Callable[[str, str], None] = lambda verb, kind: None,
        manager: str = MANAGER,
        left: Callable[[], float] = lambda: math.inf,
    ) -> None:
        self._strict = {"fieldManager": manager, "fieldValidation": "Strict"}
        self._connection = connection
        self._limiter = limiter
        self._places = asyncio.Semaphore(concurrent)
        self._written = written
        self._left = left

    async def list(self, kind: Kind, namespace: str | None, selector: str | None = None) -> Listing:
        """Return all objects of a kind as they were at one moment."""
        items: dict[Key, Object] = {}
        version = await self.each(kind, namespace, selector, lambda found: items.update({key_of(found): found}))
        return Listing([*items.values()], version)

    async def each(
        self, kind: Kind, namespace: str | None, selector: str | None, seen: Callable[[Object], None]
    ) -> str:
        """Tell of all objects of a kind as they were at one moment, one after the other; return that moment.

        Only one of them is in memory as an object at a time. Some may be told of twice.
        """
        for _ in range(2):
            try:
                return await self._pages(kind, namespace, selector, seen)
            except Expired:  # between two pages: from the beginning
                continue
        raise Transient(410, "Expired", f"The list of {kind.plural} changes faster than it can be read.")

    async def versions(
        self, kind: Kind, namespace: str | None, selector: str | None
    ) -> tuple[dict[Key, ObjectVersion], str]:
        """Return which objects of a kind there are at one moment, and at which versions; and that moment.

        Raises:
            Transient: they change faster than they can be read; as likely as not it goes well the next time.
        """
        found: dict[Key, ObjectVersion] = {}
        query = _query(selector, LIGHT_PAGE)
        try:
            while True:
                answer = await self._send(Request("GET", kind.path(namespace, query=query), accept=_METADATA_ONLY))
                page = msgspec.json.decode(answer.body, type=_LightPage)
                for each in page.items or ():
                    found[Key(kind.kind, each.metadata.namespace, each.metadata.name)] = each.metadata
                if not page.metadata.next_page:
                    return found, page.metadata.version
                query["continue"] = page.metadata.next_page
        except Expired as error:
            raise Transient(410, "Expired", str(error)) from error

    async def get(self, kind: Kind, namespace: str | None, name: str) -> Object | None:
        """Return the object as it is now, or None."""
        try:
            return await self._object("GET", kind.path(namespace, name))
        except NotFound:
            return None

    async def find(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """Return the object as it is now, or None where the server has the kind and no such object.

        Raises:
            NotFound: the server has no such kind, or not at this moment.
        """
        query = {"fieldSelector": f"metadata.name={name}"}
        found = await self._object("GET", kind.path(namespace, query=query))
        said = {"apiVersion": kind.api_version, "kind": kind.kind}
        return next((without_managed_fields(said | item) for item in found["items"]), None)

    async def create(self, made: Object) -> Object:
        """Make the object, and return it as the server has it."""
        kind = kind_of(made)
        path = kind.path(made["metadata"]["namespace"], query=self._strict)
        return await self._write("create", kind, Request("POST", path, encode(made)))

    async def review(self, kind: Kind, spec: Mapping[str, Any]) -> Object:
        """Ask a question of the kind, as a TokenReview is, and return the status that answers it; nothing is kept."""
        made = {"apiVersion": kind.api_version, "kind": kind.kind, "spec": spec}
        found = _decode(await self._send(Request("POST", kind.path(None), encode(made))))
        return found.get("status") or {}

    async def apply(self, made: Object, subresource: str | None = None) -> Object:
        """Make the fields that are named what is said here; fields that we named before and now do not, go.

        With `metadata.resourceVersion` or `metadata.uid` it is applied to exactly that object, or `Conflict` raised.
        """
        kind, metadata = kind_of(made), made["metadata"]
        query = {**self._strict, "force": "true"}
        path = kind.path(metadata["namespace"], metadata["name"], subresource, query)
        verb = "apply" if subresource is None else f"apply-{subresource}"
        return await self._write(verb, kind, Request("PATCH", path, encode(made), _APPLY))

    async def patch(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        content: Mapping[str, Any],
        subresource: str | None = None,
        manager: str | None = None,
    ) -> Object:
        """Merge the content into an object that is there; its `metadata` may say which uid and version that must be.

        `manager` is whom the fields belong to after that, where it is another than ours.
        """
        query = self._strict | ({"fieldManager": manager} if manager else {})
        path = kind.path(namespace, name, subresource, query)
        return await self._write("patch", kind, Request("PATCH", path, encode(content), _MERGE))

    async def delete(self, kind: Kind, namespace: str, name: str, uid: str) -> Object | None:
        """Delete exactly the object that has this uid, and in the background what it owns.

        Returns:
            The object, where it stays for a while (a pod that is given time to end); None where it is gone.
        """
        body = {"propagationPolicy": "Background", "preconditions": {"uid": uid}}
        try:
            found = await self._write("delete", kind, Request("DELETE", kind.path(namespace, name), encode(body)))
        except NotFound:
            return None
        return found if found.get("kind") == kind.kind else None

    async def events_about(self, namespace: str, uid: str) -> Sequence[Object]:
        """Return the events about the object of that uid."""
        query = {"fieldSelector": f"involvedObject.uid={uid}", "limit": PAGE}
        found = await self._object("GET", CORE_EVENT.path(namespace, query=query))
        return found.get("items") or ()

    async def log(self, namespace: str, pod: str, container: str, lines: int, limit: int) -> bytes | None:
        """Return the last lines of a pod's log, at most so many bytes; None where they are gone."""
        query = {"container": container, "tailLines": lines, "limitBytes": limit}
        try:
            return (await self._send(Request("GET", POD.path(namespace, pod, "log", query)))).body
        except NotFound:
            return None

    async def _pages(
        self, kind: Kind, namespace: str | None, selector: str | None, seen: Callable[[Object], None]
    ) -> str:
        query = _query(selector, PAGE)
        # The items of a list do not say what they are.
        said = {"apiVersion": kind.api_version, "kind": kind.kind}
        while True:
            answer = await self._send(Request("GET", kind.path(namespace, query=query)))
            page = msgspec.json.decode(answer.body, type=_Page)
            for item in page.items or ():
                seen(without_managed_fields(said | msgspec.json.decode(item, type=Object)))
                await asyncio.sleep(0)  # a page takes a while, in which others have their turns
            if not page.metadata.next_page:
                return page.metadata.version
            query["continue"] = page.metadata.next_page

    async def _write(self, verb: str, kind: Kind, request: Request) -> Object:
        found = _decode(await self._send(request))
        self._written(verb, kind.kind)
        return without_managed_fields(found)

    async def _object(self, method: str, path: str) -> Object:
        return without_managed_fields(_decode(await self._send(Request(method, path))))

    async def _send(self, request: Request) -> Answer:
        async with self._places:
            await self._limiter.acquire()
            answer = await self._connection.send(request) if request.method == "GET" else await self._change(request)
        if answer.status < 400:
            return answer
        error = error_of(answer.status, answer.headers, answer.body)
        if answer.status == 429 and isinstance(error, Transient) and error.retry_after:
            self._limiter.halt(error.retry_after)
        raise error

    async def _change(self, request: Request) -> Answer:
        """Send what changes something, as long as nobody else may be doing so."""
        left = self._left()
        if left <= 0:
            raise Transient(0, "NotLeading", "Another operator may be at work by now, so nothing is written.")
        try:
            async with asyncio.timeout(None if math.isinf(left) else left):
                return await self._connection.send(request)
        except TimeoutError as error:
            raise Transient(0, "NoAnswer", "The API server does not answer while the Lease holds.") from error


def _query(selector: str | None, limit: int) -> dict[str, object]:
    return {"limit": limit} | ({"labelSelector": selector} if selector else {})


def without_managed_fields(found: Object) -> Object:
    """Take away what only the server reads, and what is often half of an object."""
    metadata: dict[str, Any] | None = found.get("metadata")
    if metadata is not None:
        metadata.pop("managedFields", None)
    return found


def _decode(answer: Answer) -> Object:
    return msgspec.json.decode(answer.body, type=Object)
