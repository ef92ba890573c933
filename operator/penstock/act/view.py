"""The cluster as it is seen, and whom a change concerns.

Watching, lists and the answers to our own writes all come in here; each that is news puts the keys of those whom it
concerns on the queue. So one change wakes whoever has to know it, whoever made it.
"""

from collections.abc import Iterator

from penstock.act.cache import Cache
from penstock.act.client import Listing
from penstock.act.kinds import Key, Kind, Object, key_of
from penstock.act.queue import WorkQueue
from penstock.decide.objects.children import PIPELINE, RUN_UID


def marks(found: Object) -> Iterator[str]:
    """Yield the marks by which an object is found: its uid, its run, its Pipeline, its namespace."""
    kind, metadata = found["kind"], found["metadata"]
    namespace, labels = metadata.get("namespace", ""), metadata.get("labels") or {}
    if kind in ("PipelineRun", "Pipeline"):
        yield of_uid(metadata["uid"])
    if RUN_UID in labels:
        yield of_run(kind, labels[RUN_UID])
    pipeline = found["spec"]["pipelineRef"]["name"] if kind == "PipelineRun" else labels.get(PIPELINE)
    if pipeline is not None and kind in ("PipelineRun", "Model", "Deployment", "Service"):
        yield of_pipeline(kind, namespace, pipeline)
    if kind == "Model":
        yield of_namespace(kind, namespace)


def of_uid(uid: str) -> str:
    """Return the mark of the object of that uid."""
    return f"uid/{uid}"


def of_run(kind: str, uid: str) -> str:
    """Return the mark of the objects of a kind that the run of that uid made."""
    return f"run/{kind}/{uid}"


def of_pipeline(kind: str, namespace: str, name: str) -> str:
    """Return the mark of the objects of a kind that belong to a Pipeline."""
    return f"pipeline/{kind}/{namespace}/{name}"


def of_namespace(kind: str, namespace: str) -> str:
    """Return the mark of the objects of a kind in a namespace."""
    return f"namespace/{kind}/{namespace}"


class View:
    """The cache, which tells the queue what changed."""

    def __init__(self, cache: Cache, queue: WorkQueue[Key]) -> None:
        self.cache = cache
        self._queue = queue

    def saw(self, found: Object) -> None:
        """Take in an object that was seen or written."""
        if self.cache.put(found):
            self._wake(found)

    def went(self, key: Key, uid: str) -> None:
        """Take in that the object of that uid went."""
        known = self.cache.get(key)
        if self.cache.bury(key, uid) and known is not None:
            self._wake(known)

    def listed(self, kind: Kind, namespace: str | None, listing: Listing) -> None:
        """Take in all objects of a kind; those that are not there went."""
        keys = set()
        for item in listing.items:
            keys.add(key_of(item))
            self.saw(item)
        for key, uid in self.cache.missing(kind.kind, namespace, keys, listing.version):
            self.went(key, uid)

    def _wake(self, found: Object) -> None:
        for key in self._concerned(found):
            self._queue.add(key)

    def _concerned(self, found: Object) -> Iterator[Key]:
        kind, metadata = found["kind"], found["metadata"]
        namespace, labels = metadata.get("namespace", ""), metadata.get("labels") or {}
        if kind == "Pipeline":
            yield key_of(found)
            yield from self._live_runs(namespace, metadata["name"])
        elif kind == "PipelineRun":
            yield key_of(found)
            yield Key("Pipeline", namespace, found["spec"]["pipelineRef"]["name"])
        else:
            if RUN_UID in labels:
                yield from self.cache.marked_keys(of_uid(labels[RUN_UID]))
            if PIPELINE in labels and kind in ("Model", "Deployment", "Service"):
                yield Key("Pipeline", namespace, labels[PIPELINE])

    def _live_runs(self, namespace: str, pipeline: str) -> Iterator[Key]:
        for run in self.cache.marked(of_pipeline("PipelineRun", namespace, pipeline)):
            if not (run.get("status") or {}).get("finished"):
                yield key_of(run)
