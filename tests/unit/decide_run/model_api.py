"""The API server of the model: what the operator asks over HTTP, answered from a cluster in memory."""

import json
from collections.abc import Iterator, MutableMapping
from urllib.parse import urlsplit

from asked_rights import Asked, right_asked, rights_in_words
from penstock.act.rights import RIGHTS
from penstock.decide.cleaning.record import DEFINITIONS
from penstock.decide.decision import Event
from penstock.kubernetes.connection import Answer, Request
from penstock.kubernetes.kinds import BY_NAME, DEFINITION, EVENT, NAMESPACE
from unit.act.fake_api import FakeApi, path_of, status
from unit.decide_run import examples_of_runs as examples
from unit.decide_run.model_cluster import Key, ModelCluster, Object

RIGHTS_IN_WORDS = rights_in_words(RIGHTS)
_KINDS = {kind.plural: kind.kind for kind in BY_NAME.values()}
# What tells this cluster's definitions, and this namespace, from others of the same names.
_LASTING = {
    NAMESPACE.path(None, examples.NAMESPACE): {"metadata": {"uid": "namespace"}},
    **{DEFINITION.path(None, name): {"metadata": {"uid": "definition"}} for name in DEFINITIONS.values()},
}


class ClusterApi(FakeApi):
    """Answers at once, and keeps the events, which are no objects of the cluster's."""

    def __init__(self, cluster: ModelCluster) -> None:
        super().__init__(latency=0, objects=_ByPath(cluster))
        self.cluster = cluster
        self.events: list[Event] = []
        self.asked: set[Asked] = set()

    def _handle(self, request: Request) -> Answer:
        self.version = self.cluster.version
        self.requests.clear()  # nobody asks for them here, and they are many
        asked = right_asked(request.method, request.path)
        assert asked in RIGHTS_IN_WORDS, "the chart gives the operator no right to this"
        self.asked.add(asked)
        path = urlsplit(request.path).path
        if request.method == "POST" and path.endswith(f"/{EVENT.plural}"):
            told = json.loads(request.body or b"{}")
            self.events.append(Event(told["type"], told["reason"], told["note"]))
            return Answer(201, {}, json.dumps(told).encode())
        if path.endswith("/log"):
            pod = self.objects.get(path.removesuffix("/log"))
            log = self.cluster.logs.get(pod["metadata"]["uid"]) if pod else None
            return status(404, "NotFound") if log is None else Answer(200, {}, log)
        return super()._handle(request)

    def _store(self, path: str, made: Object) -> Object:
        return self.cluster.put(made)

    def _drop(self, path: str) -> None:
        self.cluster.remove(key_at(path))


class _ByPath(MutableMapping[str, Object]):
    """The objects of a cluster, by the paths that the API server has them at."""

    def __init__(self, cluster: ModelCluster) -> None:
        self._cluster = cluster

    def __getitem__(self, path: str) -> Object:
        return _LASTING[path] if path in _LASTING else self._cluster.objects[key_at(path)]

    def __setitem__(self, path: str, made: Object) -> None:
        self._cluster.put(made)

    def __delitem__(self, path: str) -> None:
        self._cluster.remove(key_at(path))

    def __iter__(self) -> Iterator[str]:
        return (path_of(each) for each in self._cluster.objects.values())

    def __len__(self) -> int:
        return len(self._cluster.objects)


def key_at(path: str) -> Key:
    """Return the kind and the name of the object at a path."""
    plural, name = path.split("/")[-2:]
    return _KINDS.get(plural, plural), name
