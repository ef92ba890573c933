"""The operator as it is, around a cluster in memory: its own view, observers, applier and reconciler.

What is left out is who wakes it and when: a test says what the operator sees of the cluster, and which object it works
on; so that it may see late, or not at all, and may be killed before any of its writes.
"""

import asyncio
import json
import math
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec

from penstock.act.apply import Applier
from penstock.act.cache import ObjectCache
from penstock.act.controllers import controllers
from penstock.act.metrics import OperatorMetrics
from penstock.act.queue import WorkQueue
from penstock.act.reconciler import Controller, Reconciler
from penstock.act.resync import Resync
from penstock.act.view import View, index_keys
from penstock.act.watched import WATCHED
from penstock.decide.decision import Decision, Event, Refusal, Relabel
from penstock.decide.pipeline.observation import PipelineObservation
from penstock.decide.run.observation import RunObservation
from penstock.decide.settings import Settings
from penstock.kubernetes.client import Client
from penstock.kubernetes.connection import Answer, Request
from penstock.kubernetes.errors import Conflict, Transient
from penstock.kubernetes.kinds import Key as ActKey
from penstock.kubernetes.rate_limit import RateLimiter
from unit.act.fake_api import AnswerLost, status
from unit.act.virtual_time import standing_loop
from unit.decide_run import examples_of_runs as examples
from unit.decide_run.model_api import ClusterApi
from unit.decide_run.model_cluster import Key, ModelCluster, Object
from unit.decide_run.model_promises import check_child, check_turn

MOST_STATUS = 32 * 1024
SETTINGS = Settings()
_SELECTORS = {each.kind.kind: each.selector for each in WATCHED}
Result = TypeVar("Result")


class OperatorKilled(Exception):
    """The operator died in the middle."""


