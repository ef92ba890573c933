"""What `penstock wait` takes for an end, well or not."""

from typing import Any

import pytest

from penstock.decide.commands.wait import Goal, WaitOutcome, goal_of, state_sentence, wait_outcome
from penstock_jobs.contract.errors import Refused

Object = dict[str, Any]


def condition(
    kind: str, status: str, reason: str = "Because", message: str = "It is so.", generation: int = 1
) -> Object:
    return {"type": kind, "status": status, "reason": reason, "message": message, "observedGeneration": generation}


def found(*conditions: Object, generation: int = 1) -> Object:
    return {"metadata": {"name": "one", "generation": generation}, "status": {"conditions": list(conditions)}}


def ended(
    there: Object | None, goal: str | None = None, kind: str = "PipelineRun", *, seen: bool = True
) -> WaitOutcome | None:
    return wait_outcome(goal_of(goal, kind), kind, "one", there, seen=seen)


def test_a_run_that_succeeded_ends_it_well() -> None:
    assert ended(found(condition("Succeeded", "True"))) == WaitOutcome(True, "PipelineRun one: Because: It is so.")


def test_a_run_that_failed_ends_it_with_its_sentence() -> None:
    said = ended(found(condition("Succeeded", "False", "Refused", "The dataset step failed: no rows.")))

    assert said == WaitOutcome(False, "PipelineRun one: Refused: The dataset step failed: no rows.")


@pytest.mark.parametrize("there", [found(), found(condition("Succeeded", "Unknown")), {"metadata": {}}])
def test_a_run_that_is_at_work_or_that_nobody_has_looked_at_is_waited_for(there: Object) -> None:
    assert ended(there) is None


def test_a_failure_that_is_hoped_for_ends_it_well_and_a_success_then_does_not() -> None:
    goal = "condition=Succeeded=False"

    assert ended(found(condition("Succeeded", "False")), goal) == WaitOutcome(
        True, "PipelineRun one: Because: It is so."
    )
    assert ended(found(condition("Succeeded", "True")), goal) == WaitOutcome(
        False, "PipelineRun one: Because: It is so."
    )


def test_a_condition_of_an_earlier_spec_does_not_count() -> None:
    there = found(condition("Ready", "True", generation=1), generation=2)

    assert ended(there, kind="Pipeline") is None


def test_a_pipeline_that_serves_nothing_yet_is_waited_for_and_one_that_is_stalled_is_not() -> None:
    waiting = condition("Ready", "False", "NoModel", "No Model has been selected yet.")
    stalled = condition("Stalled", "True", "Invalid", "There is no profile gpu.")

    assert ended(found(waiting), kind="Pipeline") is None
    assert ended(found(waiting, stalled), kind="Pipeline") == WaitOutcome(
        False, "Pipeline one: Invalid: There is no profile gpu."
    )


def test_a_model_is_ready_when_it_is_there() -> None:
    assert ended({"metadata": {"name": "one"}}, kind="Model") == WaitOutcome(True, "Model one is there.")


def test_what_was_there_and_is_gone_ends_it_badly_but_where_its_end_was_waited_for() -> None:
    assert ended(None) == WaitOutcome(False, "PipelineRun one was deleted while it was waited for.")
    assert ended(None, "delete") == WaitOutcome(True, "PipelineRun one is gone.")
    assert ended(found(), "delete") is None


def test_the_beginning_of_an_object_can_be_waited_for() -> None:
    assert ended(None, "create", seen=False) is None
    assert ended(found(), "create", seen=False) == WaitOutcome(True, "PipelineRun one is there.")


@pytest.mark.parametrize("text", ["", "Ready", "condition=", "condition=Ready=perhaps", "jsonpath={.status}"])
def test_what_cannot_be_waited_for_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="write condition=NAME"):
        goal_of(text, "Pipeline")


def test_a_status_may_be_written_as_kubectl_takes_it() -> None:
    assert goal_of("condition=Ready=false", "Pipeline") == Goal("Ready", "False")
    assert str(goal_of("condition=Ready=false", "Pipeline")) == "condition=Ready=False"


def test_an_object_without_conditions_says_that_no_operator_has_looked_at_it() -> None:
    assert "is one running that watches its namespace?" in state_sentence("PipelineRun", "one", found())
    waits = state_sentence(
        "PipelineRun", "one", found(condition("Succeeded", "Unknown", "Waiting", "No node takes it."))
    )
    assert waits == "Waiting: No node takes it."
