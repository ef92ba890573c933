"""The other runs and the Models as a run asks for them, answered by the marks of the cache, without a walk."""

from collections.abc import Container, Iterable, Iterator

from penstock.act.cache import Cache
from penstock.act.kinds import Key, Object
from penstock.act.view import of_decision, of_execution, of_live, of_pipeline, of_run, of_storage
from penstock.decide.run.others import Models, Runs


class CachedModels(Models):
    """The Models of a namespace, as they are seen."""

    def __init__(self, cache: Cache, namespace: str) -> None:
        super().__init__()
        self._cache = cache
        self._namespace = namespace

    def named(self, name: str) -> Object | None:
        """Return the Model of that name."""
        return self._cache.get(Key("Model", self._namespace, name))

    def of_run(self, uid: str) -> Iterable[Object]:
        """Return those that the run of that uid made."""
        return self._cache.marked(of_run(uid), "Model")

    def made_from(self, storage: str) -> Iterable[Object]:
        """Return those that were made of the tables in that storage."""
        return self._cache.marked(of_storage(self._namespace, storage))


class CachedRuns(Runs):
    """The runs of a Pipeline but for one, as they are seen."""

    def __init__(self, cache: Cache, namespace: str, pipeline: str, without: str) -> None:
        super().__init__()
        self._cache = cache
        self._of = (namespace, pipeline)
        self._without = without

    def __iter__(self) -> Iterator[Object]:
        return iter(self._cache.marked(of_pipeline("PipelineRun", *self._of), without=self._without))

    @property
    def live(self) -> Iterable[Object]:
        """Those that have not ended."""
        return self._cache.marked(of_live(*self._of), without=self._without)

    @property
    def names(self) -> Container[str]:
        """The execution names that they have."""
        return _Names(self)

    def has(self, name: str) -> bool:
        """Return whether one of them has that execution name."""
        return self._counted(of_execution(*self._of, name)) > 0

    def decided(self, epoch: int, digest: str) -> int:
        """Return how many of them have decided by the testing set of that epoch with these rows."""
        return self._counted(of_decision(*self._of, epoch, digest))

    def _counted(self, mark: str) -> int:
        return self._cache.count(mark, without=self._without)


class _Names(Container[str]):
    def __init__(self, runs: CachedRuns) -> None:
        self._runs = runs

    def __contains__(self, name: object) -> bool:
        return self._runs.has(str(name))
