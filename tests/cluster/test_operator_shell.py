"""What the shell of the operator promises, against a real API server: the traps of kopf, as regression tests.

The operator is a process; what it decides is the toy's (`cluster.toy_operator`). A proxy between it and the API server
makes trouble.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cluster.api_proxy import ApiProxy, ProxyRequest, run_proxy
from cluster.custom_resources import install
from cluster.kubernetes_api import CONFIG_MAPS, KubernetesApi, Object, Resource
from cluster.operator_process import OperatorProcess, run_operator
from cluster.toy_operator import WANTED
from penstock.act.watched import WATCHED
from penstock.kubernetes.connection import encode
from testcluster.cluster import Cluster

RUNS = Resource("penstock.dev/v1alpha1", "pipelineruns")
EVENTS = Resource("events.k8s.io/v1", "events")
TOY = "cluster.toy_operator"
MERGE = "application/merge-patch+json"
DONE = f"made-{WANTED}"


@dataclass(frozen=True)
class Place:
    """A namespace with our CRDs, and a proxy to its API server."""

    api: KubernetesApi
    namespace: str
    proxy: ApiProxy
    kubeconfig: Path
    folder: Path

    def apply_run(self, name: str) -> Object:
        metadata = {"name": name, "namespace": self.namespace}
        spec = {"pipelineRef": {"name": "none"}}
        return self.api.create(
            {"apiVersion": RUNS.api_version, "kind": "PipelineRun", "metadata": metadata, "spec": spec}
        )

    def wait_until_done(self, *names: str, seconds: float = 60) -> None:
        def all_done(there: dict[str, Object]) -> bool | None:
            return all(name in there and _said(there[name]) == DONE for name in names) or None

        self.api.wait(RUNS, self.namespace, all_done, what=f"an end of {len(names)} runs", seconds=seconds)


def _said(run: Object) -> str | None:
    said: str | None = (run.get("status") or {}).get("executionName")
    return said


@pytest.fixture
def place(api: KubernetesApi, cluster: Cluster, namespace: str, tmp_path: Path) -> Iterator[Place]:
    install(api)
    with run_proxy(cluster.kubeconfig) as proxy:
        yield Place(api, namespace, proxy, proxy.kubeconfig(tmp_path), tmp_path)


@pytest.fixture
def operator(place: Place) -> Iterator[OperatorProcess]:
    with run_operator(place.kubeconfig, place.namespace, place.folder, module=TOY) as running:
        running.wait_until_ready()
        yield running


def test_a_run_is_made_right_and_tells_so_once(place: Place, operator: OperatorProcess) -> None:
    place.apply_run("first")
    place.wait_until_done("first")

    [told] = place.api.wait(EVENTS, place.namespace, lambda there: list(there.values()) or None, what="an event")
    assert told["note"] == "All are made."
    assert told["regarding"]["name"] == "first"


def test_what_the_operator_makes_is_written_once_and_nothing_else_is(place: Place, operator: OperatorProcess) -> None:
    place.apply_run("first")
    place.wait_until_done("first")
    operator.stop()

    writes = [f"{each.method} {each.path.rsplit('/', 1)[1]}" for each in place.proxy.writes()]
    assert sorted(writes) == sorted(["PATCH status"] * (WANTED + 1) + ["POST configmaps"] * WANTED + ["POST events"])


def test_no_finalizer_and_no_annotation_is_on_anything(place: Place, operator: OperatorProcess) -> None:
    place.apply_run("first")
    place.wait_until_done("first")

    for each in [*place.api.objects(RUNS, place.namespace), *place.api.objects(CONFIG_MAPS, place.namespace)]:
        assert "finalizers" not in each["metadata"]
        assert not any("kopf" in name for name in each["metadata"].get("annotations", {}))


def test_with_the_operator_down_what_it_watches_can_be_deleted(place: Place, operator: OperatorProcess) -> None:
    place.apply_run("first")
    place.wait_until_done("first")
    operator.kill()

    place.api.delete(RUNS, "first", place.namespace)

    place.api.wait_until_gone(RUNS, "first", place.namespace, seconds=10)


def test_what_went_unseen_is_forgotten_after_a_watch_that_expired(place: Place, operator: OperatorProcess) -> None:
    """kopf tells of no deletion after a 410 and a new list: here a child goes while nobody looks, and is made again."""
    for name in ("first", "second"):
        place.apply_run(name)
    place.wait_until_done("first", "second")

    _unseen(place, "first-1")

    place.api.wait_for(CONFIG_MAPS, "first-1", place.namespace, lambda _: True, what="the child again")
    place.wait_until_done("first")


def test_where_all_of_a_kind_went_unseen_that_is_seen_too(place: Place, operator: OperatorProcess) -> None:
    """The new list is empty then, so that kopf tells of nothing at all."""
    place.apply_run("only")
    place.wait_until_done("only")
    children = [f"only-{number}" for number in range(WANTED)]

    _unseen(place, *children)

    for name in children:
        place.api.wait_for(CONFIG_MAPS, name, place.namespace, lambda _: True, what="the child again", seconds=60)


def _unseen(place: Place, *children: str) -> None:
    """Delete these while no watch tells, and then have all watches expire."""
    place.proxy.hold_watches()
    for name in children:
        place.api.delete(CONFIG_MAPS, name, place.namespace)
        place.api.wait_until_gone(CONFIG_MAPS, name, place.namespace)
    place.proxy.expire_watches()
    place.proxy.release_watches()


def test_a_status_that_was_refused_is_written_all_the_same(place: Place, operator: OperatorProcess) -> None:
    refused: list[ProxyRequest] = []

    def once(asked: ProxyRequest) -> int | None:
        if asked.path.endswith("/status") and len(refused) < 3:
            refused.append(asked)
            return 409
        return None

    place.proxy.refuse = once
    place.apply_run("first")

    place.wait_until_done("first", seconds=15)
    assert len(refused) == 3


def test_an_api_server_that_is_asked_too_much_is_asked_less(place: Place, operator: OperatorProcess) -> None:
    refused: list[ProxyRequest] = []

    def five_times(asked: ProxyRequest) -> int | None:
        if asked.writes and len(refused) < 5:
            refused.append(asked)
            return 429
        return None

    place.proxy.refuse = five_times
    place.apply_run("first")

    place.wait_until_done("first")
    assert len(refused) == 5


def test_many_objects_at_the_start_are_not_as_many_requests_at_once(place: Place) -> None:
    names = [f"run-{number}" for number in range(150)]
    for name in names:
        place.apply_run(name)
    place.proxy.latency = 0.02
    settings = {"api": {"concurrentRequests": 6, "requestsPerSecond": 1000}}

    with run_operator(place.kubeconfig, place.namespace, place.folder, module=TOY, settings=settings) as operator:
        operator.wait_until_ready()
        place.proxy.most_in_flight = 0
        place.wait_until_done(*names, seconds=120)

    # kopf's own lists, one for each kind that is watched, are not ours to hold back.
    assert place.proxy.most_in_flight <= 6 + len(WATCHED)


def test_told_to_end_it_ends_at_once_and_well(place: Place, operator: OperatorProcess) -> None:
    place.apply_run("first")
    place.wait_until_done("first")

    assert operator.stop() == 0
    assert "Traceback" not in operator.log.read_text()


def test_it_says_that_it_is_well_and_what_it_counted(place: Place, operator: OperatorProcess) -> None:
    place.apply_run("first")
    place.wait_until_done("first")

    assert operator.ask("/healthz") == (200, "ok")
    _, metrics = operator.ask("/metrics")
    assert f'penstock_api_writes_total{{kind="ConfigMap",verb="create"}} {WANTED}.0' in metrics
    assert "penstock_last_resync_timestamp_seconds" in metrics
    assert 'penstock_reconcile_seconds_count{kind="PipelineRun"}' in metrics


def test_killed_after_any_write_it_comes_to_the_same_end(place: Place) -> None:
    """The write is made, and nobody hears of it."""
    for number in range(2 * WANTED + 2):
        name = f"run-{number}"
        with run_operator(place.kubeconfig, place.namespace, place.folder, module=TOY, name=name) as operator:
            operator.wait_until_ready()
            place.proxy.after = _killing(operator, after=number)
            place.apply_run(name)
            operator.process.wait(60)
            place.proxy.after = lambda asked: None
        with run_operator(place.kubeconfig, place.namespace, place.folder, module=TOY, name=name):
            place.wait_until_done(name)
        made = [each["metadata"]["name"] for each in place.api.objects(CONFIG_MAPS, place.namespace)]
        assert sorted(each for each in made if each.startswith(f"{name}-")) == [f"{name}-{k}" for k in range(WANTED)]


def _killing(operator: OperatorProcess, after: int) -> Callable[[ProxyRequest], None]:
    """Return what kills the operator once so many writes have passed and one more is made."""
    seen: list[ProxyRequest] = []

    def kill(asked: ProxyRequest) -> None:
        seen.append(asked)
        if len(seen) == after + 1:
            operator.kill()

    return kill


def test_what_is_immutable_to_the_byte_can_have_its_owners_changed(place: Place) -> None:
    """The API server writes the data of a ControllerRevision anew at each patch, and refuses where a byte differs."""
    path = f"/apis/apps/v1/namespaces/{place.namespace}/controllerrevisions"
    data = {"z": "<a href='x'>&\u2028é</a>", "a": {"c": [1, "1.0", None, True], "b": '\n\t\\"'}}
    made = {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {"name": "one", "namespace": place.namespace},
        "data": data,
        "revision": 1,
    }
    place.api.request("POST", path, encode(made))

    patched = place.api.json("PATCH", f"{path}/one", {"metadata": {"labels": {"a": "b"}}}, content_type=MERGE)

    assert patched["metadata"]["labels"] == {"a": "b"}
    assert patched["data"] == data
