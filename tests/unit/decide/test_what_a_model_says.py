"""A Model says of itself that it can be read, on which generation; nothing else of its status is touched."""

from datetime import UTC, datetime
from typing import Any

import pytest

from penstock.decide.cleaning.models import decide
from penstock.decide.cleaning.observation import ModelObservation
from penstock.decide.decision import Decision
from penstock.decide.settings import Settings
from penstock.decide.status import status_to_write
from unit.decide_run.model_cluster import Object
from unit.decide_run.model_operator import settle
from unit.decide_run.runs_at_work import apply_run

NOW = datetime(2026, 3, 1, 13, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def model() -> Object:
    """A Model that a run made, tested and had served."""
    cluster, operator = apply_run()
    settle(cluster, operator)
    (found,) = cluster.of("Model")
    return {**found, "metadata": {**found["metadata"], "generation": 3}}


def look(model: Object) -> Decision:
    return decide(ModelObservation(model=model, settings=Settings()), NOW)


def status_after(model: Object) -> dict[str, Any]:
    decision = look(model)
    assert decision.status is not None
    return status_to_write(model, decision.status) or model["status"]


def conditions(status: dict[str, Any]) -> dict[str, tuple[str, str, int]]:
    return {each["type"]: (each["status"], each["reason"], each["observedGeneration"]) for each in status["conditions"]}


def test_a_model_that_can_be_read_is_ready_on_its_generation(model: Object) -> None:
    status = status_after(model)

    assert status["observedGeneration"] == 3
    assert conditions(status) == {"Ready": ("True", "Saved", 3)}


def test_its_scores_and_its_servers_stay(model: Object) -> None:
    status = status_after(model)

    assert status["testing"] == model["status"]["testing"]
    assert status["servedBy"] == model["status"]["servedBy"] == ["churn"]


def test_it_is_said_once(model: Object) -> None:
    again = {**model, "status": status_after(model)}

    decision = look(again)
    assert decision.status is None or status_to_write(again, decision.status) is None


def test_a_model_that_cannot_be_read_is_not_ready_and_says_which_field_it_is(model: Object) -> None:
    newer = {**model, "spec": {**model["spec"], "task": "Telepathy"}}

    status = status_after(newer)

    assert conditions(status) == {"Ready": ("False", "Invalid", 3), "Stalled": ("True", "Invalid", 3)}
    assert "spec.task" in status["conditions"][0]["message"]
    assert status["testing"] == model["status"]["testing"]


def test_a_model_that_can_be_read_again_is_ready_again(model: Object) -> None:
    newer = {**model, "spec": {**model["spec"], "task": "Telepathy"}}
    mended = {**model, "status": status_after(newer)}

    assert conditions(status_after(mended)) == {"Ready": ("True", "Saved", 3)}
