"""`penstock --cluster … delete`, against an API server that keeps what it is given."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.decide.objects.children import PIPELINE, RUN_UID
from unit.cli.small_api import CREATED, Api, Object, said, serve_api


def made(kind: str, name: str, spec: Object, status: Object | None = None, run: str = "") -> Object:
    labels = {PIPELINE: "churn", RUN_UID: run}
    metadata = {"name": name, "uid": f"uid-{name}", "labels": labels if kind == "Model" else {}}
    return {
        "apiVersion": "penstock.dev/v1alpha1",
        "kind": kind,
        "metadata": metadata | CREATED,
        "spec": spec,
        "status": status or {},
    }


OF_CHURN: Object = {"pipelineRef": {"name": "churn"}}
ENDED: Object = {"completionTime": "2026-11-02T00:00:00Z", "executionName": "test", "storage": "s3://bucket/runs/test"}


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """A Pipeline that serves one of its two Models, a run that has ended, and one that has not."""
    model = {"uri": "s3://bucket/models/m", "deletionPolicy": "Delete"}
    objects = {
        "pipelines/churn": made("Pipeline", "churn", {"deployment": {}}, {"servedModel": {"name": "first"}}),
        "pipelineruns/churn-1": made("PipelineRun", "churn-1", OF_CHURN, ENDED),
        "pipelineruns/churn-2": made("PipelineRun", "churn-2", OF_CHURN),
        "models/first": made("Model", "first", model),
        "models/second": made("Model", "second", model, run="uid-churn-1"),
    }
    with serve_api(objects, tmp_path, monkeypatch) as api:
        api.forbidden = {"controllerrevisions", "triggers"}
        yield api


def test_a_run_is_deleted_by_the_uid_that_was_seen_and_what_goes_and_stays_is_told(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = said(capsys, "runs", "delete", "churn-1", "--yes")[0]

    [(path, asked)] = api.deleted
    assert (path, asked["preconditions"]) == ("pipelineruns/churn-1", {"uid": "uid-churn-1"})
    assert asked["propagationPolicy"] == "Background"
    assert "goes along: its results, its report and all else in s3://bucket/runs/test" in printed
    assert "stays:      the Model that it made, second" in printed
    assert "PipelineRun churn-1 is deleted." in printed


def test_a_run_at_work_is_refused_with_the_way_to_cancel_it(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    errors = said(capsys, "runs", "delete", "churn-1", "churn-2", "--yes", code=2)[1]

    assert "The run churn-2 is at work; wait for its end, or cancel it: penstock --cluster cancel churn-2." in errors
    assert api.deleted == []


def test_a_model_that_is_served_is_refused_though_the_api_server_would_not(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    errors = said(capsys, "models", "delete", "second", "first", "--yes", code=2)[1]

    assert "The Model first is served by the Pipeline churn; serve another one first" in errors
    assert api.deleted == []


def test_a_name_that_is_not_there_deletes_nothing(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    errors = said(capsys, "models", "delete", "second", "secnd", "--yes", code=2)[1]

    assert "There is no Model secnd in the namespace ml; did you mean second?" in errors
    assert api.deleted == []


def test_nothing_is_deleted_that_nobody_said_yes_to(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    printed, errors = said(capsys, "pipelines", "delete", "churn", code=2)

    assert "goes along: its API, with all servers" in printed
    assert "the run churn-2, which is at work, and will end with PipelineDeleted" in printed
    assert "Delete? There is no terminal to answer on; add --yes." in errors
    assert api.deleted == []
