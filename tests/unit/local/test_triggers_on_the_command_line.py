"""`penstock trigger`, `triggers`, `describe trg/NAME` and `watch` on a laptop, as a person types and reads them."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from penstock import cli
from penstock.api.run import PipelineRun
from penstock.api.trigger import Firing
from penstock.cli.options import LaptopSettings
from penstock.cli.watch import LineTeller
from penstock.decide.run.draft import RunDraft
from penstock.local.home import Home
from penstock.local.locks import hold_lock
from penstock.local.resources import Resources
from unit.local.watched_home import WatchedHome, trigger

MANIFEST = """
apiVersion: penstock.dev/v1alpha1
kind: Pipeline
metadata: {name: churn}
spec:
  dataset:
    inputs: [{name: rows, uri: rows.csv}]
    target: {column: left}
    key: [id]
---
apiVersion: penstock.dev/v1alpha1
kind: Trigger
metadata: {name: nightly}
spec:
  pipelineRef: {name: churn}
  schedule: {cron: ["30 2 * * *"], timeZone: Europe/Berlin}
"""
Ends = Callable[[str], bool]


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Pipeline with a Trigger beside it; the home is in the same folder."""
    monkeypatch.setenv("PENSTOCK_HOME", str(tmp_path / "home"))
    file = tmp_path / "nightly.yaml"
    file.write_text(MANIFEST)
    return file


