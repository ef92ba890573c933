"""`penstock --cluster trigger` and `triggers`, against an API server that keeps what it is given."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from unit.cli.small_api import CREATED, Api, Object, said, serve_api

TRIGGER: Object = {
    "apiVersion": "penstock.dev/v1alpha1",
    "kind": "Trigger",
    "metadata": {"name": "nightly", "uid": "u-1", "generation": 1, **CREATED},
    "spec": {"pipelineRef": {"name": "churn"}, "schedule": {"cron": ["0 3 * * *"]}},
    "status": {"nextScheduleTime": "2026-11-09T03:00:00Z"},
}


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """An API server that has a Trigger."""
    with serve_api({"triggers/nightly": TRIGGER}, tmp_path, monkeypatch) as made:
        yield made


def test_a_run_by_hand_is_the_trigger_s_and_its_name_is_printed(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    printed = said(capsys, "trigger", "nightly", "--param", "asOf=2026-11-01")[0]

    [run] = api.runs()
    assert printed.strip() == run["metadata"]["name"]
    assert run["metadata"]["ownerReferences"][0]["uid"] == "u-1"
    assert run["spec"]["trigger"]["event"]["source"] == "penstock trigger"
    assert run["spec"]["parameters"] == [{"name": "asOf", "value": "2026-11-01"}]


def test_a_second_one_waits_for_the_end_of_the_first_unless_forced(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    first = said(capsys, "trigger", "trg/nightly")[0].strip()

    assert f"The run {first} of the Trigger nightly is live" in said(capsys, "trigger", "nightly", code=2)[1]
    said(capsys, "trigger", "nightly", "--force")
    assert len(api.runs()) == 2


def test_a_run_that_only_says_that_the_trigger_made_it_is_in_nobody_s_way(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "trigger", "nightly")
    [run] = api.runs()
    del run["metadata"]["ownerReferences"]

    said(capsys, "trigger", "nightly")

    assert len(api.runs()) == 2


def test_a_live_run_is_cancelled_where_the_trigger_replaces_it(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.objects["triggers/nightly"] = {**TRIGGER, "spec": {**TRIGGER["spec"], "concurrencyPolicy": "Replace"}}
    first = said(capsys, "trigger", "nightly")[0].strip()
    said(capsys, "trigger", "nightly")

    assert api.patched == [(f"pipelineruns/{first}", {"spec": {"cancel": True}})]


def test_past_days_have_a_run_for_each_moment_however_often_it_is_asked(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("trigger", "nightly", "--backfill", "2026-11-01..2026-11-07")
    printed, told = said(capsys, *words)
    api.runs()[0]["status"] = {"completionTime": "2026-11-08T00:00:00Z"}
    _, again = said(capsys, *words)

    assert printed.split() == [run["metadata"]["name"] for run in api.runs()]
    assert "7 runs made." in told
    assert "0 runs made. 7 have one already." in again
    assert len(api.runs()) == 7


def test_a_trigger_that_is_not_there_is_told_with_the_one_that_was_meant(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "did you mean nightly?" in said(capsys, "trigger", "nightl", code=2)[1]


def test_triggers_are_listed_described_and_say_their_next_moments(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert "2026-11-09T03:00:00Z" in said(capsys, "triggers")[0]
    assert "0 3 * * *" in said(capsys, "describe", "trg/nightly")[0]
    assert said(capsys, "triggers", "next", "nightly", "--number", "4")[0].count("03:00:00+00:00") == 4
