"""The log of a job, kept in storage with its run."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from penstock_jobs.contract import errors
from penstock_jobs.contract.specification import DatasetJob, InputSpec, Location
from penstock_jobs.log_archive import HALF, LEFT_OUT
from testcluster.patience import attempts
from unit.jobs.test_entrypoint import dataset_job, written

SECONDS = 60
OF_WHAT_IS_RUN = """
import os, sys
from penstock_jobs.log_archive import LogArchive
from penstock_jobs.storage import open_store
from penstock_jobs.contract.specification import Location
with LogArchive("training", every=0.05) as kept:
    kept.archive_to(lambda: open_store(Location(uri=sys.argv[1])))
"""


def run(folder: Path, block: str) -> "subprocess.Popen[str]":
    """Start a process that does this while its log is kept in the folder `store`."""
    code = OF_WHAT_IS_RUN + "".join(f"    {line}\n" for line in block.strip().splitlines())
    command = [sys.executable, "-c", code, (folder / "store").as_uri()]
    pipe, environment = subprocess.PIPE, os.environ | {"TMPDIR": str(folder)}
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment)


def kept(folder: Path, name: str = "training") -> str:
    return (folder / "store" / "logs" / f"{name}.log").read_text()


def entrypoint(folder: Path, job: DatasetJob, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "penstock_jobs", str(written(folder, job)), "--keep-log", "dataset"]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=SECONDS, env=os.environ | environment, check=False
    )


def test_all_that_is_printed_is_kept_once_and_in_order_whoever_printed_it(tmp_path: Path) -> None:
    with run(
        tmp_path,
        """
print("from Python", flush=True)
os.system("echo from another process")
os.write(2, b"from a library in C\\n")
print("to the log", file=sys.stderr)
""",
    ) as process:
        _, printed = process.communicate(timeout=SECONDS)

    expected = "from Python\nfrom another process\nfrom a library in C\nto the log\n"
    assert kept(tmp_path) == expected
    assert printed == expected  # and `kubectl logs` shows the same


def test_a_process_that_is_killed_leaves_what_it_printed_before(tmp_path: Path) -> None:
    with run(
        tmp_path,
        """
print("begun", flush=True)
print("on its way" if sys.stdin.read() else "", flush=True)
""",
    ) as process:
        for _ in attempts("a log", SECONDS):
            if (tmp_path / "store" / "logs" / "training.log").exists():
                break
        process.kill()

    assert kept(tmp_path) == "begun\n"


def test_the_log_of_a_pod_that_was_started_again_is_beside_the_first(tmp_path: Path) -> None:
    for number in range(2):
        with run(tmp_path, f'print("start {number}")') as process:
            process.communicate(timeout=SECONDS)

    assert (kept(tmp_path), kept(tmp_path, "training.2")) == ("start 0\n", "start 1\n")


def test_of_a_log_that_is_too_long_the_beginning_and_the_end_are_kept(tmp_path: Path) -> None:
    lines = 4 * HALF // 100
    with run(tmp_path, f'for number in range({lines}): print(f"{{number:099}}")') as process:
        process.communicate(timeout=SECONDS)

    content = (tmp_path / "store" / "logs" / "training.log").read_bytes()
    first, last = content.split(LEFT_OUT)
    assert len(content) < 3.1 * HALF
    assert [int(line) for line in first.splitlines()] == list(range(len(first) // 100))
    end = [int(line) for line in last.splitlines()]
    assert end == list(range(end[0], lines))
    assert len(last) > HALF


def test_what_is_meant_for_the_operator_is_not_kept(tmp_path: Path) -> None:
    with run(tmp_path, 'print("penstock-result 1/1 {}")\nprint("told")') as process:
        process.communicate(timeout=SECONDS)

    assert kept(tmp_path) == "told\n"


def test_the_log_of_a_job_says_how_it_failed(tmp_path: Path) -> None:
    done = entrypoint(tmp_path, dataset_job(tmp_path))

    assert done.returncode == errors.REFUSED
    log = (tmp_path / "run" / "logs" / "dataset.log").read_text()
    assert "absent.csv" in log
    assert log in done.stderr


def test_each_of_several_pods_has_a_log_of_its_own(tmp_path: Path) -> None:
    entrypoint(tmp_path, dataset_job(tmp_path), JOB_COMPLETION_INDEX="3")

    assert (tmp_path / "run" / "logs" / "dataset-3.log").exists()


def test_a_job_ends_as_it_would_where_its_log_cannot_be_kept(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "logs").write_text("a file in the place of the folder")

    done = entrypoint(tmp_path, dataset_job(tmp_path))

    assert done.returncode == errors.REFUSED
    assert "The log cannot be kept in storage" in done.stderr


def test_a_job_that_is_told_to_end_keeps_its_log_before(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("\n".join(["id,left", *(f"{number},yes" for number in range(2000))]) + "\n")
    count = "SELECT count(*) FROM rows a, rows b, rows c WHERE (a.id * 7 + b.id * 11 + c.id * 13) % 1000003 = 1000004"
    rows = InputSpec(name="rows", location=Location(uri=(tmp_path / "rows.csv").as_uri()))
    job = dataset_job(tmp_path, inputs=(rows,), query=f"SELECT * FROM rows WHERE 0 = ({count})")
    command = [sys.executable, "-m", "penstock_jobs", str(written(tmp_path, job)), "--keep-log", "dataset"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "Reading the inputs" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)

    assert process.returncode == errors.TERMINATED
    assert "Reading the inputs" in (tmp_path / "run" / "logs" / "dataset.log").read_text()
