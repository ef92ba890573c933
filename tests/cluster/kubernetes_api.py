"""The API server, as the tests speak with it: raw JSON in and out, and waiting by watch with a deadline.

The kubernetes client does what is hard (kubeconfig in all its forms, certificates, tokens); its typed models are left
out, since they refuse fields that they do not know, and a test must see exactly what the server says. No kubectl: a
process for each question would cost more than the question.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote, urlencode

import urllib3
from kubernetes import config

Object = dict[str, Any]
Found = TypeVar("Found")

DEADLINE = 120.0  # seconds; what is waited for takes a few, on a machine that does nothing else


class Resource(NamedTuple):
    """A kind of object: its API version, its plural, and whether it is in a namespace."""

    api_version: str
    plural: str
    namespaced: bool = True


PODS = Resource("v1", "pods")
EVENTS = Resource("v1", "events")
SECRETS = Resource("v1", "secrets")
SERVICES = Resource("v1", "services")
CONFIG_MAPS = Resource("v1", "configmaps")
NAMESPACES = Resource("v1", "namespaces", namespaced=False)
NODES = Resource("v1", "nodes", namespaced=False)
JOBS = Resource("batch/v1", "jobs")
DEPLOYMENTS = Resource("apps/v1", "deployments")
ENDPOINT_SLICES = Resource("discovery.k8s.io/v1", "endpointslices")
CRDS = Resource("apiextensions.k8s.io/v1", "customresourcedefinitions", namespaced=False)


class ApiRefused(Exception):
    """The API server said no. The text is its own sentence; `code` and `reason` are those of its Status."""

    def __init__(self, code: int, status: Object) -> None:
        self.code = code
        self.reason: str = status.get("reason", "")
        self.status = status
        super().__init__(status.get("message", ""))


class StillWaiting(AssertionError):
    """The deadline passed, and what was waited for did not come."""


@dataclass(frozen=True)
class KubernetesApi:
    """An API server and who we are to it."""

    pool: urllib3.PoolManager
    server: str
    headers: dict[str, str]

    # --- objects ------------------------------------------------------------------------------------------------------

    def create(self, manifest: Object, namespace: str | None = None) -> Object:
        """Create the object; the namespace is the one given, else that of the manifest."""
        path = self._path(self.resource(manifest), _namespace(manifest, namespace))
        return self.json("POST", path, manifest)

    def apply(self, manifest: Object, namespace: str | None = None, manager: str = "penstock-tests") -> Object:
        """Apply the object by server-side apply, taking fields over from whoever has them."""
        name = manifest["metadata"]["name"]
        path = self._path(self.resource(manifest), _namespace(manifest, namespace), name)
        query = {"fieldManager": manager, "force": "true"}
        return self.json("PATCH", path, manifest, query, content_type="application/apply-patch+yaml")

    def get(self, resource: Resource, name: str, namespace: str | None = None) -> Object:
        return self.json("GET", self._path(resource, namespace, name))

    def find(self, resource: Resource, name: str, namespace: str | None = None) -> Object | None:
        """Return the object, or None where there is none."""
        try:
            return self.get(resource, name, namespace)
        except ApiRefused as refused:
            if refused.code == 404:
                return None
            raise

    def objects(self, resource: Resource, namespace: str | None = None, **selectors: str) -> list[Object]:
        """Return the objects; selectors are `labels` and `fields`. Items get the kind that lists leave out."""
        return self._list(resource, namespace, selectors)[0]

    def patch(
        self,
        resource: Resource,
        name: str,
        change: Any,
        namespace: str | None = None,
        *,
        kind: str = "merge",
        beneath: str = "",
    ) -> Object:
        """Patch an object: `kind` is merge, strategic-merge or json; `beneath` names a subresource."""
        path = self._path(resource, namespace, name) + (f"/{beneath}" if beneath else "")
        return self.json("PATCH", path, change, content_type=f"application/{kind}-patch+json")

    def delete(
        self, resource: Resource, name: str, namespace: str | None = None, *, grace_seconds: int | None = None
    ) -> None:
        """Ask for the object's end, and that of what it owns; return before either has come."""
        options: Object = {"propagationPolicy": "Background"}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        self.json("DELETE", self._path(resource, namespace, name), options)

    def evict(self, pod: str, namespace: str) -> None:
        """Ask for the pod to go elsewhere, as a drain does."""
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": namespace}}
        self.json("POST", f"{self._path(PODS, namespace, pod)}/eviction", eviction)

    def logs(self, pod: str, namespace: str, container: str, *, previous: bool = False) -> str:
        path = self._path(PODS, namespace, pod) + "/log"
        query = {"container": container, **({"previous": "true"} if previous else {})}
        return self.request("GET", path, query=query).decode(errors="replace")

    def wait_for_log(
        self, pod: str, namespace: str, container: str, holds: Callable[[str], Any], *, seconds: float = DEADLINE
    ) -> str:
        """Follow the log of a container that runs; return the first line that this holds of."""
        deadline = time.monotonic() + seconds
        path = self._path(PODS, namespace, pod) + "/log"
        query = {"container": container, "follow": "true"}
        with self._open("GET", path, None, query, "application/json", seconds) as response:
            for line in _lines(response):
                if holds(text := line.decode(errors="replace")):
                    return text
                if time.monotonic() > deadline:
                    break
        raise StillWaiting(f"The log of {pod} ended, or {seconds:g} s passed, without the line that was waited for.")

    # --- waiting ------------------------------------------------------------------------------------------------------

    def wait(
        self,
        resource: Resource,
        namespace: str | None,
        holds: Callable[[dict[str, Object]], Found | None],
        *,
        what: str,
        seconds: float = DEADLINE,
        **selectors: str,
    ) -> Found:
        """Return what `holds` returns once it is something; it is given all objects by name, again at each change.

        Raises:
            StillWaiting: it never was; the text names `what`, and how the objects were at the end.
        """
        deadline = time.monotonic() + seconds
        there: dict[str, Object] = {}
        while time.monotonic() < deadline:
            listed, version = self._list(resource, namespace, selectors)
            there = {each["metadata"]["name"]: each for each in listed}
            if (found := holds(there)) is not None:
                return found
            for event in self._watch(resource, namespace, selectors, version, deadline):
                if event["type"] == "ERROR":
                    break  # the version is too old, most often: list again
                _follow(there, event)
                if (found := holds(there)) is not None:
                    return found
        raise StillWaiting(f"After {seconds:g} s there still was not {what}; there was {_summary(there)}.")

    def wait_for(
        self,
        resource: Resource,
        name: str,
        namespace: str | None,
        holds: Callable[[Object], Any],
        *,
        what: str,
        seconds: float = DEADLINE,
    ) -> Object:
        """Return the object of that name once it is there and that holds of it."""

        def one(there: dict[str, Object]) -> Object | None:
            return there[name] if name in there and holds(there[name]) else None

        return self.wait(resource, namespace, one, what=what, seconds=seconds, fields=f"metadata.name={name}")

    def wait_until_gone(
        self, resource: Resource, name: str, namespace: str | None = None, seconds: float = DEADLINE
    ) -> None:
        def none(there: dict[str, Object]) -> bool | None:
            return True if name not in there else None

        what = f"an end of {resource.plural} {name}"
        self.wait(resource, namespace, none, what=what, seconds=seconds, fields=f"metadata.name={name}")

    # --- the wire -----------------------------------------------------------------------------------------------------

    def json(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: dict[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Object:
        """Send JSON, and return the JSON that came back."""
        content = None if body is None else json.dumps(body).encode()
        answer: Object = json.loads(self.request(method, path, content, query, content_type))
        return answer

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        query: dict[str, str] | None = None,
        content_type: str = "application/json",
        timeout: float = 60.0,
    ) -> bytes:
        """Send one request, and return the body of the answer.

        Raises:
            ApiRefused: the answer was none of 2xx.
        """
        with self._open(method, path, body, query, content_type, timeout) as response:
            return response.read()

    def resource(self, manifest: Object) -> Resource:
        """Return the resource of a manifest, as the server knows it."""
        return _discover(self, manifest["apiVersion"])[manifest["kind"]]

    def resources(self, api_version: str, verb: str = "get") -> dict[str, Resource]:
        """Return what the server has of that version and can be done so to, by kind."""
        path = _root(api_version)
        return {
            each["kind"]: Resource(api_version, each["name"], each["namespaced"])
            for each in self.json("GET", path)["resources"]
            if "/" not in each["name"] and verb in each["verbs"]
        }

    @contextmanager
    def _open(
        self,
        method: str,
        path: str,
        body: bytes | None,
        query: dict[str, str] | None,
        content_type: str,
        timeout: float,
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        url = f"{self.server}{path}" + (f"?{urlencode(query)}" if query else "")
        headers = self.headers | ({"Content-Type": content_type} if body is not None else {})
        response = self.pool.request(
            method, url, body=body, headers=headers, timeout=timeout, preload_content=False, redirect=False
        )
        try:
            if not 200 <= response.status < 300:
                raise ApiRefused(response.status, _status(response.read()))
            yield response
        finally:
            response.release_conn() if response.length_remaining == 0 else response.close()

    def _list(self, resource: Resource, namespace: str | None, selectors: dict[str, str]) -> tuple[list[Object], str]:
        answer = self.json("GET", self._path(resource, namespace), query=_selector_query(selectors))
        kind = answer["kind"].removesuffix("List")
        items = [{"apiVersion": answer["apiVersion"], "kind": kind, **item} for item in answer["items"] or []]
        return items, answer["metadata"].get("resourceVersion", "")

    def _watch(
        self, resource: Resource, namespace: str | None, selectors: dict[str, str], version: str, deadline: float
    ) -> Iterator[Object]:
        """Yield events until the server ends the watch or the deadline is here."""
        seconds = max(deadline - time.monotonic(), 0)
        query = _selector_query(selectors) | {
            "watch": "1",
            "resourceVersion": version,
            "timeoutSeconds": str(int(seconds) + 1),
        }
        path = self._path(resource, namespace)
        try:
            with self._open("GET", path, None, query, "application/json", max(seconds, 1)) as response:
                for line in _lines(response):
                    yield json.loads(line)
                    if time.monotonic() > deadline:
                        return
        except (urllib3.exceptions.ReadTimeoutError, urllib3.exceptions.ProtocolError):
            return  # nothing happened until the deadline, or the connection broke: whoever asked lists again

    @staticmethod
    def _path(resource: Resource, namespace: str | None, name: str = "") -> str:
        inside = f"/namespaces/{namespace}" if resource.namespaced and namespace else ""
        return f"{_root(resource.api_version)}{inside}/{resource.plural}" + (f"/{quote(name)}" if name else "")


def connect(kubeconfig: Path) -> KubernetesApi:
    """Return the API server of the kubeconfig's current context."""
    client = config.new_client_from_config(str(kubeconfig))  # type: ignore[no-untyped-call]
    headers: dict[str, str] = {"Accept": "application/json"}
    client.update_params_for_auth(headers, [], ["BearerToken"], "", "", None)
    return KubernetesApi(client.rest_client.pool_manager, client.configuration.host.rstrip("/"), headers)


@lru_cache
def _resources_of(server: str, api_version: str) -> dict[str, Resource]:
    return {}


def _discover(api: KubernetesApi, api_version: str) -> dict[str, Resource]:
    known = _resources_of(api.server, api_version)
    if not known:
        known.update(api.resources(api_version))
    return known


def _root(api_version: str) -> str:
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def _namespace(manifest: Object, given: str | None) -> str | None:
    return given or manifest["metadata"].get("namespace")


def _selector_query(selectors: dict[str, str]) -> dict[str, str]:
    return {f"{name.removesuffix('s')}Selector": value for name, value in selectors.items()}


def _status(body: bytes) -> Object:
    try:
        status = json.loads(body)
    except ValueError:
        return {"message": body.decode(errors="replace")}
    return status if isinstance(status, dict) else {"message": str(status)}


def _lines(response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    unfinished = b""
    for chunk in response.stream(None):
        *lines, unfinished = (unfinished + chunk).split(b"\n")
        yield from lines


def _follow(there: dict[str, Object], event: Object) -> None:
    name = event["object"]["metadata"]["name"]
    if event["type"] == "DELETED":
        there.pop(name, None)
    else:
        there[name] = event["object"]


def _summary(there: dict[str, Object]) -> str:
    if not there:
        return "none of them at all"
    return "; ".join(f"{name} with status {json.dumps(each.get('status', {}))[:1500]}" for name, each in there.items())
