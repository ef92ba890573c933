"""The state of a run, and of what a Pipeline serves: conditions, steps, history."""

from itertools import count, pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.api.deployment import Deployment
from penstock.api.metadata import ObjectMeta
from penstock.api.pipeline import Pipeline, PipelineSpec, PipelineStatus
from penstock.api.run import PipelineReference, PipelineRun, PipelineRunSpec, PipelineRunStatus
from penstock.decide.conditions import find
from penstock.decide.run_state import is_finished, pending_steps, status_of, with_outcome, with_step
from penstock.decide.serving import served_model, with_pin, with_served


def run() -> PipelineRun:
    return PipelineRun(
        api_version="penstock.dev/v1alpha1",
        kind="PipelineRun",
        metadata=ObjectMeta(name="churn-test", generation=1),
        spec=PipelineRunSpec(pipeline_ref=PipelineReference(name="churn")),
        status=PipelineRunStatus(steps=pending_steps(("dataset", "training"))),
    )


def pipeline() -> Pipeline:
    return Pipeline(
        api_version="penstock.dev/v1alpha1",
        kind="Pipeline",
        metadata=ObjectMeta(name="churn"),
        spec=PipelineSpec(deployment=Deployment()),
    )


def with_selected(before: Pipeline, model: str | None, run: str, now: str) -> Pipeline:
    status = msgspec.structs.replace(before.status or PipelineStatus(), selected_model=model)
    return with_served(msgspec.structs.replace(before, status=status), run, "Improved", now)


def test_a_live_run_is_reconciling_and_a_failed_one_stalled() -> None:
    live = with_outcome(run(), "Unknown", "Running", "", "2026-01-01T00:00:00Z")
    failed = with_outcome(live, "False", "Refused", "A sentence.", "2026-01-01T00:01:00Z")
    done = with_outcome(live, "True", "Succeeded", "", "2026-01-01T00:01:00Z")

    assert {each.type for each in status_of(live).conditions} == {"Succeeded", "Reconciling"}
    assert {each.type for each in status_of(failed).conditions} == {"Succeeded", "Stalled"}
    assert {each.type for each in status_of(done).conditions} == {"Succeeded"}
    assert [is_finished(each) for each in (live, failed, done)] == [False, True, True]


def test_a_transition_time_changes_only_with_the_status() -> None:
    first = with_outcome(run(), "Unknown", "Pending", "", "2026-01-01T00:00:00Z")
    second = with_outcome(first, "Unknown", "Running", "", "2026-01-01T00:01:00Z")
    third = with_outcome(second, "True", "Succeeded", "", "2026-01-01T00:02:00Z")
    times = [
        condition.last_transition_time
        for each in (first, second, third)
        if (condition := find(status_of(each).conditions, "Succeeded"))
    ]

    assert times == ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-01T00:02:00Z"]


def test_the_longest_message_fits_a_small_status() -> None:
    ended = with_outcome(
        with_step(run(), "training", "Failed"), "False", "Refused", "x" * 100_000, "2026-01-01T00:00:00Z"
    )

    assert len(msgspec.json.encode(ended)) < 32 * 1024


@given(st.lists(st.sampled_from(["a", "b", "c", "pin a", "pin b", "unpin"]), max_size=40))
def test_one_model_is_served_at_a_time_and_who_was_before_is_kept(acts: list[str]) -> None:
    state, clock = pipeline(), count()
    selected, pinned = None, None
    for act in acts:
        now = f"2026-01-01T00:00:{next(clock):02d}Z"
        if act == "unpin" or act.startswith("pin"):
            pinned = None if act == "unpin" else act[4:]
            state = with_served(with_pin(state, pinned), None, "Unpinned", now)
        elif pinned is None:
            selected = act
            state = with_selected(state, act, f"run-{act}", now)
        assert served_model(state) == (pinned or selected)
    history = state.status.served_history if state.status else ()
    served = state.status.served_model if state.status else None
    stretches = [*reversed(history), *([served] if served else [])]

    assert len(history) <= 20
    for earlier, later in pairwise(stretches):
        assert earlier.end_time is not None
        assert earlier.end_time < later.start_time or (
            earlier.end_time == later.start_time and earlier.name != later.name
        )


def test_serving_the_same_model_again_changes_nothing() -> None:
    once = with_selected(pipeline(), "a", "run-1", "2026-01-01T00:00:00Z")

    assert with_selected(once, "a", "run-1", "2026-01-01T00:05:00Z") == once


@pytest.mark.parametrize("selected", [None, "a"])
def test_a_pinned_model_is_served_whatever_was_selected(selected: str | None) -> None:
    state = with_selected(pipeline(), selected, "run-1", "2026-01-01T00:00:00Z")

    assert served_model(with_served(with_pin(state, "old"), None, "Pinned", "2026-01-01T00:01:00Z")) == "old"
