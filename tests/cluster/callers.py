"""Who calls an inference API from inside the cluster, and who watches its Service while it turns."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import dropwhile, groupby

import duckdb

from cluster.hand_made_runs import ROOT
from cluster.kubernetes_api import ENDPOINT_SLICES, PODS, SERVICES, KubernetesApi, Object, StillWaiting
from penstock.decide.objects.pod_template import CONTAINER_SECURITY, POD_SECURITY
from testcluster.patience import attempts

REVISION = "penstock.dev/revision"
# What a neighbour does: it asks the Service by its name, one request after the other, each in a connection of its own,
# and tells of each answer which Model gave it. What is not answered is told with its error.
_CALL = """
import json, sys, time, urllib.request
url, body, pause = sys.argv[1], sys.argv[2].encode(), float(sys.argv[3])
while True:
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            print("answer", json.load(response)["model"], flush=True)
    except Exception as error:
        print("error", type(error).__name__, error, flush=True)
    time.sleep(pause)
"""
_CURL = """
import sys, urllib.request
with urllib.request.urlopen(urllib.request.Request(sys.argv[1], sys.argv[2].encode()), timeout=30) as response:
    print(response.read().decode())
"""


@dataclass(frozen=True)
class Caller:
    """A pod that calls an API again and again."""

    api: KubernetesApi
    namespace: str
    name: str

    def read_answers(self) -> list[str]:
        """Return all that it heard so far, in order: `answer MODEL`, or an error.

        It begins with the first answer: until then the network of the pod itself may be on its way.
        """
        lines = self.api.logs(self.name, self.namespace, "call").splitlines()
        return list(dropwhile(lambda line: not line.startswith("answer "), filter(None, lines)))

    def models(self) -> list[str]:
        """Return the Models that answered, in order, each once for as long as it was the one that answered."""
        return [line.removeprefix("answer ") for line, _ in groupby(self.read_answers())]

    def wait_for(self, model: str) -> None:
        """Wait until the last answer was this Model's."""
        for _ in attempts(f"an answer of {model}", 60):
            if self.read_answers()[-1:] == [f"answer {model}"]:
                return


def start_caller(
    api: KubernetesApi, namespace: str, image: str, url: str, body: Object, name: str = "caller"
) -> Caller:
    """Start a pod that calls this address."""
    _pod(api, namespace, name, image, ["python", "-c", _CALL, url, json.dumps(body), "0.05"])
    api.wait_for(PODS, name, namespace, lambda pod: pod["status"].get("phase") == "Running", what="a caller that runs")
    return Caller(api, namespace, name)


def rows_of_breast_cancer() -> Object:
    """Return two rows of the example, as its API is asked."""
    found = duckdb.read_parquet(str(ROOT / "examples/data/breast-cancer.parquet")).limit(2).df()
    return {"instances": found.drop(columns=["sample", "diagnosis"]).to_dict(orient="records")}


def answer_to(
    api: KubernetesApi, namespace: str, image: str, url: str, body: Object, name: str = "neighbour"
) -> Object:
    """Ask once, from a pod; return the answer."""
    _pod(api, namespace, name, image, ["python", "-c", _CURL, url, json.dumps(body)])
    over = api.wait_for(
        PODS,
        name,
        namespace,
        lambda pod: pod["status"].get("phase") in ("Succeeded", "Failed"),
        what="an answer to a neighbour",
    )
    said = api.logs(name, namespace, "call")
    assert over["status"]["phase"] == "Succeeded", said
    answer: Object = json.loads(said)
    return answer


def _pod(api: KubernetesApi, namespace: str, name: str, image: str, command: list[str]) -> None:
    container = {"name": "call", "image": image, "command": command, "securityContext": CONTAINER_SECURITY}
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 0,
        "securityContext": POD_SECURITY,
        "containers": [container],
        # A datagram that is lost on a busy machine is asked for again; an answer that a name is unknown is not.
        "dnsConfig": {"options": [{"name": "attempts", "value": "5"}, {"name": "timeout", "value": "2"}]},
    }
    api.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}, namespace)


@dataclass
class ServiceChanges:
    """What a Service selected, and who was behind it, each time that changed."""

    selected: list[Object] = field(default_factory=list)
    behind: list[frozenset[str]] = field(default_factory=list)
    _stopped: threading.Event = field(default_factory=threading.Event)

    def revisions(self) -> list[str]:
        """Return the revisions that the Service selected, in order."""
        return [revision for revision, _ in groupby(each[REVISION] for each in self.selected)]

    def _services(self, name: str, there: dict[str, Object]) -> bool | None:
        if name in there:
            self.selected.append(there[name]["spec"]["selector"])
        return True if self._stopped.is_set() else None

    def _endpoints(self, there: dict[str, Object]) -> bool | None:
        pods = (each["targetRef"]["name"] for one in there.values() for each in one["endpoints"] or ())
        self.behind.append(frozenset(pods))
        return True if self._stopped.is_set() else None


@contextmanager
def watch_service(api: KubernetesApi, namespace: str, service: str) -> Iterator[ServiceChanges]:
    """Record each change of the Service and of who is behind it."""
    turns = ServiceChanges()

    def record(kind: str) -> None:
        while not turns._stopped.is_set():
            try:
                if kind == "services":
                    api.wait(SERVICES, namespace, lambda there: turns._services(service, there), what="", seconds=5)
                else:
                    labels = f"kubernetes.io/service-name={service}"
                    api.wait(ENDPOINT_SLICES, namespace, turns._endpoints, what="", seconds=5, labels=labels)
            except StillWaiting:
                continue

    threads = [threading.Thread(target=record, args=[kind], daemon=True) for kind in ("services", "endpoints")]
    for thread in threads:
        thread.start()
    try:
        yield turns
    finally:
        turns._stopped.set()
        for thread in threads:
            thread.join(timeout=15)
