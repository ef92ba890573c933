"""A look at a run, or at its Pipeline, costs the same however many runs have ended and Models there are."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from penstock.act import cache as cache_module
from penstock.act.cache import ObjectCache
from penstock.act.listers import CachedModelLister, CachedRunLister
from penstock.act.view import index_keys
from penstock.api.pipeline import PipelineStatus
from penstock.decide.decision import ApiObject
from penstock.decide.observed.listers import DecidingSet, ModelLister, RunLister
from penstock.decide.pipeline.observation import PipelineObservation
from penstock.decide.pipeline.reconcile import decide
from penstock.decide.settings import Settings
from unit.decide_run.examples_of_runs import PIPELINE

Object = dict[str, Any]


def run(number: int, **status: Any) -> Object:
    return {
        "kind": "PipelineRun",
        "metadata": {
            "name": f"r-{number}",
            "namespace": "team",
            "uid": f"r{number}",
            "resourceVersion": f"{number + 1}",
            "creationTimestamp": f"2026-03-01T12:{number // 60:02}:{number % 60:02}Z",
        },
        "spec": {"pipelineRef": {"name": "churn"}},
        "status": status,
    }


def decided(number: int, digest: str = "d", **deployment: Any) -> tuple[Object, Object]:
    testing = {"epoch": 0, "version": number, "digest": digest, "generation": number}
    return (
        {"name": "testing", "state": "Succeeded", "testing": testing},
        {"name": "deployment", "state": "Succeeded", "deployment": {"verdict": "Improved", **deployment}},
    )


def ended(number: int, digest: str = "d") -> Object:
    model = f"m-{number}"
    steps = decided(number, digest, challenger=model, served=model)
    return run(number, executionName=f"test_{number}", completionTime="2026-03-01T12:00:00Z", steps=steps)


def proposing(number: int) -> Object:
    tested, deploying = decided(number, challenger=f"m-{number}", served=f"m-{number}")
    steps = tested, deploying | {"state": "Waiting", "reason": "Proposed"}
    return run(number, executionName="now", steps=steps)


def model(number: int, storage: str = "s3://a/churn", *servers: str) -> Object:
    labels = {"penstock.dev/run-uid": f"r{number}", "penstock.dev/pipeline": "churn" if number < 9 else "other"}
    metadata = {"name": f"m-{number}", "namespace": "team", "uid": f"m{number}", "labels": labels}
    metadata["resourceVersion"] = f"{number + 1}"
    api = {"apiVersion": "penstock.dev/v1alpha1", "kind": "Model"}
    made: Object = {**api, "metadata": metadata, "spec": {"lineage": {"storage": storage}}}
    return made | ({"status": {"servedBy": list(servers)}} if servers else {})


def cached(*found: Object) -> ObjectCache:
    cache = ObjectCache(index_keys)
    for each in found:
        assert cache.put(each)
    return cache


RUNS = [ended(1), ended(2, "other"), proposing(3), run(4), ended(5)]
MODELS = [model(1), model(2, "s3://b/churn", "churn", "other"), model(3), model(9, "s3://c/other", "other")]
OTHERS: list[Callable[[], RunLister]] = [
    lambda: RunLister([each for each in RUNS if each["metadata"]["name"] != "r-4"]),
    lambda: CachedRunLister(cached(*RUNS), "team", "churn", without="r4"),
]
ALL: list[Callable[[], RunLister]] = [lambda: RunLister(RUNS), lambda: CachedRunLister(cached(*RUNS), "team", "churn")]
THERE: list[Callable[[], ModelLister]] = [
    lambda: ModelLister(MODELS),
    lambda: CachedModelLister(cached(*MODELS), "team"),
]


def names(found: Iterable[ApiObject]) -> list[str]:
    return [each["metadata"]["name"] for each in found]


@pytest.mark.parametrize("runs", OTHERS, ids=["walked", "cached"])
def test_both_answer_alike_about_other_runs(runs: Callable[[], RunLister]) -> None:
    others = runs()

    assert names(others) == ["r-1", "r-2", "r-3", "r-5"]
    assert names(others.live) == ["r-3"]
    assert others.execution_names() == {"test_1", "test_2", "now", "test_5"}
    assert sorted((each.version, each.digest) for each in others.testing_sets()) == [
        (1, "d"),
        (2, "other"),
        (3, "d"),
        (5, "d"),
    ]


@pytest.mark.parametrize("runs", ALL, ids=["walked", "cached"])
def test_both_answer_alike_about_all_runs_of_a_pipeline(runs: Callable[[], RunLister]) -> None:
    there = runs()

    assert names(there) == ["r-1", "r-2", "r-3", "r-4", "r-5"]
    assert names(there.live) == ["r-3", "r-4"]
    assert there.newest() == "r-5"
    assert names(there.with_open_proposal()) == ["r-3"]
    assert [names(there.with_proposal_of(f"m-{number}")) for number in (2, 3, 4)] == [["r-2"], ["r-3"], []]
    assert sorted(there.testing_sets()) == [
        DecidingSet(0, 1, "d", 1),
        DecidingSet(0, 2, "other", 2),
        DecidingSet(0, 3, "d", 3),
        DecidingSet(0, 5, "d", 5),
    ]


@pytest.mark.parametrize(
    "kept", [RunLister, lambda runs: CachedRunLister(cached(*runs), "team", "churn")], ids=["walked", "cached"]
)
def test_runs_that_proposed_one_model_come_by_their_names(kept: Callable[[list[Object]], RunLister]) -> None:
    steps = decided(0, challenger="m", served="m")

    there = kept([run(number, steps=steps) for number in range(9, -1, -1)])

    assert names(there.with_proposal_of("m")) == [f"r-{number}" for number in range(10)]


@pytest.mark.parametrize("models", THERE, ids=["walked", "cached"])
def test_both_answer_alike_about_models(models: Callable[[], ModelLister]) -> None:
    there = models()

    assert (there.get("m-2") or {})["metadata"]["uid"] == "m2"
    assert there.get("m-8") is None
    assert names(there) == ["m-1", "m-2", "m-3", "m-9"]
    assert names(there.of_run("r3")) == ["m-3"]
    assert names(there.of_pipeline("churn")) == ["m-1", "m-2", "m-3"]
    assert names(there.of_server("churn")) == ["m-2"]
    assert names(there.of_server("other")) == ["m-2", "m-9"]
    assert names(there.of_storage("s3://a/churn")) == ["m-1", "m-3"]


@pytest.fixture
def unpacked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The uids of the objects that were unpacked, in their order."""
    found: list[str] = []
    unpack = cache_module._unpack_entry

    def telling(entry: Any) -> Object:
        found.append(entry.uid)
        return unpack(entry)

    monkeypatch.setattr(cache_module, "_unpack_entry", telling)
    return found


