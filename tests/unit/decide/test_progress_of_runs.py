"""What is told of a run between two looks at it."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from penstock.api.run import PipelineRun, PipelineRunStatus, Step
from penstock.decide.commands.progress import ProgressUpdate, progress_updates

STEPS = ("dataset", "training")
ORDER = ("Pending", "Waiting", "Running", "Succeeded")


def run(reason: str = "Running", message: str = "", **states: str) -> PipelineRun:
    steps: list[dict[str, Any]] = [{"name": name, "state": states.get(name, "Pending")} for name in STEPS]
    condition = {"type": "Succeeded", "status": "Unknown", "reason": reason, "message": message}
    status = {"steps": steps, "conditions": [{**condition, "lastTransitionTime": "2026-03-01T12:00:00Z"}]}
    made = {"apiVersion": "penstock.dev/v1alpha1", "kind": "PipelineRun", "metadata": {"name": "one"}}
    return msgspec.convert({**made, "spec": {"pipelineRef": {"name": "churn"}}, "status": status}, PipelineRun)


def test_a_step_begins_and_ends() -> None:
    assert progress_updates(run(), run(dataset="Running")) == [ProgressUpdate("started", "", "dataset")]
    assert progress_updates(run(dataset="Running"), run(dataset="Succeeded")) == [
        ProgressUpdate("ended", "done", "dataset")
    ]


def test_a_step_that_began_and_ended_unseen_is_told_both() -> None:
    assert progress_updates(None, run(dataset="Succeeded")) == [
        ProgressUpdate("started", "", "dataset"),
        ProgressUpdate("ended", "done", "dataset"),
    ]


def test_a_reused_step_only_ends() -> None:
    assert progress_updates(run(), run(dataset="Reused")) == [ProgressUpdate("ended", "Reused", "dataset")]


def test_what_was_remarked_about_the_data_is_told_once_as_the_dataset_ends_and_how_much_more_there_is() -> None:
    remarks = [{"code": "Constant", "message": "The column 'year' is constant."}]
    made = {"epoch": 1, "generation": 1, "task": "Regression", "tables": [], "rowsRead": 9, "remarks": remarks}
    step = msgspec.convert({"name": "dataset", "state": "Succeeded", "dataset": {**made, "remarked": 3}}, Step)
    ended = msgspec.structs.replace(run(), status=PipelineRunStatus(steps=(step,)))

    told = progress_updates(run(dataset="Running"), ended)

    assert told[1:] == [
        ProgressUpdate("said", "Constant: The column 'year' is constant."),
        ProgressUpdate("said", "2 more remarks are in the report."),
    ]
    assert progress_updates(ended, ended) == []


def test_why_it_waits_is_told_once() -> None:
    waits = run("Unschedulable", "No node takes its pod.", dataset="Waiting")

    assert progress_updates(run(), waits) == [ProgressUpdate("said", "No node takes its pod.")]
    assert progress_updates(waits, waits) == []


def test_what_passes_within_seconds_is_not_told() -> None:
    assert progress_updates(run(), run("Starting", "Its pod starts on the node a.", dataset="Waiting")) == []


@given(looks=st.lists(st.tuples(st.sampled_from(ORDER), st.sampled_from(ORDER)), max_size=8))
def test_whatever_is_seen_no_step_ends_twice_without_beginning_again(looks: list[tuple[str, str]]) -> None:
    """A look may come late and miss what was between; the states themselves only go forward."""
    forward = sorted(looks, key=lambda pair: (ORDER.index(pair[0]), ORDER.index(pair[1])))
    before, told = None, []
    for dataset, training in forward:
        after = run(dataset=dataset, training=training if dataset == "Succeeded" else "Pending")
        told += progress_updates(before, after)
        before = after

    for step in STEPS:
        kinds = [each.kind for each in told if each.step == step]
        assert kinds in ([], ["started"], ["started", "ended"])
