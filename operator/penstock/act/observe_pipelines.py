"""What a Pipeline's decision may know, all of it out of the cache; and which of them are about to take a place."""

from collections.abc import Callable
from datetime import datetime

from penstock.act.listers import CachedModelLister, CachedRunLister
from penstock.act.reconciler import Observed
from penstock.act.view import View, of_namespace, of_pipeline, of_starting, of_upgrades, senders_of
from penstock.decide.decision import Decision
from penstock.decide.objects.rollout import starts_upgrade
from penstock.decide.pipeline.observation import PipelineObservation
from penstock.decide.pipeline.reconcile import decide
from penstock.decide.settings import Settings
from penstock.kubernetes.kinds import Key, Object


class PipelineObserver:
    """Observes Pipelines.

    Args:
        view: the cluster as it is seen.
        settings: those of the operator.
        now: the time.
    """

    def __init__(self, view: View, settings: Settings, now: Callable[[], datetime]) -> None:
        self._view = view
        self._settings = settings
        self._now = now
        self._leader_since: datetime | None = None
        self._starting: dict[Key, str] = {}  # the uids of those whose write is under way, or was not seen yet

    async def __call__(self, pipeline: Object) -> Observed:
        """Return what is to be known of the Pipeline."""
        cache, metadata = self._view.cache, pipeline["metadata"]
        namespace, name = metadata["namespace"], metadata["name"]
        self._leader_since = self._leader_since or self._now()  # nothing is observed by who stands by
        # What it was about to write is in the cache by now, or was not written.
        self._starting.pop(Key("Pipeline", namespace, name), None)
        observation = PipelineObservation(
            pipeline=pipeline,
            settings=self._settings,
            runs=CachedRunLister(cache, namespace, name),
            models=CachedModelLister(cache, namespace),
            deployments=cache.by_index(of_pipeline("Deployment", namespace, name)),
            pods=tuple(cache.by_index(of_pipeline("Pod", namespace, name))),
            serving_files=tuple(cache.by_index(of_pipeline("ConfigMap", namespace, name))),
            pipelines=cache.by_index(of_namespace("Pipeline", namespace)),
            triggers=cache.by_index(of_starting(namespace, name)),
            records=cache.by_index(of_pipeline("ControllerRevision", namespace, name)),
            service=cache.get(Key("Service", namespace, name)),
            senders=senders_of(cache, metadata["uid"]),
            upgrades=cache.by_index(of_upgrades(), "Deployment"),
            starting_upgrades=frozenset(uid for key, uid in self._starting.items() if cache.get(key) is not None),
            leader_since=self._leader_since,
        )
        return Observed(observation)

    def decide(self, observation: PipelineObservation, now: datetime) -> Decision:
        """Return what is to be done for the Pipeline, and count it among those that start where it is to have a place.

        Between observing and this nothing else happens, so that two workers never take one place.
        """
        decision, metadata = decide(observation, now), observation.pipeline["metadata"]
        key = Key("Pipeline", metadata["namespace"], metadata["name"])
        self._starting.pop(key, None)
        if observation.refused is None and any(map(starts_upgrade, decision.writes)):
            self._starting[key] = metadata["uid"]
        return decision
