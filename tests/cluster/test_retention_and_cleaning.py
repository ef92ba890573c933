"""What is kept of the past: logs, and the files of Models and runs that are deleted, in real storage."""

from collections.abc import Callable

import pytest

from cluster.kubernetes_api import JOBS, Api, Object, Resource
from cluster.sites import MODELS, RUNS, SECONDS, Site
from penstock_jobs.storage import Store
from testcluster.patience import attempts

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
    site.done(run)
    return run


def storage(site: Site, pipeline: str) -> Store:
    return site.buckets.store(f"s3://ml-team/{site.namespace}/{pipeline}")


def folders(store: Store, beneath: str) -> set[str]:
    return {key.removeprefix(beneath).split("/")[0] for key in store.keys(beneath)}


def record_of(there: Object, api: Api) -> Object | None:
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

    api.patch(MODELS, stays["metadata"]["name"], {"spec": {"deletionPolicy": "Keep"}}, site.namespace)
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
