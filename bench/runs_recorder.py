"""What happens to the objects of a namespace, and when: each change as the API server tells it.

A watch tells each write to etcd of an object once, so that counting its events counts the writes and deletes.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from types import TracebackType
from typing import Any

import msgspec
import urllib3

from cluster.kubernetes_api import CONFIG_MAPS, JOBS, PODS, KubernetesApi, Resource

PIPELINES = Resource("penstock.dev/v1alpha1", "pipelines")
RUNS = Resource("penstock.dev/v1alpha1", "pipelineruns")
MODELS = Resource("penstock.dev/v1alpha1", "models")
REVISIONS = Resource("apps/v1", "controllerrevisions")
WATCHED = (PODS, JOBS, CONFIG_MAPS, REVISIONS, RUNS, PIPELINES, MODELS)
SECONDS = 1200  # that a watch lasts at most
CHAIN, STEP = "bench-chain", "bench-step"  # labels of the floor's Jobs and pods
OURS = {"penstock.dev/run-uid": CHAIN, "penstock.dev/step": STEP}  # what says the same of the operator's
_NOT_OURS = "kube-root-ca.crt"


@dataclass
class Recorder:
    """Watches a namespace as long as it is entered.

    Attributes:
        writes: how many writes and deletes there were, by the plural of the kind.
        exits: when a container was first told to have ended, by chain and step.
        jobs: when the Job was told of first, by chain and step.
        complete: when the Job was told to be complete, by chain and step.
        finished: when a run was told to have ended, by its uid.
    """

    api: KubernetesApi
    namespace: str
    writes: Counter[str] = field(default_factory=Counter)
    exits: dict[tuple[str, str], float] = field(default_factory=dict)
    jobs: dict[tuple[str, str], float] = field(default_factory=dict)
    complete: dict[tuple[str, str], float] = field(default_factory=dict)
    finished: dict[str, float] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    last: float = 0.0
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _responses: list[urllib3.BaseHTTPResponse] = field(default_factory=list)
    _ended: bool = False

    def __enter__(self) -> "Recorder":
        for resource in WATCHED:
            response = self._open_watch(resource)
            self._responses.append(response)
            threading.Thread(target=self._follow, args=(resource, response), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ended = True
        for response in self._responses:
            with suppress(RuntimeError):  # it has ended by itself
                response.shutdown()  # to close it would wait for the thread that reads

    def wait(self, what: str, holds: Callable[[], bool], seconds: float) -> None:
        """Wait until that holds, which is asked at each change."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while not holds():
                if self.failed:
                    raise SystemExit(f"It failed: {self.failed[0]}")
                if not self._changed.wait(max(deadline - time.monotonic(), 0)) and time.monotonic() > deadline:
                    raise SystemExit(f"After {seconds:.0f} s there still was not {what}.")

    def settle(self, seconds: float) -> None:
        """Wait until nothing has changed for so long."""
        while (rest := self.last + seconds - time.monotonic()) > 0:
            time.sleep(rest)

    def gaps(self, steps: tuple[str, ...]) -> list[float]:
        """Return the seconds from each container's exit to when the Job of the next step of its chain was there."""
        following = dict(pairwise(steps))
        return [
            self.jobs[chain, following[step]] - at
            for (chain, step), at in self.exits.items()
            if step in following and (chain, following[step]) in self.jobs
        ]

    def _open_watch(self, resource: Resource) -> urllib3.BaseHTTPResponse:
        root = f"/apis/{resource.api_version}" if "/" in resource.api_version else f"/api/{resource.api_version}"
        path = f"{root}/namespaces/{self.namespace}/{resource.plural}"
        version = self.api.json("GET", path, query={"limit": "1"})["metadata"]["resourceVersion"]
        url = f"{self.api.server}{path}?watch=1&resourceVersion={version}&timeoutSeconds={SECONDS}"
        response = self.api.pool.request(
            "GET", url, headers=self.api.headers, preload_content=False, timeout=float(SECONDS)
        )
        assert response.status == 200, response.read()
        return response

    def _follow(self, resource: Resource, response: urllib3.BaseHTTPResponse) -> None:
        try:
            for line in _lines(response):
                now = time.monotonic()
                event = msgspec.json.decode(line)
                with self._changed:
                    self._take_in(resource, event, now)
                    self._changed.notify_all()
            ended = "the server ended it"
        except Exception as error:
            ended = repr(error)
        if not self._ended:  # what was told meanwhile is not counted
            self.failed.append(f"the watch of {resource.plural}: {ended}")

    def _take_in(self, resource: Resource, event: dict[str, Any], now: float) -> None:
        found = event["object"]
        if event["type"] == "ERROR" or found["metadata"]["name"] == _NOT_OURS:
            return
        self.last = now
        self.writes[resource.plural] += 1
        labels = found["metadata"].get("labels") or {}
        said = {**labels, **{ours: labels[theirs] for theirs, ours in OURS.items() if theirs in labels}}
        place = said.get(CHAIN, ""), said.get(STEP, "")
        status = found.get("status") or {}
        if resource == PODS and any("terminated" in each["state"] for each in status.get("containerStatuses") or ()):
            self.exits.setdefault(place, now)
        elif resource == JOBS:
            self.jobs.setdefault(place, now)
            if _is_true(status, "Complete"):
                self.complete.setdefault(place, now)
            elif _is_true(status, "Failed"):
                self.failed.append(f"the Job {found['metadata']['name']}: {status}")
        elif resource == RUNS and status.get("completionTime"):
            if not _is_true(status, "Succeeded"):
                self.failed.append(f"the run {found['metadata']['name']}: {status.get('conditions')}")
            self.finished.setdefault(found["metadata"]["uid"], now)


def _is_true(status: dict[str, Any], kind: str) -> bool:
    return any(each["type"] == kind and each["status"] == "True" for each in status.get("conditions") or ())


def _lines(response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    unfinished = b""
    for chunk in response.stream(None):
        *lines, unfinished = (unfinished + chunk).split(b"\n")
        yield from lines
