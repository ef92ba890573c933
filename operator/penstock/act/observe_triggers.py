"""What a Trigger's decision may know, all of it out of the cache."""

from penstock.act.listers import CachedRunLister
from penstock.act.reconciler import Observed
from penstock.act.view import View, of_following, of_look, of_trigger, senders_of
from penstock.decide.observed.listers import RunLister, pipeline_of, watched_pipeline
from penstock.decide.settings import Settings
from penstock.decide.trigger.observation import Looks, TriggerObservation
from penstock.kubernetes.kinds import Key, Object


class TriggerObserver:
    """Observes Triggers.

    Args:
        view: the cluster as it is seen.
        settings: those of the operator.
    """

    def __init__(self, view: View, settings: Settings) -> None:
        self._view = view
        self._settings = settings

    async def __call__(self, trigger: Object) -> Observed:
        """Return what is to be known of the Trigger."""
        cache, metadata = self._view.cache, trigger["metadata"]
        namespace, pipeline, watched = metadata["namespace"], pipeline_of(trigger), watched_pipeline(trigger)
        observation = TriggerObservation(
            trigger=trigger,
            pipeline=cache.get(Key("Pipeline", namespace, pipeline)),
            own_runs=cache.by_index(of_trigger(metadata["uid"])),
            runs=CachedRunLister(cache, namespace, pipeline),
            watched=RunLister() if watched is None else CachedRunLister(cache, namespace, watched),
            triggers=() if watched is None else cache.by_index(of_following(namespace)),
            looks=Looks(*(cache.by_index(of_look(metadata["uid"]), kind) for kind in ("Job", "Pod", "ConfigMap"))),
            senders=senders_of(cache, metadata["uid"]),
            settings=self._settings,
        )
        return Observed(observation)
