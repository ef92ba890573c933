"""An API server in memory, with the semantics that the shell lives by: versions, conflicts, uids, pages, refusals.

What it does was compared with the real one: tests/cluster/test_operator_shell.py runs the same promises against that.
"""

import asyncio
import copy
import json
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from penstock.kubernetes.connection import Answer, Request
from penstock.kubernetes.errors import Transient
from penstock.kubernetes.kinds import BY_NAME, Object

Fault = Callable[[Request], Answer | None]


class AnswerLost(Exception):
    """Raised by a fault: the write is made, and nobody hears of it."""


def no_fault(request: Request) -> Answer | None:
    return None


def status(code: int, reason: str, message: str = "", **headers: str) -> Answer:
    body = {"kind": "Status", "code": code, "reason": reason, "message": message}
    return Answer(code, {name.replace("_", "-"): value for name, value in headers.items()}, json.dumps(body).encode())


@dataclass
class FakeApi:
    """Objects by path. `fault` sees each request first, and may answer it or raise."""

    fault: Fault = no_fault
    latency: float = 0.01
    page_version_lives: bool = True
    objects: MutableMapping[str, Object] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    applied: dict[str, Object] = field(default_factory=dict)  # by path: what our field manager said last
    version: int = 0
    in_flight: int = 0
    most_in_flight: int = 0

    async def send(self, request: Request) -> Answer:
        self.requests.append(request)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(self.latency)
            return self._answer(request)
        finally:
            self.in_flight -= 1

    def writes(self) -> list[tuple[str, str]]:
        """Return the method and the path, without its query, of each request that writes."""
        return [(request.method, urlsplit(request.path).path) for request in self.requests if request.method != "GET"]

    def put(self, made: Object) -> Object:
        """Make or change an object as somebody else would."""
        return self._store(path_of(made), copy.deepcopy(made))

    def remove(self, made: Object) -> None:
        """Delete an object as somebody else would."""
        self._drop(path_of(made))

    def _answer(self, request: Request) -> Answer:
        lost = False
        try:
            faulty = self.fault(request)
        except AnswerLost:
            faulty, lost = None, True
        answer = faulty or self._handle(request)
        if lost:
            raise Transient(0, "NoAnswer", "The connection was lost.")
        return answer

    def _handle(self, request: Request) -> Answer:
        path, query = urlsplit(request.path).path, parse_qs(urlsplit(request.path).query)
        body = json.loads(request.body) if request.body else None
        match request.method:
            case "GET" if path in self.objects:
                return _ok(self.objects[path])
            case "GET" if path.rsplit("/", 1)[1] in {kind.plural for kind in BY_NAME.values()}:
                return self._list(path, query)
            case "POST" if body:
                return self._create(path, body)
            case "PATCH" if body:
                return self._patch(path, body, merge="merge" in request.content_type)
            case "DELETE":
                return self._delete(path, body)
        return status(404, "NotFound", f"{path} not found")

    def _list(self, path: str, query: dict[str, list[str]]) -> Answer:
        base, plural = path.rsplit("/", 1)
        selector = query.get("labelSelector", [""])[0]
        name = query.get("fieldSelector", [""])[0].removeprefix("metadata.name=")
        items = [
            each
            for at, each in sorted(self.objects.items())
            if at.startswith(base)
            and at.rsplit("/", 2)[1] == plural
            and _matches(each, selector)
            and name in ("", each["metadata"]["name"])
        ]
        begin, version = 0, self.version
        if "continue" in query:
            if not self.page_version_lives:
                self.page_version_lives = True
                return status(410, "Expired", "The provided continue parameter is too old.")
            begin, version = json.loads(query["continue"][0])
        limit = int(query.get("limit", ["500"])[0])
        metadata: dict[str, Any] = {"resourceVersion": str(version)}
        if begin + limit < len(items):
            metadata["continue"] = json.dumps([begin + limit, version])
        bare = [{name: value for name, value in each.items() if name not in ("kind", "apiVersion")} for each in items]
        return _ok({"kind": "List", "metadata": metadata, "items": bare[begin : begin + limit]})

    def _create(self, path: str, body: Object) -> Answer:
        at = f"{path}/{body['metadata']['name']}"
        if at in self.objects:
            return status(409, "AlreadyExists", f"{at} already exists")
        self.applied.pop(at, None)
        return _ok(self._store(at, body))

    def _patch(self, path: str, body: Object, *, merge: bool) -> Answer:
        status_only = path.endswith("/status")
        at = path.removesuffix("/status")
        known = self.objects.get(at)
        if known is None:
            if merge or status_only:
                return status(404, "NotFound", f"{at} not found")
            self.applied[at] = copy.deepcopy(body)
            return _ok(self._store(at, body))
        for precondition in ("uid", "resourceVersion"):
            wanted = body["metadata"].pop(precondition, None)
            if wanted not in (None, known["metadata"][precondition]):
                return status(409, "Conflict", "the object has been modified")
        if status_only:
            body = {"status": body.get("status")}
            changed = known | body if not merge else _merge(known, body)
        else:
            body.pop("status", None)
            changed = _merge(known if merge else _without(known, self.applied.get(at), body), body)
            if not merge:
                if body["kind"] == "Service":  # its selector is an atomic map
                    changed["spec"]["selector"] = body["spec"]["selector"]
                self.applied[at] = body
        return _ok(known if changed == known else self._store(at, changed))

    def _delete(self, path: str, body: Object | None) -> Answer:
        known = self.objects.get(path)
        if known is None:
            return status(404, "NotFound", f"{path} not found")
        if (body or {}).get("preconditions", {}).get("uid") not in (None, known["metadata"]["uid"]):
            return status(409, "Conflict", "the UID in the precondition does not match")
        self._drop(path)
        return _ok({"kind": "Status", "status": "Success"})

    def _drop(self, path: str) -> None:
        del self.objects[path]
        self.version += 1

    def _store(self, path: str, made: Object) -> Object:
        self.version += 1
        metadata = made["metadata"] = {**made["metadata"], "resourceVersion": str(self.version)}
        metadata.setdefault("uid", f"uid-{self.version}")
        metadata.setdefault("creationTimestamp", "2026-01-01T00:00:00Z")
        metadata["managedFields"] = [{"manager": "somebody"}]
        self.objects[path] = made
        return copy.deepcopy(made)


def path_of(made: Object) -> str:
    return BY_NAME[made["kind"]].path(made["metadata"].get("namespace"), made["metadata"]["name"])


def _ok(body: Object) -> Answer:
    return Answer(200, {}, json.dumps(body).encode())


def _matches(found: Object, selector: str) -> bool:
    return not selector or selector in found["metadata"].get("labels", {})


def _without(known: Any, before: Any, now: Any) -> Any:
    """Return what is there without the fields that we named before and do not name now."""
    if not isinstance(known, dict) or not isinstance(before, dict):
        return known
    now = now if isinstance(now, dict) else {}
    kept = {name: value for name, value in known.items() if name in now or name not in before}
    return {name: _without(value, before.get(name), now.get(name)) for name, value in kept.items()}


def _merge(known: Any, change: Any) -> Any:
    if not isinstance(known, dict) or not isinstance(change, dict):
        return change
    merged = {name: value for name, value in known.items() if change.get(name, "") is not None}
    return merged | {name: _merge(known.get(name), value) for name, value in change.items() if value is not None}
