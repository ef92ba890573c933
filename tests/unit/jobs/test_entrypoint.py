"""`python -m penstock_jobs`: what every job does around its own work."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock_jobs.contract import document, errors
from penstock_jobs.contract.result import Failure
from penstock_jobs.contract.specification import (
    DatasetJob,
    InputSpec,
    Location,
    Run,
    Shard,
    SplitSpec,
    TargetSpec,
    ValidationSpec,
)
from penstock_jobs.contract.termination_message import LIMIT, TerminationMessage
from penstock_jobs.job_process import main, result_key


def dataset_job(folder: Path, **changes: object) -> DatasetJob:
    options: dict[str, object] = {
        "run": Run(uid="0f", execution_name="test", pipeline="churn", pipeline_uid="1e"),
        "storage": Location(uri=(folder / "storage").as_uri()),
        "run_storage": Location(uri=(folder / "run").as_uri()),
        "inputs": (InputSpec(name="rows", location=Location(uri=(folder / "absent.csv").as_uri())),),
        "target": TargetSpec(column="left"),
        "split": SplitSpec(testing=0.2),
        "validation": ValidationSpec(holdout=0.2),
        "key": ("id",),
    }
    return DatasetJob(**(options | changes))  # type: ignore[arg-type]


def written(folder: Path, job: DatasetJob) -> Path:
    path = folder / "specification.json"
    path.write_bytes(document.encode(job))
    return path


def test_a_job_that_finds_its_result_prints_it_and_does_nothing_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = dataset_job(tmp_path)
    earlier = Failure(reason="Refused", message="What the first one found.")
    (tmp_path / "run" / "results").mkdir(parents=True)
    (tmp_path / "run" / "results" / "dataset.json").write_bytes(document.encode(earlier))

    assert main([str(written(tmp_path, job))]) == errors.SUCCEEDED
    assert json.loads(capsys.readouterr().out)["message"] == "What the first one found."


def test_a_users_mistake_is_one_sentence_and_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main([str(written(tmp_path, dataset_job(tmp_path)))])

    output = capsys.readouterr()
    assert code == errors.REFUSED
    assert "absent.csv" in json.loads(output.out)["message"]
    assert "Traceback" not in output.err


def test_a_job_run_in_somebody_elses_process_leaves_them_their_signals(tmp_path: Path) -> None:
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}

    main([str(written(tmp_path, dataset_job(tmp_path)))])

    assert {each: signal.getsignal(each) for each in before} == before


def test_a_failure_leaves_no_result_in_storage(tmp_path: Path) -> None:
    main([str(written(tmp_path, dataset_job(tmp_path)))])

    assert not (tmp_path / "run" / "results").exists()


def test_a_specification_of_another_form_is_refused_with_the_form_that_is_read_and_since_when(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, dataset_job(tmp_path))
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": "penstock.dev/job/v2"}))

    assert main([str(path)]) == errors.REFUSED
    message = json.loads(capsys.readouterr().out)["message"]
    assert "its format is penstock.dev/job/v2" in message
    assert "reads penstock.dev/job/v1, which is written since Penstock 0.1.0" in message


def test_each_shard_has_a_result_of_its_own(tmp_path: Path) -> None:
    keys = {result_key(dataset_job(tmp_path, shard=Shard(index=index, count=3))) for index in range(3)}

    assert len(keys) == 3


@pytest.fixture
def silent_store() -> Iterator[Location]:
    """A bucket whose server takes the connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield Location(uri="s3://bucket/run", endpoint=f"http://127.0.0.1:{listener.getsockname()[1]}")


def started(folder: Path, job: DatasetJob) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "penstock_jobs", str(written(folder, job))]
    keys = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any"}
    return subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=os.environ | keys
    )


def test_a_job_ends_itself_at_its_timeout(tmp_path: Path, silent_store: Location) -> None:
    with started(tmp_path, dataset_job(tmp_path, run_storage=silent_store, timeout=1.0)) as process:
        _, log = process.communicate()

    assert process.returncode == errors.TIMED_OUT
    assert "timeout of 1 s" in log


def test_a_timeout_does_not_wait_for_the_end_of_a_query(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("id,left\n" + "".join(f"{number},{number % 2}\n" for number in range(2000)))
    endless = """
        SELECT * FROM rows WHERE 0 = (
          SELECT count(*) FROM rows AS a, rows AS b, rows AS c, rows AS d
          WHERE (a.id * 7 + b.id * 11 + c.id * 13 + d.id) % 1000003 = 1000004
        )
    """
    table = InputSpec(name="rows", location=Location(uri=(tmp_path / "rows.csv").as_uri()))

    with started(tmp_path, dataset_job(tmp_path, inputs=(table,), query=endless, timeout=3.0)) as process:
        _, log = process.communicate(timeout=60)

    assert process.returncode == errors.TIMED_OUT
    assert "timeout of 3 s" in log


def test_a_terminated_job_says_so_by_its_exit_code(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        store = Location(uri="s3://bucket/run", endpoint=f"http://127.0.0.1:{listener.getsockname()[1]}")
        with started(tmp_path, dataset_job(tmp_path, run_storage=store)) as process:
            connection, _ = listener.accept()  # the job is at work once it asks its store for a result
            process.send_signal(signal.SIGTERM)
            process.communicate()
            connection.close()

    assert process.returncode == errors.TERMINATED


def wait_until_at_work(process: subprocess.Popen[str]) -> None:
    """Wait until the process has computed for three seconds since now, which no reading of 2,000 rows takes."""

    def computed() -> float:
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    begun, deadline = computed(), time.monotonic() + 120
    while computed() < begun + 3:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc to see a process at work in")
def test_a_job_in_the_middle_of_a_query_ends_at_once_when_it_is_told_to(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("\n".join(["id,left", *(f"{number},yes" for number in range(2000))]) + "\n")
    # 8 thousand million rows are looked at: minutes, in which no handler of Python's own is called.
    count = "SELECT count(*) FROM rows a, rows b, rows c WHERE (a.id * 7 + b.id * 11 + c.id * 13) % 1000003 = 1000004"
    query = f"SELECT * FROM rows WHERE 0 = ({count})"
    rows = InputSpec(name="rows", location=Location(uri=(tmp_path / "rows.csv").as_uri()))
    with started(tmp_path, dataset_job(tmp_path, inputs=(rows,), query=query)) as process:
        assert process.stderr is not None
        assert "Reading the inputs" in process.stderr.readline()
        wait_until_at_work(process)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)

    assert process.returncode == errors.TERMINATED
    assert not (tmp_path / "storage" / "datasets").exists() or not list((tmp_path / "storage").rglob("*.parquet"))


def test_a_sentence_of_a_megabyte_is_cut_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: DatasetJob) -> None:
        raise errors.Refused("x" * 1_000_000)

    monkeypatch.setattr("penstock_jobs.dataset.generate", fail)
    log = tmp_path / "termination-log"

    assert main([str(written(tmp_path, dataset_job(tmp_path))), "--termination-message", str(log)]) == errors.REFUSED

    told = document.decode(log.read_bytes(), TerminationMessage, "the message").result
    assert isinstance(told, Failure)
    assert len(log.read_bytes()) <= LIMIT
    assert told.message.endswith("… (1,000,000 characters; the log of the job has them all)")
