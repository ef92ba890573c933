"""Runs whose operations are in a git repository: the commit is found once, told everywhere, and kept."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from git_repositories import Remote, git_environment, remote
from local.laboratory_of_runs import ProjectFolder, kill_everything, kill_group, sentences, wait_until

FIRST = "def agreement(y_true, y_pred):\n    return float((y_true == y_pred).mean())\n"
LATER = "def agreement(y_true, y_pred):\n    return -1.0\n"
SCORING = {"name": "agreement", "function": "own.scores.agreement"}


@pytest.fixture
def ml(tmp_path: Path) -> Remote:
    made = remote(tmp_path / "remotes" / "ml")
    made.commit(operations__own____init__="", operations__own__scores=FIRST)
    return made


@pytest.fixture
def bench(tmp_path: Path, ml: Remote) -> ProjectFolder:
    bench = ProjectFolder(tmp_path / "bench")
    bench.write(
        source={"git": {"url": ml.url, "revision": "main", "path": "operations"}},
        training__scoring=SCORING,
        training__algorithms=[{"name": "bayes", "estimator": "sklearn.naive_bayes.GaussianNB", "parameters": []}],
        testing__scoring=[SCORING],
        deployment__selection={"scoring": "agreement", "minimum": "0.6"},
    )
    return bench


def resolved(bench: ProjectFolder, name: str = "run") -> Any:
    *_, said = yaml.safe_load_all((bench.storage / "runs" / name / "snapshot.yaml").read_text())
    return said["resolved"]


def commits(bench: ProjectFolder) -> set[str | None]:
    """Return what the run, its snapshot, what its jobs were asked, and its Models say of the commit."""
    (run,) = bench.runs()
    asked = bench.home / "runs" / run["metadata"]["uid"] / "specifications"
    jobs = [json.loads(path.read_text()) for path in asked.iterdir() if path.stem in ("training", "testing")]
    assert jobs
    return {
        run["status"].get("commit"),
        resolved(bench).get("commit"),
        *(job["source"].get("commit") for job in jobs),
        *(model["spec"]["origin"].get("commit") for model in bench.models()),
    }


def scores(bench: ProjectFolder) -> list[float]:
    return [float(score["value"]) for model in bench.models() for score in model["spec"]["validationScores"][:1]]


def test_the_run_its_snapshot_and_its_models_say_which_commit_it_was(bench: ProjectFolder, ml: Remote) -> None:
    ended = bench.run(**git_environment(ml.folder.parent))

    assert ended.returncode == 0, ended.stderr
    assert commits(bench) == {ml.git("rev-parse", "main")}
    assert ml.git("rev-parse", "main") in bench.run_penstock("describe", "run").stdout


def test_a_run_that_is_taken_up_again_keeps_its_commit_though_the_branch_moved(
    bench: ProjectFolder, ml: Remote
) -> None:
    begun = ml.git("rev-parse", "main")
    process = bench.start(**git_environment(ml.folder.parent))
    wait_until(process, lambda: any(bench.storage.glob("runs/run/snapshot.yaml")))
    kill_everything(process)
    ml.commit(operations__own__scores=LATER)
    ended = bench.run(**git_environment(ml.folder.parent))

    assert ended.returncode == 0, ended.stderr
    assert "taken up where it was" in ended.stderr
    assert commits(bench) == {begun}
    assert min(scores(bench)) > 0


def test_a_runner_that_is_killed_while_it_fetches_leaves_no_half_checkout(
    bench: ProjectFolder, ml: Remote, tmp_path: Path
) -> None:
    slow = tmp_path / "slow"
    slow.write_text(f"#!/bin/sh\ntouch {tmp_path}/asked\nsleep 600\n")
    slow.chmod(0o755)
    waiting = {"GIT_CONFIG_COUNT": "2", "GIT_CONFIG_KEY_1": "filter.slow.smudge", "GIT_CONFIG_VALUE_1": str(slow)}
    (ml.folder / ".gitattributes").write_text("*.py filter=slow\n")
    ml.commit()

    process = bench.start(**git_environment(ml.folder.parent) | waiting)
    wait_until(process, (tmp_path / "asked").exists)
    kill_group(process.pid)
    process.wait()
    ended = bench.run(**git_environment(ml.folder.parent))

    assert ended.returncode == 0, ended.stderr
    assert commits(bench) == {ml.git("rev-parse", "main")}


def test_a_revision_that_is_not_there_ends_the_run_in_a_sentence(bench: ProjectFolder, ml: Remote) -> None:
    bench.write(source={"git": {"url": ml.url, "revision": "absent"}})
    ended = bench.run(**git_environment(ml.folder.parent))

    assert ended.returncode == 2
    said = f"spec.source.git.revision is absent, and {ml.url} has no such branch, tag or commit; correct it."
    assert sentences(ended.stderr) == [f"The training step failed: {said}"]


def test_a_repository_that_does_not_answer_ends_the_run_once_its_tries_are_used_up(
    bench: ProjectFolder, ml: Remote
) -> None:
    once = {"processes": 1, "retries": {"limit": 0}}
    bench.write(source={"git": {"url": ml.url, "revision": "main"}}, jobs__training=once)
    ended = bench.run(**git_environment(ml.folder.parent) | {"GIT_CONFIG_KEY_0": "url.http://127.0.0.1:1/.insteadOf"})
    (run,) = bench.runs()
    (succeeded,) = [each for each in run["status"]["conditions"] if each["type"] == "Succeeded"]

    assert ended.returncode == 2
    assert f"The git repository {ml.url} cannot be had at this time" in ended.stderr
    assert (succeeded["status"], succeeded["reason"]) == ("False", "Unavailable")


def test_a_folder_that_has_changes_is_marked_in_the_run_and_its_models(bench: ProjectFolder, ml: Remote) -> None:
    (bench.folder / "local.yaml").write_text(f"sources: {{'{ml.url}': ../remotes/ml}}\n")
    (ml.folder / "operations" / "own" / "more.py").touch()
    ended = bench.run("--jobs", "dataset,training")

    assert ended.returncode == 0, ended.stderr
    assert commits(bench) == {f"{ml.git('rev-parse', 'HEAD')}-dirty"}


def test_a_dataset_alone_asks_no_repository(bench: ProjectFolder) -> None:
    ended: subprocess.CompletedProcess[str] = bench.run("--jobs", "dataset")

    assert ended.returncode == 0, ended.stderr
    assert set(resolved(bench)) == {"executionName"}
