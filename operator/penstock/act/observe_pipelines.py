"""What a Pipeline's decision may know, all of it out of the cache."""

from penstock.act.listers import CachedModelLister, CachedRunLister
from penstock.act.reconciler import Observed
from penstock.act.view import View, of_namespace, of_pipeline, of_starting, senders_of
from penstock.decide.pipeline.observation import PipelineObservation
from penstock.decide.settings import Settings
from penstock.kubernetes.kinds import Key, Object


class PipelineObserver:
    """Observes Pipelines.

    Args:
        view: the cluster as it is seen.
        settings: those of the operator.
    """

    def __init__(self, view: View, settings: Settings) -> None:
        self._view = view
        self._settings = settings

    async def __call__(self, pipeline: Object) -> Observed:
        """Return what is to be known of the Pipeline."""
        cache, metadata = self._view.cache, pipeline["metadata"]
        namespace, name = metadata["namespace"], metadata["name"]
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
        )
        return Observed(observation)
