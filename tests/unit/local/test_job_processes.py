"""A job as a child process: its log is kept, its end is certain, and it gets only the credentials that it needs."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.decide.objects.pod import thread_variables
from penstock.local.environment import environment
from penstock.local.log_lines import parse
from penstock.local.process import GRACE, Command, ExitStatus, Process, Stopped, follow, stopping_on_signals
from penstock_jobs.contract.specification import Credentials, Location, ServerSpec
from processes import ends

HANG = (
    "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
)


def command(folder: Path, code: str, ceiling: float | None = None) -> Command:
    return Command([sys.executable, "-c", code], dict(os.environ), folder / "logs" / "job.log", ceiling=ceiling)


def run(command: Command, tell: Callable[[bytes], None]) -> ExitStatus:
    process = Process(command, tell)
    try:
        follow([process], None)
    finally:
        process.stop()
    assert process.ended is not None
    return process.ended


def test_every_line_is_told_and_kept_and_the_exit_code_is_returned(tmp_path: Path) -> None:
    told: list[bytes] = []
    ended = run(command(tmp_path, "import sys; print('one'); sys.stderr.write('two'); sys.exit(3)"), told.append)

    assert ended.code == 3
    assert sorted(told) == [b"one", b"two"]
    assert sorted((tmp_path / "logs" / "job.log").read_bytes().splitlines()) == [b"one", b"two"]


def test_a_job_at_its_ceiling_is_killed_though_it_ignores_being_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock.local.process.GRACE", 0.1)
    ended = run(command(tmp_path, HANG, ceiling=1.0), lambda line: None)

    assert ended.at_ceiling


def test_what_a_job_leaves_behind_in_its_group_is_killed_with_it(tmp_path: Path) -> None:
    told: list[bytes] = []
    leaving = "import subprocess, sys; print(subprocess.Popen(['sleep', '600']).pid, flush=True)"
    run(command(tmp_path, leaving), told.append)

    assert ends(int(told[0]))


def test_a_signal_stops_the_job_and_is_raised_once_it_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.local.process.GRACE", 0.1)
    pids: list[int] = []
    code = HANG.replace("print('up'", "import os; print(os.getpid()")

    def tell(line: bytes) -> None:
        pids.append(int(line))
        threading.Timer(0, os.kill, (os.getpid(), signal.SIGINT)).start()

    with pytest.raises(Stopped) as stopped, stopping_on_signals():
        run(command(tmp_path, code), tell)

    assert stopped.value.number == signal.SIGINT
    assert not Path(f"/proc/{pids[0]}").exists()


def test_a_job_that_does_not_hear_the_signal_takes_no_more_than_half_of_the_two_seconds_that_ctrl_c_may() -> None:
    assert GRACE <= 1.0


def test_a_killed_job_that_the_kernel_keeps_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process = Process(command(tmp_path, HANG), lambda _: None)

    def wait(_process: object, timeout: float | None = None) -> int:
        assert timeout is not None, "it would be waited for without an end"
        raise subprocess.TimeoutExpired("a job", timeout)

    with monkeypatch.context() as patched:
        patched.setattr(subprocess.Popen, "wait", wait)
        process.stop(0.0)
    process._process.wait()  # it is no zombie for the tests after this one

    assert process.ended == ExitStatus(-signal.SIGKILL)


def test_a_job_gets_its_own_credentials_and_no_others() -> None:
    mine = {"PATH": "/bin", "OWN_KEY": "1", "OWN_SECRET": "2", "OTHER_SECRET": "3"}
    own = Credentials(environment={"accessKeyId": "OWN_KEY", "secretAccessKey": "OWN_SECRET"})
    asked = ServerSpec(location=Location(uri="s3://b", credentials=own), name="churn")

    given = environment(mine, asked, frozenset({"OWN_KEY", "OWN_SECRET", "OTHER_SECRET"}), {})

    assert given["PATH"] == "/bin"
    assert (given["OWN_KEY"], given["OWN_SECRET"]) == ("1", "2")
    assert "OTHER_SECRET" not in given


def test_threads_come_from_the_specification_and_not_from_the_machine() -> None:
    asked = ServerSpec(location=Location(uri="file:///m"), name="churn", threads=3)
    given = thread_variables(asked.threads)

    assert environment({"OMP_NUM_THREADS": "64"}, asked, frozenset(), given)["OMP_NUM_THREADS"] == "3"


@given(st.binary())
def test_no_line_of_a_log_is_too_odd_to_be_shown(line: bytes) -> None:
    assert isinstance(str(parse(line)), str)


def test_a_line_of_progress_says_how_far_the_job_is() -> None:
    line = parse(b'{"time": "t", "level": "INFO", "message": "candidates", "done": 3, "total": 9}')

    assert (line.done, line.total, line.is_progress) == (3, 9, True)
