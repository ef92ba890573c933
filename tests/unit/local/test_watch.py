"""`penstock watch`: a Trigger on a laptop, fired by a process that may end, and begin again, at any moment."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.api.pipeline import Pipeline
from penstock.api.run import PipelineRun
from penstock.local import objects
from penstock.local.home import write_atomically
from penstock.local.locks import hold_lock
from penstock.local.manifests import TriggerManifests, read_triggers
from penstock.local.watch import LONGEST_SLEEP, apply_manifests
from penstock_jobs.contract.errors import Refused
from unit.local.watched_home import HOURLY, WatchedHome, pipeline, trigger


def test_a_run_is_made_and_carried_out_when_its_moment_comes(tmp_path: Path) -> None:
    home = WatchedHome(tmp_path)

    told = home.until(hours=2)

    assert home.moments() == ["2026-11-01T01:00:00Z", "2026-11-01T02:00:00Z"]
    assert home.worked_on == [run.metadata.name for run in home.runs()]
    assert [(each.outcome, each.run) for each in told.firings] == [("Fired", name) for name in home.worked_on]
    assert told.outlook[0] == "2026-11-01T01:00:00Z"
    assert told.outlook[-1] == "2026-11-01T03:00:00Z"


def test_it_sleeps_until_the_next_moment_and_never_for_long(tmp_path: Path) -> None:
    home = WatchedHome(tmp_path)
    home.watch.longest_sleep = LONGEST_SLEEP
    home.until(minutes=31)

    assert max(home.slept) == LONGEST_SLEEP
    assert home.runs()[0].metadata.creation_timestamp == "2026-11-01T01:00:00Z"


def test_started_again_it_fires_what_was_missed_within_the_starting_deadline_once(tmp_path: Path) -> None:
    home = WatchedHome(tmp_path, trigger(startingDeadline="2h"))
    home.until(minutes=10)
    home.now += timedelta(hours=3)
    home.started_again()
    told = home.until(minutes=5)

    assert home.moments() == ["2026-11-01T03:00:00Z"]
    assert sorted(told.outcomes) == ["Fired", "Missed", "Missed"]
    home.started_again()
    assert home.until(minutes=5).firings == []


def test_what_is_longer_ago_than_the_starting_deadline_is_missed_and_told(tmp_path: Path) -> None:
    home = WatchedHome(tmp_path, trigger(startingDeadline="10m"))
    home.until(minutes=10)
    home.now += timedelta(hours=3)
    home.started_again()
    told = home.until(minutes=5)

    assert home.runs() == []
    assert told.outcomes == ["Missed"] * 3


def test_an_edit_of_the_file_fires_nothing_that_was_before_it(tmp_path: Path) -> None:
    home = WatchedHome(tmp_path)
    home.until(minutes=10)
    home.now += timedelta(hours=1)
    home.started_again(trigger(schedule={"cron": ["5 * * * *"]}))
    home.until(minutes=10)

    assert home.runs() == []


def test_a_suspended_trigger_starts_nothing_and_says_so_once(tmp_path: Path) -> None:
    home = WatchedHome(tmp_path, trigger(suspend=True))

    told = home.until(hours=2)

    assert home.runs() == []
    assert told.outlook == [None]


def test_while_a_run_is_at_work_moments_are_dealt_with_as_the_trigger_says(tmp_path: Path) -> None:
    home = WatchedHome(tmp_path, takes=timedelta(minutes=90))

    told = home.until(hours=3)

    assert told.outcomes[:3] == ["Fired", "Skipped", "Fired"]
    assert home.moments() == ["2026-11-01T01:00:00Z", "2026-11-01T03:00:00Z"]


def test_a_live_run_gives_way_to_the_next_where_the_trigger_says_so(tmp_path: Path) -> None:
    home = WatchedHome(tmp_path, trigger(concurrencyPolicy="Replace"), takes=timedelta(hours=5))

    home.until(hours=3)

    first, second = home.runs()[:2]
    assert (first.spec.cancel, second.spec.cancel) == (True, True)
    assert first.status is not None
    assert first.status.completion_time == "2026-11-01T02:00:00Z"


def test_all_that_was_missed_is_run_one_after_the_other(tmp_path: Path) -> None:
    parameters = [{"name": "asOf", "expression": "scheduledTime"}]
    every = trigger(schedule={**HOURLY, "catchUp": "All"}, startingDeadline="5h", parameters=parameters)
    home = WatchedHome(tmp_path, every)
    home.until(minutes=10)
    home.now += timedelta(hours=3)
    home.started_again()
    home.until(minutes=10)

    assert home.moments() == [f"2026-11-01T0{hour}:00:00Z" for hour in (1, 2, 3)]
    assert home.worked_on == [run.metadata.name for run in home.runs()]


def test_a_run_that_was_cut_short_is_carried_on_with(tmp_path: Path) -> None:
    home = WatchedHome(tmp_path)
    home.until(hours=1)
    [name] = home.worked_on
    home.resources.change(PipelineRun, name, _unfinished)
    home.started_again()
    home.until(minutes=5)

    assert home.worked_on == [name, name]


def test_a_run_that_another_command_works_on_is_left_to_it(tmp_path: Path) -> None:
    home = WatchedHome(tmp_path)
    home.until(hours=1)
    [run] = home.runs()
    home.resources.change(PipelineRun, run.metadata.name or "", _unfinished)
    with hold_lock(home.resources.home.run_lock(run.metadata.uid or "")):
        home.until(minutes=5)

    assert len(home.worked_on) == 1


def test_a_run_starts_at_the_end_of_another_trigger_s_run(tmp_path: Path) -> None:
    after = trigger("after", pipelineRef={"name": "report"}, runs={"pipelineRef": {"name": "churn"}})
    home = WatchedHome(tmp_path)
    home.resources.create(_named("report"))
    home.started_again(trigger(), after)
    home.until(minutes=40)

    assert [run.spec.pipeline_ref.name for run in home.runs()] == ["churn", "report"]
    assert len(home.worked_on) == 2


def test_a_test_that_finds_the_served_model_worse_starts_a_run_and_what_it_found_is_told(tmp_path: Path) -> None:
    home = WatchedHome(tmp_path, trigger("worse", model={"scoring": "roc_auc", "minimum": "0.8"}))
    home.serve("churn-1")
    home.until(minutes=1)
    home.test_served("by-hand", "churn-1", score=0.9, points=150)
    told = home.until(minutes=1)
    assert told.firings == []
    assert told.messages[-1].endswith("churn-1 has roc_auc 0.9 on 150 points newer than it, within the bound.")

    home.test_served("again", "churn-1", score=0.7, points=180)
    told = home.until(minutes=5)
    assert [(each.outcome, each.reason) for each in told.firings] == [("Fired", "ModelWorse")]
    assert home.worked_on == [told.firings[0].run]


def test_a_trigger_whose_pipeline_is_nowhere_is_refused(tmp_path: Path) -> None:
    home = WatchedHome(tmp_path)

    with pytest.raises(Refused, match="which is neither in these files nor in"):
        apply_manifests(home.resources, TriggerManifests((trigger(pipelineRef={"name": "sales"}),), ()))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("spec: {pipelineRef: {name: churn}, event: {}}", "on a laptop nothing receives them"),
        ("spec: {pipelineRef: {name: churn}}", "A Trigger has one source"),
    ],
)
def test_what_cannot_be_watched_is_refused_in_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "trigger.yaml"
    file.write_text(f"apiVersion: penstock.dev/v1alpha1\nkind: Trigger\nmetadata: {{name: t}}\n{text}\n")

    with pytest.raises(Refused, match=sentence):
        read_triggers([file])


def test_a_file_without_a_trigger_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(
        "apiVersion: penstock.dev/v1alpha1\nkind: PipelineRun\nmetadata: {name: r}\nspec: {pipelineRef: {name: p}}\n"
    )

    with pytest.raises(Refused, match="There is no Trigger in"):
        read_triggers([file])


class Killed(BaseException):
    """The process is gone."""


@settings(max_examples=25, deadline=None)
@given(kills=st.lists(st.integers(0, 25), max_size=4), pauses=st.lists(st.integers(0, 200), max_size=4))
def test_each_moment_has_one_run_or_one_reason_wherever_the_process_is_killed(
    tmp_path_factory: pytest.TempPathFactory, kills: list[int], pauses: list[int]
) -> None:
    """Never twice, never silently not."""
    home = WatchedHome(tmp_path_factory.mktemp("home"), trigger(startingDeadline="90m"))
    home.until(minutes=10)
    for kill, pause in zip(kills, pauses, strict=False):
        _killed_after(home, kill)
        home.now += timedelta(minutes=pause)
        home.started_again()
    home.until(hours=2)
    _settle(home)

    hours = int((home.now - home.now.replace(hour=0, minute=0, day=1)).total_seconds() // 3600)
    moments, counts = home.moments(), home.counted()
    assert len(set(moments)) == len(moments) == counts["fired"]
    assert counts["total"] == hours


def _killed_after(home: WatchedHome, writes: int) -> None:
    """Watch for two hours at most, in a process that is killed before so many writes and one more."""
    left = [writes]

    def dying(*arguments: Any, **options: Any) -> None:
        if not left[0]:
            raise Killed
        left[0] -= 1
        write_atomically(*arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(objects, "write_atomically", dying)
        try:
            home.until(hours=2)
        except Killed:
            return


def _settle(home: WatchedHome) -> None:
    while home.watch.look().wrote:
        pass


def _unfinished(run: PipelineRun) -> PipelineRun:
    return msgspec.structs.replace(run, status=None)


def _named(name: str) -> Pipeline:
    made = pipeline()
    return msgspec.structs.replace(made, metadata=msgspec.structs.replace(made.metadata, name=name))
