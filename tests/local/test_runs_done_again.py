"""A run that repeats another on a laptop: with the operations and the tables that that one had."""

from pathlib import Path
from typing import Any

import pytest

from git_repositories import Remote, git_environment, remote
from local.laboratory_of_runs import ProjectFolder, sentences, table, wait_until

FIRST = "def agreement(y_true, y_pred):\n    return float((y_true == y_pred).mean())\n"
LATER = "def agreement(y_true, y_pred):\n    return -1.0\n"
SCORING = {"name": "agreement", "function": "own.scores.agreement"}
BAYES = {"name": "bayes", "estimator": "sklearn.naive_bayes.GaussianNB", "parameters": []}


@pytest.fixture
def ml(tmp_path: Path) -> Remote:
    made = remote(tmp_path / "remotes" / "ml")
    made.commit(operations__own____init__="", operations__own__scores=FIRST)
    return made


@pytest.fixture
def bench(tmp_path: Path) -> ProjectFolder:
    bench = ProjectFolder(tmp_path / "bench")
    bench.write(training__algorithms=[BAYES], training__keep=1)
    return bench


def with_operations(bench: ProjectFolder, ml: Remote) -> dict[str, str]:
    """Give the Pipeline operations of its own; return the environment that its repository is reached in."""
    source = {"git": {"url": ml.url, "revision": "main", "path": "operations"}}
    scored = {"training__scoring": SCORING, "testing__scoring": [SCORING]}
    bench.write(None, source=source, training__algorithms=[BAYES], training__keep=1, deployment=None, **scored)
    return git_environment(ml.folder.parent)


def last(bench: ProjectFolder) -> dict[str, Any]:
    return max(bench.runs(), key=lambda run: str(run["metadata"]["creationTimestamp"]) + run["metadata"]["name"])


def states(run: dict[str, Any]) -> dict[str, str]:
    return {step["name"]: step["state"] for step in run["status"]["steps"]}


def test_the_operations_are_those_of_the_run_and_in_debug_mode_those_of_now(bench: ProjectFolder, ml: Remote) -> None:
    environment = with_operations(bench, ml)
    begun = ml.git("rev-parse", "main")
    first = bench.run("--jobs", "dataset,training,testing", **environment)
    ml.commit(operations__own__scores=LATER)

    again = bench.run_penstock("rerun", "run", "--from", "testing", **environment)
    as_it_was = last(bench)
    debugged = bench.run_penstock("rerun", "run", "--from", "testing", "--debug", **environment)
    as_it_is = last(bench)

    assert (first.returncode, again.returncode, debugged.returncode) == (0, 0, 0), again.stderr + debugged.stderr
    assert as_it_was["status"]["executionName"] == "run_2"
    assert as_it_was["status"]["commit"] == begun
    assert as_it_is["status"]["commit"] == ml.git("rev-parse", "main") != begun
    assert '<section id="candidates">' in (bench.storage / "runs/run_2/report.html").read_text()
    tested = [run["status"]["steps"][2]["testing"]["models"][0]["scores"][0]["value"] for run in (as_it_was, as_it_is)]
    assert (float(tested[0]) > 0, float(tested[1])) == (True, -1.0)


def test_operations_that_nobody_has_any_more_are_not_guessed(bench: ProjectFolder, ml: Remote) -> None:
    with_operations(bench, ml)
    (bench.folder / "local.yaml").write_text(f"sources: {{'{ml.url}': ../remotes/ml}}\n")
    (ml.folder / "operations" / "own" / "more.py").touch()
    bench.run("--jobs", "dataset,training")

    again = bench.run_penstock("rerun", "run", "--from", "training")

    assert again.returncode == 2
    assert "check that commit out, or say --debug." in again.stderr


def test_an_input_that_has_changed_is_refused_and_the_tables_stay(bench: ProjectFolder) -> None:
    bench.run("--jobs", "dataset,training")
    tables = sorted(path.name for path in bench.storage.glob("datasets/**/*.parquet"))
    (bench.folder / "rows.csv").write_text(table(seed=8))

    again = bench.run_penstock("rerun", "run", "--from", "dataset")
    trained = bench.run_penstock("rerun", "run", "--from", "training")

    assert again.returncode == 2
    assert "tables would not be what the run small-run made: the inputs have changed since" in again.stderr
    assert sorted(path.name for path in bench.storage.glob("datasets/**/*.parquet") if path.name in tables) == tables
    assert trained.returncode == 0, trained.stderr
    assert states(last(bench)) == {"dataset": "Reused", "training": "Succeeded"}


def test_what_failed_is_done_again_from_there_with_the_value_that_it_takes(bench: ProjectFolder) -> None:
    failed = bench.run("--jobs", "dataset,training", "--set", "jobs.training.timeout=10ms")

    again = bench.run_penstock("rerun", "run", "--set", "jobs.training.timeout=5m")

    assert (failed.returncode, again.returncode) == (2, 0), again.stderr
    assert states(last(bench)) == {"dataset": "Reused", "training": "Succeeded"}


def test_a_run_that_has_not_ended_is_not_repeated(bench: ProjectFolder) -> None:
    process = bench.start()
    wait_until(process, lambda: bool(bench.runs()))

    again = bench.run_penstock("rerun", "small-run")
    process.kill()
    process.wait()

    assert again.returncode == 2
    assert sentences(again.stderr) == [
        "The run small-run has not ended; the command that began it takes it up where it was."
    ]
