"""A cluster with Triggers, and the operator's own shell around it: what it sees, writes, and may be killed in."""

import json
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec

from penstock.act.apply import Applier
from penstock.act.cache import ObjectCache
from penstock.act.metrics import OperatorMetrics
from penstock.act.observe_triggers import TriggerObserver
from penstock.act.queue import WorkQueue
from penstock.act.reconciler import Controller, Reconciler
from penstock.act.view import View, index_keys
from penstock.api.trigger import Trigger
from penstock.decide.settings import Settings
from penstock.decide.times import write_time
from penstock.decide.trigger.make_run import make_run
from penstock.decide.trigger.occasion import Occasion
from penstock.decide.trigger.reconcile import decide
from penstock.kubernetes.client import Client
from penstock.kubernetes.connection import Answer, Request
from penstock.kubernetes.errors import Conflict, Transient
from penstock.kubernetes.kinds import Key, Object, key_of
from penstock.kubernetes.rate_limit import RateLimiter
from unit.act.fake_api import FakeApi, status
from unit.act.virtual_time import standing_loop

NAMESPACE = "team"
BEGIN = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)
MOST_STATUS = 32 * 1024
Result = TypeVar("Result")


class OperatorKilled(Exception):
    """The operator died in the middle."""


class TriggerCluster:
    """What is there, and the time. `created` are the names of all runs that were ever made."""

    def __init__(self) -> None:
        self.now = BEGIN
        self.api = FakeApi(latency=0.0)
        self.created: list[str] = []
        self.last_uid = 0

    def apply_trigger(self, name: str = "nightly", **spec: Any) -> Object:
        """Make a Trigger, or change the spec of one, as a person does."""
        path = self._path("triggers", name)
        known = self.api.objects.get(path)
        spec = {"pipelineRef": {"name": "churn"}, **spec}
        if known is not None:
            generation = known["metadata"]["generation"] + (known["spec"] != spec)
            return self.api.put(known | {"spec": spec, "metadata": {**known["metadata"], "generation": generation}})
        return self._make("Trigger", name, spec, {"generation": 1})

    def apply_pipeline(self, name: str = "churn", generation: int = 1, **spec: Any) -> Object:
        """Make a Pipeline, or change its spec."""
        path = self._path("pipelines", name)
        if path in self.api.objects:
            known = self.api.objects[path]
            return self.api.put(known | {"spec": spec, "metadata": {**known["metadata"], "generation": generation}})
        return self._make("Pipeline", name, spec, {"generation": generation})

    def apply_run(self, name: str, pipeline: str = "churn") -> Object:
        """Make a run as a person does."""
        return self._make("PipelineRun", name, {"pipelineRef": {"name": pipeline}}, {})

    def make_run_for(self, occasion: Occasion, trigger: str = "nightly", *, waits: bool = True) -> str:
        """Make a run as the receiver of events does, and return its name."""
        made = make_run(msgspec.convert(self.trigger(trigger), Trigger, strict=False), occasion, waits=waits)
        metadata = made["metadata"]
        self._make("PipelineRun", metadata["name"], made["spec"], metadata)
        self.created.append(str(metadata["name"]))
        return str(metadata["name"])

    def finish(
        self, name: str, result: str = "Succeeded", *, verdict: str | None = None, reason: str | None = None
    ) -> None:
        """Let a run end; its reason is its result, where no other is given."""
        run = self.run(name)
        outcome = "True" if result == "Succeeded" else "False"
        ended: Object = {
            "completionTime": write_time(self.now),
            "conditions": [
                {
                    "type": "Succeeded",
                    "status": outcome,
                    "reason": reason or result,
                    "message": "",
                    "lastTransitionTime": write_time(self.now),
                }
            ],
        }
        if verdict is not None:
            step = {"name": "deployment", "state": "Succeeded", "deployment": {"verdict": verdict}}
            ended["steps"] = [step]
        self.api.put(run | {"status": ended})

    def work_at_runs(self) -> None:
        """Let what the operator of runs would do happen: those that are cancelled end."""
        for run in self.runs():
            if run["spec"].get("cancel") and "status" not in run:
                self.finish(run["metadata"]["name"], "Cancelled")

    def delete(self, kind: str, name: str) -> None:
        """Delete an object, and the runs of a Trigger with it, as the collector of garbage does."""
        gone = self.api.objects[self._path(kind, name)]
        self.api.remove(gone)
        for run in self.runs():
            owners = run["metadata"].get("ownerReferences") or ()
            if any(owner["uid"] == gone["metadata"]["uid"] for owner in owners):
                self.api.remove(run)

    def lose_status(self, name: str = "nightly") -> None:
        """Lose the status, as where a backup without it is restored."""
        known = self.trigger(name)
        self.api.put({field: value for field, value in known.items() if field != "status"})

    def trigger(self, name: str = "nightly") -> Object:
        """Return a Trigger."""
        return self.api.objects[self._path("triggers", name)]

    def status(self, name: str = "nightly") -> Object:
        """Return the status of a Trigger."""
        found: Object = self.trigger(name).get("status") or {}
        return found

    def counts(self, name: str = "nightly") -> tuple[int, int, int]:
        """Return how many were fired, skipped and missed."""
        counts = self.status(name).get("counts") or {}
        return counts.get("fired", 0), counts.get("skipped", 0), counts.get("missed", 0)

    def ready(self, name: str = "nightly") -> tuple[str, str]:
        """Return status and reason of `Ready`."""
        found = next(each for each in self.status(name)["conditions"] if each["type"] == "Ready")
        return found["status"], found["reason"]

    def reasons(self, name: str = "nightly") -> list[tuple[str, str]]:
        """Return outcome and reason of what is in the history, the oldest first."""
        return [(each["outcome"], each["reason"]) for each in reversed(self.status(name).get("history") or ())]

    def run(self, name: str) -> Object:
        """Return a run."""
        return self.api.objects[self._path("pipelineruns", name)]

    def runs(self) -> list[Object]:
        """Return the runs that are there, in the order of what they are for."""
        found = [each for path, each in self.api.objects.items() if "/pipelineruns/" in path]
        return sorted(found, key=lambda run: str((run["spec"].get("trigger") or {}).get("scheduledTime")))

    def moments(self) -> list[str]:
        """Return what the runs that are there are for."""
        return [run["spec"]["trigger"]["scheduledTime"] for run in self.runs()]

    def live(self) -> list[str]:
        """Return the runs that have neither ended nor wait, nor are cancelled."""
        return [
            run["metadata"]["name"]
            for run in self.runs()
            if "status" not in run and not run["spec"].get("suspend") and not run["spec"].get("cancel")
        ]

    def _make(self, kind: str, name: str, spec: Object, metadata: Object) -> Object:
        self.last_uid += 1
        return self.api.put(
            {
                "apiVersion": "penstock.dev/v1alpha1",
                "kind": kind,
                "metadata": {
                    "namespace": NAMESPACE,
                    "uid": f"{kind}-{self.last_uid}",
                    "creationTimestamp": write_time(self.now),
                    **metadata,
                    "name": name,
                },
                "spec": spec,
            }
        )

    @staticmethod
    def _path(plural: str, name: str) -> str:
        return f"/apis/penstock.dev/v1alpha1/namespaces/{NAMESPACE}/{plural}/{name}"