@pytest.fixture
def works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the runs that were carried out; each succeeds at once."""
    worked: list[str] = []

    def carry_on(resources: Resources, _places: Any, name: str, _watcher: Any) -> PipelineRun:
        worked.append(name)

        def ended(run: PipelineRun) -> PipelineRun:
            return RunDraft(run).outcome("True", "Completed", "It is over.", resources.objects.now()).run

        return resources.change(PipelineRun, name, ended)

    monkeypatch.setattr("penstock.cli.trigger.carry_on", carry_on)
    return worked


def said(capsys: pytest.CaptureFixture[str], *words: object, code: int = 0) -> tuple[str, str]:
    with pytest.raises(SystemExit) as ended:
        cli.main([str(word) for word in words])
    printed = capsys.readouterr()
    assert (ended.value.code or 0) == code, printed.err
    assert "Traceback" not in printed.err
    return printed.out, printed.err


def runs(tmp_path: Path) -> list[PipelineRun]:
    return Resources(Home(tmp_path / "home")).list(PipelineRun)


def test_a_trigger_of_a_file_is_run_by_hand(
    tmp_path: Path, manifest: Path, works: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "trigger", manifest)
    said(capsys, "trigger", "nightly")

    made = runs(tmp_path)
    assert sorted(works) == sorted(run.metadata.name or "" for run in made)
    assert [run.spec.trigger and run.spec.trigger.name for run in made] == ["nightly", "nightly"]


def test_a_run_by_hand_that_was_stopped_is_taken_up_by_the_same_command(
    tmp_path: Path, manifest: Path, works: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "trigger", manifest)
    [run] = runs(tmp_path)
    Resources(Home(tmp_path / "home")).change(
        PipelineRun, run.metadata.name or "", lambda there: msgspec.structs.replace(there, status=None)
    )
    said(capsys, "trigger", "nightly")

    assert works == [run.metadata.name] * 2
    assert len(runs(tmp_path)) == 1


def test_a_run_that_is_at_work_forbids_another_and_one_that_was_cut_short_does_not(
    tmp_path: Path, manifest: Path, works: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    home = WatchedHome(tmp_path / "home", trigger())
    home.until(hours=1)
    [run] = home.runs()
    name, uid = run.metadata.name or "", run.metadata.uid or ""
    home.resources.change(PipelineRun, name, lambda there: msgspec.structs.replace(there, status=None))
    with hold_lock(home.resources.home.run_lock(uid)):
        refused = said(capsys, "trigger", "hourly", code=2)[1]
    said(capsys, "trigger", "hourly")

    assert f"The run {name} of the Trigger hourly is live" in refused
    assert len(works) == 1


def test_a_manifest_that_says_that_a_trigger_made_its_run_is_refused(
    tmp_path: Path, manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made_by = {"name": "nightly", "uid": "u-1", "scheduledTime": "2026-11-01T00:00:00Z"}
    spec = {"pipelineRef": {"name": "churn"}, "trigger": made_by}
    file = tmp_path / "run.yaml"
    run = {"apiVersion": "penstock.dev/v1alpha1", "kind": "PipelineRun", "metadata": {"name": "mine"}, "spec": spec}
    file.write_text(json.dumps(run))

    sentence = said(capsys, "run", file, code=2)[1]

    assert "run.yaml says that the Trigger nightly made its run (spec.trigger), which only a Trigger says" in sentence
    assert runs(tmp_path) == []


def test_a_run_that_only_says_that_a_trigger_made_it_is_in_nobody_s_way(
    tmp_path: Path, manifest: Path, works: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    home = WatchedHome(tmp_path / "home", trigger())
    home.until(hours=1)
    [run] = home.runs()
    name, uid = run.metadata.name or "", run.metadata.uid or ""
    home.resources.objects.change(
        "PipelineRun",
        name,
        lambda there: {**there, "metadata": {**there["metadata"], "ownerReferences": []}, "status": None},
    )
    with hold_lock(home.resources.home.run_lock(uid)):
        said(capsys, "trigger", "hourly")

    assert len(works) == 1


def test_past_days_are_run_once_each(
    tmp_path: Path, manifest: Path, works: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("trigger", manifest, "--backfill", "2026-11-01..2026-11-03", "--force")

    _, first = said(capsys, *words)
    _, again = said(capsys, *words)

    assert "3 runs made." in first
    assert "0 runs made. 3 have one already." in again
    assert works == [run.metadata.name for run in runs(tmp_path)]
    assert len(works) == 3


def test_what_was_run_by_hand_is_in_the_history(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = WatchedHome(tmp_path, trigger())
    home.until(minutes=5)
    from penstock.decide.commands.trigger_by_hand import run_by_hand
    from penstock.local.by_hand import create_runs

    made = run_by_hand(home.found(), None, (), {}, now=home.now, identity="asked-1")
    create_runs(home.resources, home.found(), [made.run])

    assert home.counted()["fired"] == 1
    status = home.found().status
    assert status is not None
    assert (status.history[0].reason, status.history[0].message) == ("ByHand", "penstock trigger asked for it.")
    home.until(minutes=5)
    assert home.worked_on == [made.run["metadata"]["name"]]
    assert home.counted()["fired"] == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("trigger", "nowhere"), "There is no Trigger nowhere in"),
        (("trigger", "{file}", "--max", "3"), "--max bounds how many runs --backfill makes"),
        (("trigger", "{file}", "--backfill", "today"), "--backfill is today"),
        (("trigger", "{file}", "--backfill", "2026-11-01"), "uses scheduledTime in neither"),
        (("trigger", "{file}", "--param", "asOf"), "--param is asOf"),
        (("watch", "no-such-file.yaml"), "no-such-file.yaml cannot be read"),
        (("watch",), "Missing argument"),
    ],
)
def test_a_mistake_is_one_sentence(
    manifest: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], sentence: str
) -> None:
    assert sentence in said(capsys, *(word.format(file=manifest) for word in words), code=2)[1]


def test_the_triggers_of_a_home_are_listed_and_described(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = WatchedHome(tmp_path)
    home.until(hours=1)

    listed = said(capsys, "triggers", "--home", tmp_path)[0]
    described = said(capsys, "describe", "trg/hourly", "--home", tmp_path)[0]

    assert "2026-11-01T02:00:00Z" in listed
    assert home.worked_on[0] in described
    assert "Its moment came" in described
    assert json.loads(said(capsys, "describe", "trg/hourly", "--home", tmp_path, "-o", "json")[0])["kind"] == "Trigger"


def teller(output: Any = "table") -> LineTeller:
    return LineTeller(LaptopSettings(home=Home(Path("/nowhere")), output=output))


def test_a_line_says_what_became_of_a_moment_by_the_clock_of_the_trigger(capsys: pytest.CaptureFixture[str]) -> None:
    there = trigger(schedule={"cron": ["0 * * * *"], "timeZone": "Europe/Berlin"})
    firing = Firing(time="2026-11-01T02:00:00Z", outcome="Fired", run="r-1", reason="Scheduled", message="It was time.")
    teller().firing(there, firing)
    teller("json").firing(there, firing)

    line, document = capsys.readouterr().out.splitlines()
    assert line == "hourly  2026-11-01 03:00:00+01:00  fired: r-1. It was time."
    assert json.loads(document) == {"trigger": "hourly", **msgspec.to_builtins(firing)}


def test_ctrl_c_ends_a_watch_without_a_word_of_complaint(manifest: Path) -> None:
    command = [sys.executable, "-c", "from penstock.cli import main; main()", "watch", str(manifest)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        first = watching.stdout.readline()
        watching.send_signal(signal.SIGINT)
        _, errors = watching.communicate(timeout=60)

    assert first.startswith("nightly  next at ")
    assert watching.returncode == 130
    assert errors == ""


def test_a_run_of_a_watch_that_fails_ends_nothing_but_itself(tmp_path: Path) -> None:
    home = WatchedHome(tmp_path, takes=timedelta(minutes=1))
    home.ends = lambda _: False

    home.until(hours=2)

    assert len(home.worked_on) == 2
