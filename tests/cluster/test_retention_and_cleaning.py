"""What is kept of the past: logs, and the files of Models and runs that are deleted, in real storage."""

from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec
import pytest

from cluster.kubernetes_api import JOBS, NAMESPACES, PODS, KubernetesApi, Object, Resource
from cluster.sites import MODELS, RUNS, SECONDS, NewSite, Site
from penstock.decide.model_resource import model_resource
from penstock_jobs.contract import document
from penstock_jobs.contract.errors import UNAVAILABLE
from penstock_jobs.contract.result import ModelReference
from penstock_jobs.models.files import digest_of
from penstock_jobs.storage import Store
from testcluster.patience import attempts
from unit.decide_run.examples_of_runs import manifest

ALONE = True  # it counts the Models of its namespace
RECORDS = Resource("apps/v1", "controllerrevisions")
EVENTS = Resource("events.k8s.io/v1", "events")
RECORD, STEP = "penstock.dev/record", "penstock.dev/step"
LARGER = {"name": "C", "values": ["0.01", "0.1", "1.0", "10.0"]}
FOUR: list[Object] = [
    {
        "name": "linear",
        "estimator": "sklearn.linear_model.LogisticRegression",
        "parameters": [{"name": "max_iter", "value": 2000}, LARGER],
    }
]


@pytest.fixture(scope="module")
def trained(site: Site) -> str:
    """A run of two workers, whose two Models take their files with them."""
    deleting = {"models__deletionPolicy": "Delete", "training__keep": 2, "training__algorithms": FOUR}
    pipeline = site.pipeline("trained", **deleting, jobs__training={"parallelism": 2})
    run = site.run(pipeline, "dataset", "training")
    site.wait_for_success(run)
    return run


def storage(site: Site, pipeline: str) -> Store:
    return site.buckets.store(f"s3://ml-team/{site.namespace}/{pipeline}")


def folders(store: Store, beneath: str) -> set[str]:
    return {key.removeprefix(beneath).split("/")[0] for key in store.keys(beneath)}


def record_of(there: Object, api: KubernetesApi) -> Object | None:
    metadata = there["metadata"]
    found = api.objects(RECORDS, metadata["namespace"], labels=f"{RECORD}={metadata['uid']}")
    return found[0] if found else None


def wait_until(holds: Callable[[], object], what: str) -> None:
    for _ in attempts(what, SECONDS):
        if holds():
            return


def test_the_log_of_each_pod_is_kept_with_its_run(site: Site, trained: str) -> None:
    store = site.store(trained)

    assert folders(store, "logs/") == {"dataset.log", "training-0.log", "training-1.log"}
    for pod in site.pods(trained):
        index = pod["metadata"]["labels"].get("batch.kubernetes.io/job-completion-index")
        name = pod["metadata"]["labels"][STEP] + (f"-{index}" if index else "")
        printed = site.api.logs(pod["metadata"]["name"], site.namespace, "job").splitlines()
        meant_for_people = [line for line in printed if not line.startswith("penstock-result ")]
        assert store.read(f"logs/{name}.log").decode().splitlines() == meant_for_people != []


def test_models_of_several_workers_that_are_not_among_the_best_leave_no_files(site: Site, trained: str) -> None:
    models = {each["metadata"]["name"] for each in site.api.objects(MODELS, site.namespace)}

    assert len(models) == 2
    assert folders(storage(site, "trained"), "models/") == models


def test_files_go_with_a_model_that_is_deleted_unless_they_are_to_be_kept(site: Site, trained: str) -> None:
    api, store = site.api, storage(site, "trained")
    goes, stays = sorted(api.objects(MODELS, site.namespace), key=lambda each: each["metadata"]["name"])
    wait_until(lambda: record_of(goes, api) and record_of(stays, api), "records of both Models")

    api.patch(MODELS, stays["metadata"]["name"], {"spec": {"deletionPolicy": "Retain"}}, site.namespace)
    wait_until(lambda: record_of(stays, api) is None, "an end of the record of what is kept")
    for model in (goes, stays):
        api.delete(MODELS, model["metadata"]["name"], site.namespace)

    wait_until(lambda: record_of(goes, api) is None, "an end of cleaning")
    assert folders(store, "models/") == {stays["metadata"]["name"]}
    told = [each for each in api.objects(EVENTS, site.namespace) if each.get("reason") == "FilesDeleted"]
    assert any(goes["metadata"]["name"] in each["note"] for each in told)
    wait_until(lambda: not cleaning_jobs(site), "an end of the Job that cleaned")


def cleaning_jobs(site: Site) -> list[Object]:
    return site.api.objects(JOBS, site.namespace, labels=RECORD)


