"""`kill -9` at any moment of a run, then the same command again: the right result, and nothing twice."""

import itertools
import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from local.laboratory_of_runs import ProjectFolder, environment_with, job_of, kill_everything, kill_group, wait_until

KILLING = Path(__file__).with_name("killing")
FEW = (13, pytest.param(3, marks=pytest.mark.soak))  # changes of the file system between a kill and the next


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> ProjectFolder:
    """A run that nobody disturbed."""
    bench = ProjectFolder(tmp_path_factory.mktemp("calm"))
    bench.write(jobs__training={"processes": 1, "retries": {"limit": 0}}, jobs__dataset={"retries": {"limit": 0}})
    ended = bench.run("--name", "night")
    assert ended.returncode == 0, ended.stderr
    return bench


@pytest.fixture
def bench(tmp_path: Path) -> ProjectFolder:
    """The same command, about to be disturbed. A job that is killed is not tried again."""
    bench = ProjectFolder(tmp_path)
    once = {"retries": {"limit": 0}}
    bench.write(jobs__dataset=once, jobs__training={"processes": 1} | once, jobs__testing=once)
    return bench


def tried_often(folder: Path) -> ProjectFolder:
    """Return the same command, whose jobs are tried again at once when they are killed."""
    bench = ProjectFolder(folder / "bench")
    often = {"retries": {"limit": 100, "backoff": "1ms"}}
    bench.write(jobs__dataset=often, jobs__training={"processes": 1} | often, jobs__testing=often)
    return bench


def what_came_of(bench: ProjectFolder) -> dict[str, Any]:
    """Return everything about the one run there must be that does not depend on when it ran or on where.

    A dataset job that was killed between its commit and its result commits the same rows once more, so that versions of
    the tables may differ; the generation, the rows and the digests may not.
    """
    (run,) = bench.runs()
    status = run["status"]
    pipeline = bench.pipeline()["status"]
    steps = {step["name"]: step for step in status["steps"]}
    return {
        "name": status["executionName"],
        "conditions": [(each["type"], each["status"], each["reason"]) for each in status["conditions"]],
        "tables": [
            {key: table[key] for key in ("name", "rows", "digest")} for table in steps["dataset"]["dataset"]["tables"]
        ],
        "generation": steps["dataset"]["dataset"]["generation"],
        "candidates": candidates(bench),
        "models": sorted(model["metadata"]["name"] for model in bench.models()),
        "model folders": sorted(path.name for path in (bench.storage / "models").iterdir()),
        "testing": steps["testing"]["testing"]["models"],
        "served": pipeline["servedModel"]["name"],
        "history": pipeline.get("servedHistory", []),
        "decisions": [each["decisions"] for each in pipeline["testingUses"]],
        "runs in storage": sorted(path.name for path in (bench.storage / "runs").iterdir()),
    }


def candidates(bench: ProjectFolder) -> list[Any]:
    rows = []
    for file in sorted((bench.storage / "runs" / "night" / "candidates").rglob("*.jsonl")):
        rows += [json.loads(line) for line in file.read_text().splitlines()]
    assert len({row["candidate"] for row in rows}) == len(rows), "a candidate was done twice"
    return sorted((row["candidate"], json.dumps(row.get("scores"))) for row in rows)


def has(bench: ProjectFolder, pattern: str) -> bool:
    return any(bench.storage.glob(pattern))


def has_ended(bench: ProjectFolder) -> bool:
    return any("completionTime" in run.get("status", {}) for run in bench.runs())


def run_until_killed(
    bench: ProjectFolder, role: str, before: int, **environment: str
) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(KILLING), *filter(None, [os.environ.get("PYTHONPATH")])])
    return bench.run("--name", "night", PYTHONPATH=path, KILL_ROLE=role, KILL_BEFORE=str(before), **environment)


@pytest.mark.parametrize("few", FEW)
def test_a_runner_killed_before_every_few_changes_ends_as_if_nobody_had(
    bench: ProjectFolder, calm: ProjectFolder, few: int
) -> None:
    kills = 0
    for before in itertools.count(1, few):
        ended = run_until_killed(bench, "runner", before)
        if ended.returncode == 0:
            break
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        kills += 1
        if has_ended(bench):
            break  # it was killed while it tidied up: the same command would begin another run
    assert kills > 2
    assert what_came_of(bench) == what_came_of(calm)


@pytest.mark.parametrize("few", FEW)
def test_jobs_killed_before_every_few_changes_end_as_if_nobody_had(
    tmp_path: Path, calm: ProjectFolder, few: int
) -> None:
    """Each try of a job is killed a few changes later than the one before it."""
    bench = tried_often(tmp_path)
    ended = run_until_killed(bench, "job", 1, KILL_LATER=str(tmp_path), KILL_FURTHER=str(few))

    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.count("killed by signal 9") > 2
    assert what_came_of(bench) == what_came_of(calm)


# The tables and the workers write from native code and from other processes, which no audit event tells of.
MOMENTS = (
    "datasets/training/_delta_log/*.json",
    "datasets/testing/*/_delta_log/*.json",
    "runs/night/results/dataset.json",
    "runs/night/candidates/**/*.jsonl",
    "models/*/model.onnx",
    "models/*/manifest.json",
    "runs/night/results/training.json",
    "runs/night/results/testing.json",
)
SOME_OR_ALL = (
    pytest.param(MOMENTS[::3], id="some"),
    pytest.param(MOMENTS, id="all", marks=pytest.mark.soak),
)


