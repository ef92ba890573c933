"""A Pipeline gets another name: interrupted after each of its writes and said again, it comes to the same end.

The API server, the operator, the storage and the pod that moves its claim are real; pods of jobs and of servers are
played.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cluster.api_proxy import ApiProxy, ProxyRequest, run_proxy
from cluster.buckets import BUCKET, Buckets
from cluster.custom_resources import install
from cluster.hand_made_runs import READER, WRITER, give_credentials
from cluster.kubernetes_api import DEPLOYMENTS, JOBS, KubernetesApi, Object
from cluster.namespaces import Namespaces
from cluster.operator_process import run_operator
from cluster.pod_player import NOWHERE, PodPlayer
from cluster.sites import MODELS, PIPELINES, RUNS, SECONDS
from manifest_changes import named
from penstock.api import schema
from penstock_command import CommandResult, run_penstock
from penstock_jobs.contract import document
from penstock_jobs.dataset.claim import CLAIM, Claim
from penstock_jobs.storage import Store
from testcluster.cluster import Cluster
from unit.decide_run.examples_of_runs import PIPELINE

MOST = 15  # interruptions; a sweep that never ends is no sweep


@dataclass(frozen=True)
class Renamed:
    """A Pipeline that served a Model under the name churn, and has been given the name leavers."""

    api: KubernetesApi
    namespace: str
    store: Store
    before: Object
    interrupted: int
    done: CommandResult
    say: Callable[..., CommandResult]

    def get(self, name: str) -> Object | None:
        return self.api.find(PIPELINES, name, self.namespace)


@dataclass
class Interrupted:
    """Lets so many writes pass, and breaks the connection at the next one; a rehearsal is no write."""

    left: int
    broke: bool = False

    def __call__(self, asked: ProxyRequest) -> int | None:
        if not asked.writes:
            return None
        self.left -= 1
        self.broke = self.broke or self.left < 0
        return 503 if self.left < 0 else None


@pytest.fixture(scope="module")
def renamed(
    api: KubernetesApi,
    cluster: Cluster,
    namespaces: Namespaces,
    buckets: Buckets,
    image: Callable[[str], str],
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Renamed]:
    install(api)
    folder = tmp_path_factory.mktemp("renamed")
    with (
        namespaces.one(f"{request.node.nodeid}::renamed") as namespace,
        PodPlayer(api, namespace),
        run_operator(cluster.kubeconfig, namespace, folder, settings={"images": {"jobs": image("jobs")}}) as operator,
        run_proxy(cluster.kubeconfig) as proxy,
    ):
        operator.wait_until_ready()
        give_credentials(api, namespace, buckets)
        before = served(api, namespace, buckets)
        store = buckets.store(f"s3://{BUCKET}/{namespace}/churn")
        claim = Claim(pipeline="churn", pipeline_uid=before["metadata"]["uid"])
        assert store.write_if_absent(CLAIM, document.encode(claim))
        say = _command(proxy, namespace, folder)
        for writes in range(MOST):
            proxy.refuse = breaks = Interrupted(writes)
            done = say("rename", "churn", "leavers")
            if not breaks.broke:
                break
        yield Renamed(api, namespace, store, before, writes, done, say)


def served(api: KubernetesApi, namespace: str, buckets: Buckets) -> Object:
    """Return a Pipeline whose run, of played pods, has had its Model served."""
    pipeline: Object = copy.deepcopy(PIPELINE)
    pipeline["metadata"] = {"name": "churn", "namespace": namespace}
    s3 = {"bucket": BUCKET, "prefix": f"{namespace}/churn", "endpoint": buckets.server.inside}
    credentials = {"read": {"secretName": READER}, "write": {"secretName": WRITER}}
    pipeline["spec"]["storage"] = {"s3": s3, "credentials": credentials}
    for job in schema.JOBS:
        named(pipeline["spec"]["jobs"], job)["nodeSelector"] = NOWHERE
    api.create(pipeline)
    run(api, namespace, "churn-1")
    return api.wait_for(PIPELINES, "churn", namespace, _serves, what="a Pipeline that serves", seconds=SECONDS)


def run(api: KubernetesApi, namespace: str, name: str, **spec: Any) -> None:
    metadata = {"name": name, "namespace": namespace}
    made = {"apiVersion": RUNS.api_version, "kind": "PipelineRun", "metadata": metadata}
    api.create(made | {"spec": {"pipelineRef": {"name": "churn"}, **spec}})


def _serves(pipeline: Object) -> bool:
    return bool((pipeline.get("status") or {}).get("servedModel"))


def _command(proxy: ApiProxy, namespace: str, folder: Path) -> Callable[..., CommandResult]:
    kubeconfig = proxy.kubeconfig(folder)

    def say(*words: str) -> CommandResult:
        asked = ("--cluster", "-n", namespace, *words)
        return run_penstock(*asked, home=folder, environment={"KUBECONFIG": str(kubeconfig)})

    return say


def test_it_comes_to_its_end_however_often_it_was_interrupted(renamed: Renamed) -> None:
    assert renamed.done.code == 0, renamed.done.errors
    assert renamed.interrupted >= 4  # the copy, the pod of the claim, the label of a Model, the end of the old one
    assert renamed.get("churn") is None
    assert renamed.get("leavers") is not None


def test_what_was_served_goes_on_being_served(renamed: Renamed) -> None:
    there = renamed.get("leavers")

    assert there is not None
    assert there["status"]["servedModel"]["name"] == renamed.before["status"]["servedModel"]["name"]
    assert there["spec"] == renamed.before["spec"]
    deployments = renamed.api.wait(
        DEPLOYMENTS, renamed.namespace, _of_one_pipeline, what="an end of the old servers", seconds=SECONDS
    )
    assert deployments == "leavers"


def _of_one_pipeline(there: dict[str, Object]) -> str | None:
    names = {each["metadata"]["labels"]["penstock.dev/pipeline"] for each in there.values()}
    return names.pop() if len(names) == 1 else None


def test_its_models_are_found_under_the_new_name_and_say_where_they_came_from(renamed: Renamed) -> None:
    models = renamed.api.objects(MODELS, renamed.namespace)

    assert {each["metadata"]["labels"]["penstock.dev/pipeline"] for each in models} == {"leavers"}
    assert {each["spec"]["origin"]["pipelineRef"]["name"] for each in models} == {"churn"}


def test_the_storage_is_the_new_ones(renamed: Renamed) -> None:
    there = renamed.get("leavers")

    assert there is not None
    claim = document.decode(renamed.store.read(CLAIM), Claim, "the claim")
    assert claim == Claim(pipeline="leavers", pipeline_uid=there["metadata"]["uid"])


def test_what_still_has_the_old_name_is_told(renamed: Renamed) -> None:
    said = " ".join(renamed.done.output.split())

    assert said.startswith("churn is leavers now. Change the name in your manifests too")
    assert "A run that has ended keeps the name churn: churn-1." in said


def test_nothing_stays_of_what_was_interrupted(renamed: Renamed) -> None:
    jobs = renamed.api.objects(JOBS, renamed.namespace, labels="penstock.dev/errand")

    # Who was interrupted could not delete its Job: it goes by itself.
    assert all(each["spec"]["ttlSecondsAfterFinished"] == 600 for each in jobs)


def test_a_pipeline_with_a_run_at_work_keeps_its_name(renamed: Renamed) -> None:
    busy = {name: renamed.before[name] for name in ("apiVersion", "kind", "spec")} | {"metadata": {"name": "busy"}}
    renamed.api.create(busy, renamed.namespace)
    run(renamed.api, renamed.namespace, "busy-1", pipelineRef={"name": "busy"}, suspend=True)

    refused = renamed.say("rename", "busy", "idle")

    assert refused.code == 2
    assert "A run of busy has not ended: busy-1" in " ".join(refused.errors.split())
    assert renamed.get("idle") is None


def test_on_a_laptop_it_says_what_it_is_for(tmp_path: Path) -> None:
    done = run_penstock("rename", "churn", "leavers", home=tmp_path)

    assert done.code == 2
    assert "rename is for a cluster only" in done.errors
