"""Runs, Models and Pipelines are deleted by name: what goes along and what stays is told, asked, and so it is."""

import itertools
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from local.laboratory_of_runs import ProjectFolder, sentences
from penstock.decide.cleaning.record import Record, record_object
from penstock.decide.decision import Patch
from penstock.decide.objects.children import Owner, labels, metadata
from penstock.local.home import Home
from penstock.local.locks import hold_lock
from penstock.local.objects import Objects
from penstock.local.observe import IDENTITY
from penstock_jobs.contract.specification import Location, OwnedFolder

KILLING = Path(__file__).with_name("killing")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> ProjectFolder:
    """A home with two Models of a run, one of them served."""
    bench = ProjectFolder(tmp_path_factory.mktemp("deletion"))
    bench.write()
    ended = bench.run("--name", "first")
    assert ended.returncode == 0, ended.stderr
    return bench


def home_of(bench: ProjectFolder) -> dict[str, bytes]:
    """Return every file of the resources, runs and storage."""
    roots = (bench.home / each for each in ("resources", "runs", "storage"))
    return {str(path): path.read_bytes() for root in roots for path in root.rglob("*") if path.is_file()}


def delete(bench: ProjectFolder, kind: str, *names: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return bench.run_penstock(kind, "delete", *names, **environment)


def refusal(bench: ProjectFolder, kind: str, *names: str) -> str:
    """Return the sentence with which it is refused, after which all is as it was."""
    before = home_of(bench)
    ended = delete(bench, kind, *names)
    assert ended.returncode == 2, ended.stdout + ended.stderr
    assert home_of(bench) == before
    return sentences(ended.stderr)[-1]


def models(bench: ProjectFolder) -> tuple[str, str]:
    """Return the Model that is served, and the other one."""
    served = bench.pipeline()["status"]["servedModel"]["name"]
    [other] = {each["metadata"]["name"] for each in bench.models()} - {served}
    return served, other


def test_without_a_terminal_and_without_yes_it_is_told_and_not_done(done: ProjectFolder) -> None:
    assert refusal(done, "runs", "first") == "Delete? There is no terminal to answer on; add --yes."


@pytest.mark.parametrize("kind", ["runs", "models", "pipelines"])
def test_a_name_that_is_not_there_deletes_nothing(done: ProjectFolder, kind: str) -> None:
    there = {"runs": "first", "models": models(done)[1], "pipelines": "small"}[kind]

    assert refusal(done, kind, there, "nobody", "--yes").startswith("There is no ")


def test_the_list_is_as_it_was(done: ProjectFolder) -> None:
    assert "first" in done.run_penstock("runs", "--pipeline", "small").stdout
    assert "small" in done.run_penstock("pipelines").stdout


def test_a_model_that_is_served_is_refused_with_what_to_do_first(done: ProjectFolder) -> None:
    served, _ = models(done)

    assert refusal(done, "models", served, "--yes") == (
        f"The Model {served} is served by the Pipeline small; serve another one first: penstock deploy MODEL, or "
        "delete the Pipeline: penstock pipelines delete small."
    )


def test_a_run_that_a_process_works_on_is_refused(done: ProjectFolder) -> None:
    [run] = done.runs()
    name = run["metadata"]["name"]

    with hold_lock(Home(done.home).run_lock(run["metadata"]["uid"])):
        assert refusal(done, "runs", "first", "--yes") == (
            f"The run {name} is at work; wait for its end, or stop it with Ctrl-C where it is at work."
        )


def test_a_run_goes_with_its_files_and_its_models_and_tables_stay(done: ProjectFolder) -> None:
    [run] = done.runs()
    before = done.snapshot_state()

    ended = delete(done, "runs", "first", "--yes")

    assert ended.returncode == 0, ended.stderr
    folder = done.storage / "runs" / "first"
    assert f"its results, its report and all else in {folder.as_uri()}" in ended.stdout
    assert f"2 Models that it made: {', '.join(sorted(models(done)))}" in ended.stdout
    assert done.runs() == []
    assert not folder.exists()
    assert not list((done.home / "resources" / "controllerrevisions").iterdir())
    after = done.snapshot_state()
    assert (after["models"], after["files"], after["served"]) == (before["models"], before["files"], before["served"])
    assert (done.storage / "datasets" / "training" / "_delta_log").exists()
    # What the run was is kept while one of its Models is.
    left = {str(path.relative_to(done.home / "runs")) for path in (done.home / "runs").rglob("*.json")}
    assert {Path(each).parts[:3] for each in left} == {(run["metadata"]["uid"], "objects", "controllerrevisions")}


def test_a_model_keeps_its_files_and_can_be_brought_back(done: ProjectFolder) -> None:
    _, other = models(done)
    files = {path: path.read_bytes() for path in (done.storage / "models" / other).iterdir()}

    ended = delete(done, "models", other, "--yes", "-o", "json")

    assert ended.returncode == 0, ended.stderr
    assert [each["name"] for each in json.loads(ended.stdout)] == [other]
    assert other not in {each["metadata"]["name"] for each in done.models()}
    assert {path: path.read_bytes() for path in (done.storage / "models" / other).iterdir()} == files
    assert done.run_penstock("models", "import").returncode == 0
    assert other in {each["metadata"]["name"] for each in done.models()}


def test_a_model_whose_policy_says_so_takes_its_files_along(done: ProjectFolder) -> None:
    _, other = models(done)
    path = done.home / "resources" / "models" / f"{other}.json"
    model = json.loads(path.read_text())
    path.write_text(json.dumps(model | {"spec": model["spec"] | {"deletionPolicy": "Delete"}}))

    ended = delete(done, "models", other, "--yes")

    assert ended.returncode == 0, ended.stderr
    assert f"its files in {model['spec']['uri']}, as its deletionPolicy says" in ended.stdout
    assert not (done.storage / "models" / other).exists()


def test_a_pipeline_goes_with_what_it_serves_and_its_models_and_tables_stay(done: ProjectFolder) -> None:
    served = done.pipeline()["status"]["servedModel"]["name"]

    ended = delete(done, "pipelines", "small", "--yes")

    assert ended.returncode == 0, ended.stderr
    assert f"its Model, {served}" in ended.stdout
    assert done.objects("pipelines") == []
    assert [each["metadata"]["name"] for each in done.models()] == [served]
    resources = done.home / "resources"
    for kind in ("deployments", "services", "configmaps"):
        assert not list((resources / kind).glob("*.json")), kind
    assert (done.storage / "datasets" / "training" / "_delta_log").exists()


def test_the_last_model_of_a_deleted_run_takes_along_what_the_run_was(done: ProjectFolder) -> None:
    [model] = [each["metadata"]["name"] for each in done.models()]

    assert delete(done, "models", model, "--yes").returncode == 0

    assert not list((done.home / "runs").iterdir())


@pytest.fixture
def bare(tmp_path: Path) -> ProjectFolder:
    """A home with a run of which nothing is known but its object, its record, and its files."""
    bench = ProjectFolder(tmp_path)
    folder = bench.storage / "runs" / "first"
    for name in ("snapshot.yaml", "results/training.json", "logs/training.log", "report.html"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("uid: uid-1")
    objects = Objects(Home(bench.home), new_uid=lambda: "uid-1")
    run: dict[str, Any] = {
        "apiVersion": "penstock.dev/v1alpha1",
        "kind": "PipelineRun",
        "metadata": {"name": "small-first"},
        "spec": {"pipelineRef": {"name": "small"}},
        "status": {"executionName": "first", "storage": folder.as_uri()},
    }
    made, _ = objects.create(run)
    owner = Owner("", "small-first", "uid-1", "small")
    location = OwnedFolder(Location(uri=folder.as_uri()), "snapshot.yaml", uid="uid-1")
    record = Record(kind="PipelineRun", name="small-first", uid="uid-1", identity=IDENTITY, folder=location)
    Objects(Home(bench.home), new_uid=lambda: "uid-2").create(record_object(owner, record))
    child = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata(owner, "results", labels(owner)), "data": {}}
    Objects(Home(bench.home), new_uid=lambda: "uid-3").create(child)
    assert made["metadata"]["uid"] == "uid-1"
    return bench


def test_killed_before_every_change_and_said_again_it_is_deleted_in_the_end(bare: ProjectFolder) -> None:
    path = os.pathsep.join([str(KILLING), *filter(None, [os.environ.get("PYTHONPATH")])])
    kills = 0
    for before in itertools.count(1, 4):
        killing = {"PYTHONPATH": path, "KILL_ROLE": "runner", "KILL_BEFORE": str(before)}
        ended = delete(bare, "runs", "first", "--yes", **killing)
        if ended.returncode != -signal.SIGKILL:
            break
        kills += 1

    assert ended.returncode == 0, ended.stderr
    assert kills > 2
    left = sorted(str(path.relative_to(bare.home)) for path in map(Path, home_of(bare)))
    assert left == []
    assert delete(bare, "runs", "first", "--yes").returncode == 2


def test_where_the_files_cannot_be_deleted_the_run_goes_and_that_is_said(bare: ProjectFolder) -> None:
    objects, nowhere = Objects(Home(bare.home)), {"uri": "s3://bucket/runs/first", "endpoint": "http://127.0.0.1:1"}
    [record] = objects.all_of("ControllerRevision")
    content = {"data": {"folder": {"location": nowhere}}}
    assert objects.patch(Patch.of(record, content))

    ended = delete(bare, "runs", "first", "--yes")

    assert ended.returncode == 0, ended.stderr
    assert bare.runs() == []
    assert "The files of small-first in s3://bucket/runs/first are not all deleted yet." in ended.stderr
    assert len(objects.all_of("ControllerRevision")) == 1
