"""The parts of the shell, put together around an API server in memory; and small objects for it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from penstock.act.apply import Applier
from penstock.act.cache import ObjectCache
from penstock.act.metrics import OperatorMetrics
from penstock.act.queue import WorkQueue
from penstock.act.reconciler import Controller, Observed, Reconciler
from penstock.act.view import View, index_keys
from penstock.decide.decision import Decision, Refusal
from penstock.kubernetes.client import Client
from penstock.kubernetes.kinds import Key, Object
from penstock.kubernetes.rate_limit import RateLimiter
from unit.act.fake_api import FakeApi

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class ShellObservation:
    """The smallest observation."""

    run: Object
    refused: Refusal | None = None


class Shell:
    """A shell without watches: what others change is seen when a test says so."""

    def __init__(
        self,
        api: FakeApi,
        decide: Callable[[Any, datetime], Decision] = lambda seen, now: Decision(),
        rate: float = 1000.0,
        concurrent: int = 4,
    ) -> None:
        self.api = api
        self.metrics = OperatorMetrics()
        self.client = Client(api, RateLimiter(rate, 10), concurrent, self.metrics.count_write)
        self.queue: WorkQueue[Key] = WorkQueue(lambda: 0.5)
        self.view = View(ObjectCache(index_keys), self.queue)
        self.applier = Applier(self.client, self.view, "operator-1", lambda: NOW)

        async def observe(run: Object) -> Observed:
            return Observed(ShellObservation(run))

        table = {"PipelineRun": Controller(observe, decide)}
        self.reconciler = Reconciler(table, self.view, self.applier, self.queue, self.metrics, lambda: NOW)

    async def work_until_quiet(self, workers: int = 3) -> None:
        """Work until nothing is left to do but appointments."""
        tasks = [asyncio.create_task(self.reconciler.work()) for _ in range(workers)]
        await self.queue.quiet()
        self.queue.close()
        await asyncio.gather(*tasks)


def make_run(name: str = "churn-1", **status: Any) -> Object:
    made: Object = {
        "apiVersion": "penstock.dev/v1alpha1",
        "kind": "PipelineRun",
        "metadata": {"name": name, "namespace": "team"},
        "spec": {"pipelineRef": {"name": "churn"}},
    }
    return made | ({"status": status} if status else {})


def make_child(kind: str, name: str, owner: Object, **rest: Any) -> Object:
    api_version = {"Job": "batch/v1", "ControllerRevision": "apps/v1"}.get(kind, "v1")
    metadata = {
        "name": name,
        "namespace": owner["metadata"]["namespace"],
        "labels": {"penstock.dev/run-uid": owner["metadata"]["uid"]},
        "ownerReferences": [
            {
                "apiVersion": owner["apiVersion"],
                "kind": owner["kind"],
                "name": owner["metadata"]["name"],
                "uid": owner["metadata"]["uid"],
                "controller": True,
            }
        ],
    }
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **rest}