class ModelOperator:
    def __init__(self, cluster: ModelCluster, settings: Settings = SETTINGS) -> None:
        self.cluster = cluster
        self.settings = settings
        self.writes = 0
        self.lives = 10**9  # writes that it has left before it dies
        self.lost = 0  # answers to its next writes that never come
        self.forbidden: str | None = None  # a kind that the API server refuses for its quota
        self._api = ClusterApi(cluster)
        self._api.fault = self._before
        self._client = Client(self._api, RateLimiter(10**9, 10**9), 1)
        self._queue: WorkQueue[ActKey] = WorkQueue(lambda: 0.5)
        self._view = View(ObjectCache(index_keys), self._queue)
        self._controllers = controllers(self._view, self._client, settings, lambda: cluster.now)
        self._decision = Decision()
        self._reconciler = Reconciler(
            {kind: self._watched(each) for kind, each in self._controllers.items()},
            self._view,
            Applier(self._client, self._view, "operator-1", lambda: cluster.now),
            self._queue,
            OperatorMetrics(),
            lambda: cluster.now,
        )
        self._time = cluster.now
        self._began = 0  # the version of the cluster from which on it watches

    @property
    def events(self) -> list[Event]:
        """What it told, in its order."""
        return self._api.events

    @property
    def seen(self) -> Mapping[Key, Object]:
        """The cluster as the operator sees it."""
        return _Seen(self._view.cache)

    def restart(self, settings: Settings | None = None) -> "ModelOperator":
        """Return another process, which has listed all and remembers nothing; of other settings, where they are given.

        Who is used on after that is an operator that does not know yet that it has lost its Lease.
        """
        other = ModelOperator(self.cluster, settings or self.settings)
        other.forbidden = self.forbidden
        if settings is None:
            self._queue.close()
        other._run(Resync(other._client, other._view, (), 60, lambda: 0.5).first())
        other._began = self.cluster.version
        return other

    def looks(self, key: Key | None = None) -> None:
        """Bring the view of one object, or of all, up to date, as watches would."""

        async def look() -> None:
            for each in [key] if key else dict.fromkeys([*self.cluster.objects, *self.seen]):
                self._look_at(each)

        self._run(look())

    def hears_late(self, which: int) -> None:
        """Be told once more, or only now, of an object as it was at some time since this process began."""
        since = [each for each in self.cluster.history if int(each["metadata"]["resourceVersion"]) > self._began]
        if not since:
            return
        late = since[which % len(since)]

        async def hear() -> None:
            if _is_watched(late):
                self._view.on_update(late)

        self._run(hear())

    def observation(self, name: str, refused: Refusal | None = None) -> RunObservation:
        observed: RunObservation = self._observed(self.seen["PipelineRun", name])
        return replace(observed, refused=refused)

    def pipeline_observation(self, pipeline: Object) -> PipelineObservation:
        observed: PipelineObservation = self._observed(pipeline)
        return observed

    def reconcile(self, name: str) -> Decision:
        """Do one pass of a run; raise `Killed` where it dies in it."""
        return self._made_right("PipelineRun", name)

    def serve(self, name: str = "churn") -> Decision:
        """Do one pass of a Pipeline."""
        return self._made_right("Pipeline", name)

    def decide(self, kind: str, name: str) -> Decision:
        """Return what a worker has decided that has yet to write it."""
        subject = self.seen[kind, name]
        return self._controllers[kind].decide(self._observed(subject), self.cluster.now)

    def rest(self, name: str, most: int = 20) -> Decision:
        """Do passes until one comes to nothing; fail where that does not come."""
        for _ in range(most):
            self.looks()
            before = self.writes
            decision, serving = self.reconcile(name), self.serve()
            writes = (*decision.writes, *serving.writes)
            if self.writes == before:  # to look for what is gone is done each time, and writes nothing
                writes = tuple(each for each in writes if not isinstance(each, Relabel))
            if not any((writes, decision.status, serving.status)):
                return decision
        raise AssertionError(f"{most} passes, and no rest: {decision}")

    def work_off(self) -> None:
        """Do a pass of whatever is in the queue."""

        async def work() -> None:
            while len(self._queue):
                key = await self._queue.take()
                self._queue.done(key, await self._reconciler.reconcile(key))

        self._run(work())

    def _made_right(self, kind: str, name: str) -> Decision:
        """Return what was decided last; of a decision about a refusal, without the writes, which nobody made."""
        self._decision = Decision()
        with suppress(Conflict, Transient):  # the worker tries again, and so do the tests
            self._run(self._reconciler.reconcile(ActKey(kind, examples.NAMESPACE, name)))
        return self._decision

    def _watched(self, controller: Controller) -> Controller:
        def decide(observation: Any, now: datetime) -> Decision:
            decision = controller.decide(observation, now)
            self._decision = replace(decision, writes=()) if observation.refused else decision
            return decision

        return Controller(controller.observe, decide)

    def _observed(self, subject: Object) -> Any:
        async def observe() -> Any:
            return (await self._controllers[subject["kind"]].observe(subject)).observation

        return self._run(observe())

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Let the operator work, after as much time as has passed for the cluster."""

        async def after_a_while() -> Result:
            if self.cluster.now > self._time:
                await asyncio.sleep((self.cluster.now - self._time).total_seconds())
                self._time = self.cluster.now
            return await work

        return standing_loop().run_until_complete(after_a_while())

    def _look_at(self, key: Key) -> None:
        there = self.cluster.objects.get(key)
        if there is not None and _is_watched(there):
            self._view.on_update(there)
        elif (known := self.seen.get(key)) is not None:
            # A watch of a label says so of an object that has lost it, which may be heard of again at a later version.
            version = math.inf if there is None else int(there["metadata"]["resourceVersion"])
            self._view.on_delete(ActKey(key[0], examples.NAMESPACE, key[1]), known["metadata"]["uid"], version)

    def _before(self, request: Request) -> Answer | None:
        """Die, refuse, or hold what must hold, before a request is answered."""
        if request.method == "GET":
            return None
        self.lives -= 1
        if self.lives < 0:
            raise OperatorKilled
        made: Object = json.loads(request.body or b"{}")
        if made.get("kind") == "Event":
            return None
        self.writes += 1
        path = urlsplit(request.path).path
        if path.endswith("/status"):
            assert len(msgspec.json.encode(made["status"])) <= MOST_STATUS
        elif request.method == "POST" or "apply" in request.content_type:
            refused = self._check(made)
            if refused is not None:
                return refused
        if self.lost > 0:
            self.lost -= 1
            raise AnswerLost
        return None

    def _check(self, made: Object) -> Answer | None:
        key = made["kind"], made["metadata"]["name"]
        if made["kind"] == "Service":
            self.check_service_switch(made)
        if key in self.cluster.objects:
            return None
        if made["kind"] == self.forbidden:
            return status(403, "Forbidden", "exceeded quota: pods, used: 3, limited: 3")
        check_child(self.cluster, made, self.seen)
        return None

    def check_service_switch(self, service: Object) -> None:
        check_turn(self.cluster, service, [self.seen[key] for key in self.seen if key[0] == "Deployment"])


class _Seen(Mapping[Key, Object]):
    """What a cache holds, by kind and name."""

    def __init__(self, cache: ObjectCache) -> None:
        self._cache = cache

    def __getitem__(self, key: Key) -> Object:
        found = self._cache.get(ActKey(key[0], examples.NAMESPACE, key[1]))
        if found is None:
            raise KeyError(key)
        return found

    def __iter__(self) -> Iterator[Key]:
        return ((each.kind, each.name) for kind in _SELECTORS for each in self._cache.keys(kind))

    def __len__(self) -> int:
        return len(self._cache)


def _is_watched(there: Object) -> bool:
    """Return whether a watch tells of the object: of kinds that others make too, only of what has the label."""
    selector = _SELECTORS[there["kind"]]
    return selector is None or selector in there["metadata"].get("labels", {})


def settle(cluster: ModelCluster, operator: ModelOperator, *names: str) -> Object:
    """Let everything go well from here on, until these runs (churn-1, if none is named) have ended; return the last."""
    operator.lives = 10**9
    operator.lost = 0
    operator.forbidden = None
    names = names or ("churn-1",)
    for passed in range(100):
        for name in names:
            operator.rest(name)
        runs = [cluster.objects["PipelineRun", name] for name in names]
        if all((run.get("status") or {}).get("completionTime") for run in runs):
            return runs[-1]
        advance(cluster)
        cluster.advance_clock(0 if passed < 60 else 120)  # what was tried often is tried again after a while only
    raise AssertionError(f"They do not end: {[run.get('status') for run in runs]}")


def advance(cluster: ModelCluster) -> None:
    """Let Kubernetes, and whoever serves, do all that they have to do, well."""
    cluster.advance_clock(2)
    for job in cluster.of("Job"):
        cluster.admit(job)
    for job in cluster.of("Job"):
        cluster.control(job)
    for pod in list(cluster.live_pods()):
        if pod["metadata"].get("deletionTimestamp") is not None:
            cluster.remove(("Pod", pod["metadata"]["name"]))
    for pod in cluster.unfinished_pods():
        cluster.finish(pod)
    for each in cluster.of("Deployment"):
        cluster.roll_out(each)
