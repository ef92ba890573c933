"""What a run's decision may know, out of the cache; and from the API server what is in no cache.

That is: events that say why a Job has no pod or a pod does not start, asked for only when there is such a Job or pod
for a while, and less often the longer it is there; and the end of a pod's log, where its result was too long for the
pod's status. What Kueue says of Jobs in queues is heard of.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from penstock.act import kueue
from penstock.act.identities import Identities
from penstock.act.listers import CachedModelLister, CachedRunLister
from penstock.act.pod_logs import PodLogs
from penstock.act.reconciler import Observed
from penstock.act.view import View, of_pipeline, of_record, of_run, senders_of
from penstock.decide.observed.listers import is_live, pipeline_of
from penstock.decide.run.gathering import living, maps_of
from penstock.decide.run.observation import RunObservation
from penstock.decide.run.reconcile import pending_logs
from penstock.decide.run.rerun import find_repeated_run
from penstock.decide.run.reuse import results_to_reuse
from penstock.decide.settings import Settings
from penstock.kubernetes.client import Client
from penstock.kubernetes.kinds import Key, Object, controller_of

PATIENCE = 5.0  # seconds after which a Job without a pod, or a pod that does not start, is asked after
EVENTS_FRESH, LONGEST_FRESH = 10.0, 600.0  # seconds; what has waited for long is asked after less often
_TELLING = frozenset({"FailedCreate", "FailedMount", "FailedAttachVolume"})


class RunObserver:
    """Observes runs.

    Args:
        view: the cluster as it is seen.
        client: what asks for what is in no cache.
        identities: what tells a definition, or a namespace, from another of the same name.
        settings: those of the operator.
        now: the time.
    """

    def __init__(
        self, view: View, client: Client, identities: Identities, settings: Settings, now: Callable[[], datetime]
    ) -> None:
        self._view = view
        self._client = client
        self._identities = identities
        self._settings = settings
        self._now = now
        self._logs = PodLogs(client)
        self._events: dict[str, tuple[float, tuple[Object, ...]]] = {}

    async def __call__(self, run: Object) -> Observed:
        """Return what is to be known of the run."""
        cache, uid, namespace = self._view.cache, run["metadata"]["uid"], run["metadata"]["namespace"]
        pipeline = pipeline_of(run)
        jobs, pods = (tuple(cache.by_index(of_run(uid), kind)) for kind in ("Job", "Pod"))
        maps = maps_of(cache.by_index(of_run(uid), "ConfigMap"))
        events, requeue_after = await self._events_about(namespace, jobs, pods)
        observation = RunObservation(
            run=run,
            settings=self._settings,
            pipeline=living(cache.get(Key("Pipeline", namespace, pipeline))),
            revision=next(iter(cache.by_index(of_run(uid), "ControllerRevision")), None),
            results=maps.results,
            specifications=maps.specifications,
            jobs=jobs,
            pods=pods,
            events=events,
            runs=CachedRunLister(cache, namespace, pipeline, without=uid),
            models=CachedModelLister(cache, namespace),
            deployments=tuple(cache.by_index(of_pipeline("Deployment", namespace, pipeline))),
            files=frozenset(key.name for key in cache.keys_by_index(of_record("ControllerRevision", uid))),
            identity=await self._identities.recall(namespace, "PipelineRun") if is_live(run) else None,
            senders=senders_of(cache, uid),
        )
        observation = self._with_earlier_runs(observation) if is_live(run) else observation
        whole = await self._logs.whole(pending_logs(observation))
        return Observed(replace(observation, whole=whole), requeue_after)

    def _with_earlier_runs(self, observation: RunObservation) -> RunObservation:
        """Return the observation with what the run takes over from earlier ones."""
        cache, run, runs = self._view.cache, observation.run, observation.runs
        names = results_to_reuse(run, runs)
        earlier = (cache.get(Key("ConfigMap", run["metadata"]["namespace"], name)) for name in names)
        repeated = find_repeated_run(run, runs)
        revisions = cache.by_index(of_run(repeated["metadata"]["uid"]), "ControllerRevision") if repeated else ()
        return replace(
            observation,
            earlier=tuple(each for each in earlier if each is not None),
            repeated=next(iter(revisions), None),
        )

    async def _events_about(
        self, namespace: str, jobs: Iterable[Object], pods: Iterable[Object]
    ) -> tuple[tuple[Object, ...], float | None]:
        """Return the events about what does not start, and when there may be more to ask."""
        found: list[Object] = []
        requeue_after: float | None = None
        for job in filter(kueue.is_queued, jobs):
            found += self._view.workloads.events_about(job)
        for stuck in (*_without_pod(jobs, pods), *_not_started(pods)):
            age = (self._now() - _creation_time(stuck)).total_seconds()
            wait = PATIENCE - age
            if wait <= 0:
                found += await self._recent_events(namespace, stuck)
                wait = min(max(EVENTS_FRESH, age / 10), LONGEST_FRESH)
            requeue_after = wait if requeue_after is None else min(requeue_after, wait)
        return tuple(found), requeue_after

    async def _recent_events(self, namespace: str, stuck: Object) -> tuple[Object, ...]:
        now, uid = asyncio.get_running_loop().time(), stuck["metadata"]["uid"]
        for old in [each for each, (at, _) in self._events.items() if now - at >= EVENTS_FRESH]:
            del self._events[old]
        if uid not in self._events:
            told = await self._client.events_about(namespace, uid)
            self._events[uid] = now, tuple(each for each in told if each.get("reason") in _TELLING)
        return self._events[uid][1]


def _without_pod(jobs: Iterable[Object], pods: Iterable[Object]) -> Iterator[Object]:
    """Yield the Jobs that should have a pod and have none."""
    owners = {(controller_of(pod) or {}).get("uid") for pod in pods}
    for job in jobs:
        ended = any(
            each["type"] in ("Complete", "Failed") and each["status"] == "True"
            for each in job["status"].get("conditions") or ()
        )
        if not ended and not job["spec"].get("suspend") and job["metadata"]["uid"] not in owners:
            yield job


def _not_started(pods: Iterable[Object]) -> Iterator[Object]:
    """Yield the pods that have a node, and of which no container has begun."""
    for pod in pods:
        containers = pod["status"].get("containerStatuses") or ()
        waiting = all("waiting" in (each.get("state") or {}) for each in containers)
        if pod["status"].get("phase") == "Pending" and "nodeName" in pod["spec"] and waiting:
            yield pod


def _creation_time(found: Object) -> datetime:
    return datetime.fromisoformat(found["metadata"]["creationTimestamp"])