def crowd(many: int) -> ObjectCache:
    return cached(*(ended(number) for number in range(many)), run(many), *(model(number) for number in range(many)))


@pytest.mark.parametrize("many", [1, 300])
def test_a_run_unpacks_what_it_asks_about_and_nothing_else(many: int, unpacked: list[str]) -> None:
    cache = crowd(many)
    runs, models = CachedRunLister(cache, "team", "churn", without="x"), CachedModelLister(cache, "team")

    assert "test_0" in runs.execution_names()
    assert len(list(runs.testing_sets())) == many
    assert len(list(runs.live)) == 1
    assert models.get("m-0") is not None
    assert len(list(models.of_run("r0"))) == 1
    assert unpacked == [f"r{many}", "m0", "m0"]


@pytest.mark.parametrize("many", [1, 300])
def test_a_look_at_a_pipeline_unpacks_what_says_that_it_serves_it_and_nothing_else(
    many: int, unpacked: list[str]
) -> None:
    cache = crowd(many)
    cache.put(model(0, "s3://a/churn", "churn") | {"metadata": model(0)["metadata"] | {"resourceVersion": "9999"}})
    metadata = {"name": "churn", "namespace": "team", "uid": "p", "resourceVersion": "1", "generation": 1}
    seen = PipelineObservation(
        pipeline=PIPELINE | {"metadata": metadata},
        settings=Settings(),
        runs=CachedRunLister(cache, "team", "churn"),
        models=CachedModelLister(cache, "team"),
    )

    told = decide(seen, datetime(2026, 3, 2, tzinfo=UTC)).status

    assert isinstance(told, PipelineStatus)
    assert (told.models, told.active_runs, told.latest_run) == (min(many, 9), 1, f"r-{many}")
    assert unpacked == ["m0"]