class TriggerOperator:
    """One process of the operator; it dies before its next write once `lives` are used up."""

    def __init__(self, cluster: TriggerCluster) -> None:
        self.cluster = cluster
        self.lives = 10**9
        self.quota = 10**9  # how many more runs the namespace has room for
        self.jobs_quota = 10**9
        cluster.api.fault = self._before
        client = Client(cluster.api, RateLimiter(10**9, 10**9), 1)
        queue: WorkQueue[Key] = WorkQueue(lambda: 0.5)
        self.metrics = OperatorMetrics()
        self._view = View(ObjectCache(index_keys), queue)
        self._reconciler = Reconciler(
            {"Trigger": Controller(TriggerObserver(self._view, Settings()), decide)},
            self._view,
            Applier(client, self._view, "operator-1", lambda: cluster.now),
            queue,
            self.metrics,
            lambda: cluster.now,
        )

    def look(self) -> None:
        """See all that is there, and nothing else."""

        async def look() -> None:
            for found in list(self.cluster.api.objects.values()):
                if found["kind"] != "Event":
                    self._view.on_update(found)
            there = {key_of(found) for found in self.cluster.api.objects.values()}
            for kind in ("Trigger", "Pipeline", "PipelineRun", "Job"):
                for key in self._view.cache.keys(kind):
                    if key not in there and (known := self._view.cache.get(key)) is not None:
                        self._view.on_delete(key, known["metadata"]["uid"])

        self._run(look())

    def settle(self, most: int = 60) -> float | None:
        """Work until nothing changes, and return in how many seconds it looks at a Trigger again."""
        for _ in range(most):
            before, again = self.cluster.api.version, []
            self.look()
            for key in self._view.cache.keys("Trigger"):
                try:
                    again.append(self._run(self._reconciler.reconcile(key)))
                except (Conflict, Transient):
                    continue
            self.cluster.work_at_runs()
            if self.cluster.api.version == before:
                return min((each for each in again if each is not None), default=None)
        raise AssertionError(f"{most} passes, and no rest.")

    def wait(self, seconds: float) -> None:
        """Work for so long, at each moment that it asked for."""
        until = self.cluster.now + timedelta(seconds=seconds)
        while True:
            again = self.settle()
            following = until if again is None else self.cluster.now + timedelta(seconds=max(again, 0.05))
            if following >= until:
                self.cluster.now = until
                self.settle()
                return
            self.cluster.now = following

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return standing_loop().run_until_complete(work)

    def _before(self, request: Request) -> Answer | None:
        if request.method == "GET":
            return None
        self.lives -= 1
        if self.lives < 0:
            raise OperatorKilled
        body: Object = json.loads(request.body or b"{}")
        if urlsplit(request.path).path.endswith("/pipelineruns") and request.method == "POST":
            return self._before_run(body)
        if urlsplit(request.path).path.endswith("/jobs") and request.method == "POST" and self.jobs_quota <= 0:
            return status(403, "Forbidden", "exceeded quota: jobs, used: 3, limited: 3")
        if "/status" in request.path:
            assert len(msgspec.json.encode(body["status"])) <= MOST_STATUS
        return None

    def _before_run(self, made: Object) -> Answer | None:
        if self.quota <= 0:
            return status(403, "Forbidden", "exceeded quota: runs, used: 3, limited: 3")
        name = made["metadata"]["name"]
        if not any(path.endswith(f"/pipelineruns/{name}") for path in self.cluster.api.objects):
            self.quota -= 1
            self.cluster.created.append(name)
        return None


def start(**spec: Any) -> tuple[TriggerCluster, TriggerOperator]:
    """Return a cluster with a Trigger, and an operator that has seen it."""
    cluster = TriggerCluster()
    cluster.apply_trigger(**spec)
    operator = TriggerOperator(cluster)
    operator.settle()
    return cluster, operator


EVERY_MINUTE: dict[str, Any] = {"schedule": {"cron": ["* * * * *"]}}
EVERY_HOUR: dict[str, Any] = {"schedule": {"cron": ["@hourly"]}}
