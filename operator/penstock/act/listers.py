"""The runs and Models that a reconcile asks about, answered by the marks and summaries of the cache, without a walk."""

from collections.abc import Iterable, Iterator, Sequence

from penstock.act.cache import ObjectCache
from penstock.act.view import of_live, of_namespace, of_pipeline, of_run, of_server, of_server_once, of_storage
from penstock.decide.observed.listers import ModelLister, RunLister, RunSummary
from penstock.kubernetes.kinds import Key, Object


class CachedModelLister(ModelLister):
    """The Models of a namespace, as they are seen."""

    def __init__(self, cache: ObjectCache, namespace: str) -> None:
        super().__init__()
        self._cache = cache
        self._namespace = namespace

    def __iter__(self) -> Iterator[Object]:
        return iter(self._cache.by_index(of_namespace("Model", self._namespace)))

    def get(self, name: str) -> Object | None:
        """Return the Model of that name."""
        return self._cache.get(Key("Model", self._namespace, name))

    def of_run(self, uid: str) -> Iterable[Object]:
        """Return those that the run of that uid made."""
        return self._cache.by_index(of_run(uid), "Model")

    def of_pipeline(self, pipeline: str) -> Sequence[Object]:
        """Return those that are of that Pipeline."""
        return self._cache.by_index(of_pipeline("Model", self._namespace, pipeline))

    def count_of_pipeline(self, pipeline: str) -> int:
        """Return how many are of that Pipeline."""
        return len(self._cache.keys_by_index(of_pipeline("Model", self._namespace, pipeline)))

    def of_server(self, pipeline: str) -> Iterable[Object]:
        """Return those that say that this Pipeline serves them."""
        return self._cache.by_index(of_server(self._namespace, pipeline))

    def served_once(self, pipeline: str) -> Iterable[Object]:
        """Return those that say since when this Pipeline serves, or served, them."""
        return self._cache.by_index(of_server_once(self._namespace, pipeline))

    def of_storage(self, storage: str) -> Iterable[Object]:
        """Return those that were made of the tables in that storage."""
        return self._cache.by_index(of_storage(self._namespace, storage))


class CachedRunLister(RunLister):
    """The runs of a Pipeline as they are seen; but for one, where they are those beside it.

    Args:
        cache: the cluster, as it is seen.
        namespace: the Pipeline's namespace.
        pipeline: its name.
        without: the uid of the run that is left out.
    """

    def __init__(self, cache: ObjectCache, namespace: str, pipeline: str, without: str | None = None) -> None:
        super().__init__()
        self._cache = cache
        self._namespace = namespace
        self._live = of_live(namespace, pipeline)
        self._all = of_pipeline("PipelineRun", namespace, pipeline)
        self._without = without

    def __iter__(self) -> Iterator[Object]:
        return iter(self._cache.by_index(self._all, without=self._without))

    @property
    def summaries(self) -> Iterable[RunSummary]:
        """A summary of each."""
        return self._cache.summaries(self._all, without=self._without)

    @property
    def live(self) -> Sequence[Object]:
        """Those that have not ended."""
        return self._cache.by_index(self._live, without=self._without)

    def get(self, name: str) -> Object | None:
        """Return the run of that name."""
        return self._cache.get(Key("PipelineRun", self._namespace, name))
