"""No status of a Pipeline is over 32 KiB: however long its history, whatever its servers and its runs had to say."""

from datetime import timedelta
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.decide.decision import Refusal
from penstock.decide.observed.listers import ModelLister, RunLister
from penstock.decide.pipeline.observation import PipelineObservation
from penstock.decide.pipeline.reconcile import decide
from penstock.decide.settings import Settings
from unit.decide_run import examples_of_runs as examples
from unit.decide_run.model_operator import settle
from unit.decide_run.runs_at_work import apply_run
from unit.decide_run.test_statuses_stay_small import MOST, TEXT, size

Object = dict[str, Any]
TIME = "2026-03-01T12:00:00.000000Z"
LONG = "m" * 63


def decided(number: int, digest: str) -> Object:
    """Return a run that decided by a testing set of its own."""
    found = {"epoch": number, "version": 10**12, "points": 10**12, "report": "r" * 512, "digest": digest}
    steps = [
        {"name": "testing", "state": "Succeeded", "testing": found},
        {"name": "deployment", "state": "Succeeded", "deployment": {"verdict": "Improved", "challenger": LONG}},
    ]
    made = examples.run(f"{number:03}{'r' * 60}", f"uid-{number}")
    return made | {"status": {"steps": steps, "completionTime": TIME, "executionName": f"{number}"}}


def one_that_serves() -> tuple[Object, tuple[Object, ...], tuple[Object, ...]]:
    """Return a Pipeline that serves a Model, the Models, and the Deployments."""
    cluster, operator = apply_run()
    settle(cluster, operator)
    return cluster.objects["Pipeline", "churn"], tuple(cluster.of("Model")), tuple(cluster.of("Deployment"))


PIPELINE, MODELS, DEPLOYMENTS = one_that_serves()


@settings(max_examples=60, deadline=None)
@given(
    said=TEXT,
    history=st.integers(0, 20),
    runs=st.integers(0, 60),
    digest=st.integers(0, 128),
    events=st.integers(0, 5),
    refused=st.booleans(),
    pinned=st.booleans(),
)
def test_the_status_of_a_pipeline_takes_32_kibibytes_at_most(
    said: str, history: int, runs: int, digest: int, events: int, refused: bool, pinned: bool
) -> None:
    served = {
        "name": LONG,
        "startTime": TIME,
        "endTime": TIME,
        "selectedBy": LONG,
        "reason": "r" * 128,
        "revision": LONG,
    }
    status = {**PIPELINE["status"], "servedHistory": [served] * history, "url": "u" * 512}
    status["notifications"] = [told(number) for number in range(events)]
    deployment = {"model": LONG if pinned else MODELS[0]["metadata"]["name"]}
    observation = PipelineObservation(
        pipeline={**PIPELINE, "spec": {**PIPELINE["spec"], "deployment": deployment}, "status": status},
        settings=Settings(),
        runs=RunLister([decided(number, "d" * digest) for number in range(runs)]),
        models=ModelLister(MODELS),
        deployments=tuple(failed(each, said) for each in DEPLOYMENTS),
        refused=Refusal("Deployment", LONG, 422, "Invalid", said) if refused else None,
    )

    found = decide(observation, examples.BEGINNING + timedelta(days=1))

    assert found.status is not None
    assert size(found.status) <= MOST
    assert len(msgspec.to_builtins(found.status).get("testingUses", ())) <= 20


def told(number: int) -> Object:
    """Return an event that many were to be told, and nobody could be."""
    deliveries = [{"name": f"{each}{'n' * 31}", "state": "Unavailable"} for each in range(6)]
    about = {"model": LONG, "run": LONG, "reason": "r" * 64, "deliveries": deliveries}
    return {"id": f"{number}{'i' * 31}", "event": "ModelSelected", "time": TIME, **about}


def failed(deployment: Object, said: str) -> Object:
    condition = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": said}
    return {**deployment, "status": {"availableReplicas": 0, "conditions": [condition]}}
