"""What is counted."""

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from penstock.act.metrics import OperatorMetrics
from penstock.api.conditions import Condition
from penstock.api.run import PipelineRunStatus, Step
from penstock.decide.decision import Decision
from penstock.kubernetes.kinds import Key
from unit.act.shell_parts import make_run

KEY = Key("PipelineRun", "team", "churn-1")
NOW = "2026-11-21T12:00:00Z"


def _decision(status: str, reason: str, *steps: Step, finished: str | None = None) -> Decision:
    succeeded = Condition(type="Succeeded", status=status, reason=reason, last_transition_time=NOW)  # type: ignore[arg-type]
    return Decision(status=PipelineRunStatus(conditions=(succeeded,), steps=steps, completion_time=finished))


WAITS = _decision("Unknown", "Unschedulable", Step(name="training", state="Waiting"))
RUNS = _decision("Unknown", "Running", Step(name="training", state="Running"))
ENDED = Step(name="training", state="Succeeded", start_time="2026-11-21T11:59:00Z", completion_time=NOW)


def _value(metrics: OperatorMetrics, line: str) -> float | None:
    found = re.search(rf"^{re.escape(line)} (\S+)$", metrics.text().decode(), re.MULTILINE)
    return float(found[1]) if found else None


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([WAITS, RUNS, None]))))
def test_waiting_runs_are_those_that_wait_now(changes: list[tuple[str, Decision | None]]) -> None:
    metrics = OperatorMetrics()
    now: dict[str, Decision | None] = {}
    for name, decision in changes:
        key = Key("PipelineRun", "team", name)
        if decision is None:
            metrics.forget(key)
        else:
            metrics.record_decision(key, make_run(name), decision)
        now[name] = decision

    expected = sum(decision is WAITS for decision in now.values())
    assert (_value(metrics, 'penstock_runs_waiting{reason="Unschedulable"}') or 0) == expected


def test_a_run_that_ends_is_counted_once_by_its_reason() -> None:
    metrics = OperatorMetrics()
    ends = _decision("True", "ServedModelKept", finished=NOW)
    metrics.record_decision(KEY, make_run(), ends)
    metrics.record_decision(KEY, make_run(completionTime=NOW), ends)

    assert _value(metrics, 'penstock_runs_finished_total{reason="ServedModelKept"}') == 1


def test_how_long_a_step_ran_is_counted_once() -> None:
    metrics = OperatorMetrics()
    ends = _decision("Unknown", "Running", ENDED)
    before: dict[str, Any] = {"steps": [{"name": "training", "state": "Running"}]}
    metrics.record_decision(KEY, make_run(**before), ends)
    metrics.record_decision(KEY, make_run(steps=[{"name": "training", "completionTime": NOW}]), ends)

    labels = '{state="Succeeded",step="training"}'
    assert _value(metrics, f"penstock_step_seconds_count{labels}") == 1
    assert _value(metrics, f"penstock_step_seconds_sum{labels}") == 60


def test_no_label_is_the_name_of_an_object() -> None:
    metrics = OperatorMetrics()
    metrics.record_decision(KEY, make_run(), WAITS)
    metrics.count_write("create", "Job")
    with metrics.reconcile("PipelineRun") as outcome:
        outcome.record_error("bug")

    labels = set(re.findall(r"(\w+)=", metrics.text().decode()))
    assert labels <= {"kind", "verb", "class", "reason", "step", "state", "le"}
