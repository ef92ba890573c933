"""A look at a run costs the same however many runs have ended and however many Models there are."""

from collections.abc import Callable
from typing import Any

import pytest

from penstock.act import cache as cache_module
from penstock.act.cache import Cache
from penstock.act.others import CachedModels, CachedRuns
from penstock.act.view import marks
from penstock.decide.run.others import Models, Runs

Object = dict[str, Any]


def run(number: int, **status: Any) -> Object:
    return {
        "kind": "PipelineRun",
        "metadata": {
            "name": f"r-{number}",
            "namespace": "team",
            "uid": f"r{number}",
            "resourceVersion": f"{number + 1}",
        },
        "spec": {"pipelineRef": {"name": "churn"}},
        "status": status,
    }


def ended(number: int, digest: str = "d") -> Object:
    steps = [
        {"name": "testing", "state": "Succeeded", "testing": {"epoch": 0, "version": number, "digest": digest}},
        {"name": "deployment", "state": "Succeeded", "deployment": {"verdict": "Improved"}},
    ]
    return run(number, executionName=f"test_{number}", finished="2026-03-01T12:00:00Z", steps=steps)


def model(number: int, storage: str = "s3://a/churn") -> Object:
    labels = {"penstock.dev/run-uid": f"r{number}", "penstock.dev/pipeline": "churn"}
    metadata = {"name": f"m-{number}", "namespace": "team", "uid": f"m{number}", "labels": labels}
    metadata["resourceVersion"] = f"{number + 1}"
    return {"kind": "Model", "metadata": metadata, "spec": {"lineage": {"storage": storage}}}


def cached(*found: Object) -> Cache:
    cache = Cache(marks)
    for each in found:
        assert cache.put(each)
    return cache


RUNS = [ended(1), ended(2, "other"), run(3, executionName="now"), run(4), ended(5)]
MODELS = [model(1), model(2, "s3://b/churn"), model(3)]
OTHERS: list[Callable[[], Runs]] = [
    lambda: Runs([each for each in RUNS if each["metadata"]["name"] != "r-4"]),
    lambda: CachedRuns(cached(*RUNS), "team", "churn", without="r4"),
]
THERE: list[Callable[[], Models]] = [lambda: Models(MODELS), lambda: CachedModels(cached(*MODELS), "team")]


@pytest.mark.parametrize("runs", OTHERS, ids=["walked", "cached"])
def test_both_answer_alike_about_other_runs(runs: Callable[[], Runs]) -> None:
    others = runs()

    assert [each["metadata"]["name"] for each in others] == ["r-1", "r-2", "r-3", "r-5"]
    assert [each["metadata"]["name"] for each in others.live] == ["r-3"]
    assert [name in others.names for name in ("test_1", "now", "test_9")] == [True, True, False]
    assert (others.decided(0, "d"), others.decided(0, "other"), others.decided(1, "d")) == (2, 1, 0)


@pytest.mark.parametrize("models", THERE, ids=["walked", "cached"])
def test_both_answer_alike_about_models(models: Callable[[], Models]) -> None:
    there = models()

    assert (there.named("m-2") or {})["metadata"]["uid"] == "m2"
    assert there.named("m-9") is None
    assert [each["metadata"]["name"] for each in there.of_run("r3")] == ["m-3"]
    assert [each["metadata"]["name"] for each in there.made_from("s3://a/churn")] == ["m-1", "m-3"]


@pytest.mark.parametrize("many", [1, 300])
def test_a_question_unpacks_what_it_is_about_and_nothing_else(many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = cached(*(ended(number) for number in range(many)), run(many), *(model(number) for number in range(many)))
    unpacked: list[str] = []
    unpack = cache_module._unpacked

    def counting(entry: Any) -> Object:
        unpacked.append(entry.uid)
        return unpack(entry)

    monkeypatch.setattr(cache_module, "_unpacked", counting)
    runs, models = CachedRuns(cache, "team", "churn", without="x"), CachedModels(cache, "team")

    assert "test_0" in runs.names
    assert runs.decided(0, "d") == many
    assert len(list(runs.live)) == 1
    assert models.named("m-0") is not None
    assert len(list(models.of_run("r0"))) == 1
    assert len(unpacked) == 3