@pytest.mark.parametrize("moments", SOME_OR_ALL)
def test_a_run_whose_jobs_are_killed_as_each_file_appears_ends_as_if_nobody_had(
    tmp_path: Path, calm: ProjectFolder, moments: tuple[str, ...]
) -> None:
    bench = tried_often(tmp_path)
    process = bench.start("--name", "night")
    for moment in moments:
        wait_until(process, partial(has, bench, moment))
        job = job_of(process.pid)
        if job is not None:
            kill_group(job)
    _, error = process.communicate(timeout=240)

    assert process.returncode == 0, error
    assert what_came_of(bench) == what_came_of(calm)


@pytest.mark.parametrize("moments", SOME_OR_ALL)
def test_a_run_killed_as_each_file_appears_ends_as_if_nobody_had(
    bench: ProjectFolder, calm: ProjectFolder, moments: tuple[str, ...]
) -> None:
    for moment in moments:
        process = bench.start("--name", "night")
        wait_until(process, partial(has, bench, moment))
        kill_everything(process)
        assert process.stderr is not None
        process.stderr.close()
        if process.returncode == 0:  # the last file was there, and the job had ended, before it could be killed
            break
    else:
        ended = bench.run("--name", "night")
        assert ended.returncode == 0, ended.stderr
    assert what_came_of(bench) == what_came_of(calm)


def test_a_job_does_not_outlive_a_killed_runner(bench: ProjectFolder) -> None:
    process = bench.start("--name", "night")
    wait_until(process, lambda: job_of(process.pid) is not None)
    job = job_of(process.pid)
    process.kill()
    process.communicate()

    again = bench.run("--name", "night")

    assert again.returncode == 0, again.stderr
    assert not Path(f"/proc/{job}").exists()


def test_a_killed_job_leaves_no_temporary_files(bench: ProjectFolder, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    ended = run_until_killed(bench, "job", 12, TMPDIR=str(temporary))

    assert "killed by signal 9" in ended.stderr
    assert not list(temporary.iterdir())


def test_ctrl_c_stops_the_job_exits_with_130_and_the_same_command_goes_on(
    bench: ProjectFolder, calm: ProjectFolder
) -> None:
    process = bench.start("--name", "night")
    wait_until(process, lambda: has(bench, "runs/night/candidates/**/*.jsonl"))
    assert process.poll() is None
    job = job_of(process.pid)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    stopped = bench.runs()[0]["status"]["conditions"][0]
    listed = bench.run_penstock("runs").stdout

    ended = bench.run("--name", "night")

    assert process.returncode == 130
    assert b"Traceback" not in error
    assert job is None or not Path(f"/proc/{job}").exists()
    assert (stopped["status"], stopped["reason"]) == ("Unknown", "Interrupted")
    assert "Interrupted" in listed
    assert "taken up where it was" in ended.stderr
    assert what_came_of(bench) == what_came_of(calm)


def test_an_unfinished_run_whose_manifest_has_changed_is_superseded(bench: ProjectFolder) -> None:
    process = bench.start("--name", "night")
    wait_until(process, lambda: job_of(process.pid) is not None)
    kill_everything(process)
    process.communicate()
    bench.write(training__keep=1)

    assert bench.run("--name", "night").returncode == 0
    first, second = bench.runs()
    assert first["status"]["conditions"][0]["reason"] == "Superseded"
    assert second["status"]["executionName"] == "night_2"


def test_a_killed_job_is_started_again_within_its_retries(tmp_path: Path) -> None:
    bench = ProjectFolder(tmp_path)
    bench.write(jobs__dataset={"retries": {"limit": 1, "backoff": "1ms"}})
    process = bench.start("--jobs", "dataset", "--name", "night")
    wait_until(process, lambda: job_of(process.pid) is not None)
    job = job_of(process.pid)
    assert job is not None
    kill_group(job)
    _, error = process.communicate(timeout=120)

    assert process.returncode == 0, error
    assert b"killed by signal 9" in error


def test_the_same_manifest_in_two_folders_gives_the_same_split_candidates_digests_and_scores(
    tmp_path: Path, calm: ProjectFolder
) -> None:
    other = ProjectFolder(tmp_path / "elsewhere" / "deep")
    other.write(jobs__training={"processes": 2})
    ended = other.run("--name", "night")

    assert ended.returncode == 0, ended.stderr
    assert what_came_of(other) == what_came_of(calm)


def test_nothing_is_left_running(bench: ProjectFolder) -> None:
    """The server of a notebook or a shell may go on after the run: no process of it may."""
    done = subprocess.run(
        [sys.executable, "-c", _ORPHANS, *bench.command("run", str(bench.manifest), "--jobs", "dataset")],
        capture_output=True,
        text=True,
        env=environment_with({}),
        timeout=120,
    )

    assert done.stdout.splitlines()[-1] == "0 orphans", done.stderr


_ORPHANS = """
import ctypes, subprocess, sys
from pathlib import Path
ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER: orphans become this process's children
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(len(Path("/proc/self/task").joinpath(str(__import__("os").getpid()), "children").read_text().split()), "orphans")
"""