def test_files_go_with_a_run_that_is_deleted_and_nothing_else_does(site: Site, trained: str) -> None:
    api, store = site.api, storage(site, "trained")
    run = api.get(RUNS, trained, site.namespace)
    before = [key for key in store.keys("") if not key.startswith("runs/")]

    api.delete(RUNS, trained, site.namespace)

    wait_until(lambda: record_of(run, api) is None, "an end of cleaning")
    assert store.keys("runs/") == []
    assert [key for key in store.keys("") if not key.startswith("runs/")] == before


# --- Models made by hand: what matters is what becomes of their files -------------------------------------------------


def a_model(site: Site, pipeline: str, name: str, endpoint: str, created: str = "2026-11-21T08:00:00Z") -> Object:
    """Put the files of a Model into the storage of the Pipeline, apply the Model, and return it once it is recorded."""
    folder = f"models/{name}"
    store = storage(site, pipeline)
    content = document.encode(manifest(name))
    store.write(f"{folder}/model.onnx", b"weights")
    store.write(f"{folder}/manifest.json", content)
    reference = ModelReference(name=name, uri=f"{store.uri}/{folder}", digest=digest_of(content))
    made = model_resource(
        reference, manifest(name), run=None, pipeline_uid=None, endpoint=endpoint, deletion_policy="Delete"
    )
    there: Object = msgspec.json.decode(msgspec.json.encode(made))
    there["metadata"]["labels"]["penstock.dev/pipeline"] = there["spec"]["origin"]["pipelineRef"]["name"] = pipeline
    there["spec"]["creationTime"] = created
    model = site.api.create(there, site.namespace)
    wait_until(lambda: record_of(model, site.api), "a record of its files")
    return model


def test_a_model_is_gone_at_once_while_the_storage_is_down_and_its_files_go_when_it_is_back(site: Site) -> None:
    api, endpoint = site.api, f"http://storage.{site.namespace}:9000"
    inside = urlsplit(site.buckets.server.inside)
    there = site.manifest("down", models__deletionPolicy="Delete")
    there["spec"]["storage"]["s3"]["endpoint"] = endpoint
    api.apply(there, site.namespace)
    model = a_model(site, "down", "left", endpoint)

    api.delete(MODELS, "left", site.namespace)

    assert api.find(MODELS, "left", site.namespace) is None
    failed = api.wait(PODS, site.namespace, first_that_failed, what="a failure", seconds=SECONDS, labels=RECORD)
    assert failed["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == UNAVAILABLE
    assert folders(storage(site, "down"), "models/") == {"left"}
    host = f"{inside.hostname}.svc.cluster.local"
    spec = {"type": "ExternalName", "externalName": host}
    api.create({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "storage"}, "spec": spec}, site.namespace)
    wait_until(lambda: record_of(model, api) is None, "an end of cleaning")
    assert storage(site, "down").keys("models/") == []


def first_that_failed(there: dict[str, Object]) -> Object | None:
    return next((pod for pod in there.values() if pod["status"].get("phase") == "Failed"), None)


def test_models_beyond_those_that_are_kept_go_and_the_pinned_one_stays(site: Site) -> None:
    endpoint = site.buckets.server.inside
    deployment = {"model": "oldest", "replicas": 0}
    there = site.manifest("few", models__deletionPolicy="Delete")
    site.api.apply(there, site.namespace)
    for day, name in enumerate(("oldest", "old", "new"), 1):
        a_model(site, "few", name, endpoint, created=f"2026-11-2{day}T08:00:00Z")

    there["spec"] |= {"retention": {"models": 1}, "deployment": deployment}
    site.api.apply(there, site.namespace)

    wait_until(lambda: folders(storage(site, "few"), "models/") == {"oldest", "new"}, "an end of the old Model's files")
    left = {each["metadata"]["name"] for each in site.api.objects(MODELS, site.namespace)}
    assert {"oldest", "new"} <= left
    assert "old" not in left


def test_the_logs_of_a_run_go_when_they_are_old_and_its_results_stay(site: Site) -> None:
    run = site.run(site.pipeline("quiet", logs={"level": "WARNING", "retention": "1s"}))
    site.wait_for_success(run)

    wait_until(lambda: not site.store(run).keys("logs/"), "an end of the logs")

    assert {"results/dataset.json", "snapshot.yaml"} <= set(site.store(run).keys())


def test_deleting_a_namespace_deletes_no_file(new_site: NewSite) -> None:
    with new_site("gone") as site:
        site.pipeline("gone", models__deletionPolicy="Delete")
        a_model(site, "gone", "kept", site.buckets.server.inside)

        site.api.delete(NAMESPACES, site.namespace)
        site.api.wait_until_gone(NAMESPACES, site.namespace, None, seconds=SECONDS)

        assert folders(storage(site, "gone"), "models/") == {"kept"}
        assert 'penstock_api_writes_total{kind="Job"' not in site.operator.ask("/metrics")[1]
