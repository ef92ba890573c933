"""The command line around its commands: exit codes, sentences, progress, completion."""

import errno
import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from penstock import cli
from penstock.api.deployment import Deployment
from penstock.api.jobs import PipelineJob
from penstock.api.pipeline import PipelineSpec
from penstock.cli.progress import QUIET_SECONDS, Lines
from penstock.local.log_lines import LogLine
from penstock.local.process import Stopped
from penstock.local.unused import unused_fields
from penstock_jobs.contract.errors import Refused, Unavailable


def ended(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> int:
    def fail(*_arguments: object, **_options: object) -> None:
        raise error

    monkeypatch.setattr(cli.commands, "main", fail)
    with pytest.raises(SystemExit) as exit_:
        cli.main([])
    assert isinstance(exit_.value.code, int)
    return exit_.value.code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Refused("A sentence."), 2),
        (Unavailable("No answer."), 2),
        (OSError(errno.ENOSPC, "No space left on device"), 2),
        (PermissionError(errno.EACCES, "Permission denied", "/a/lock"), 2),
        (Stopped(signal.SIGINT), 130),
        (Stopped(signal.SIGTERM), 143),
        (KeyboardInterrupt(), 130),
    ],
)
def test_what_is_foreseen_ends_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException, code: int
) -> None:
    assert ended(monkeypatch, error) == code
    assert "Traceback" not in capsys.readouterr().err


def test_what_the_machine_refuses_is_one_sentence_with_the_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ended(monkeypatch, OSError(errno.EROFS, "Read-only file system", "/a/lock"))
    assert capsys.readouterr().err == "penstock: /a/lock cannot be used: Read-only file system.\n"


@pytest.mark.parametrize("home", ["~nobody-of-that-name/home", "a" * 5000, "/dev/null", "/dev/null/home"])
def test_a_home_that_cannot_be_is_one_sentence(capsys: pytest.CaptureFixture[str], home: str) -> None:
    with pytest.raises(SystemExit) as exit_:
        cli.main(["runs", "--home", home])

    assert exit_.value.code == 2
    [sentence] = capsys.readouterr().err.splitlines()
    assert sentence.startswith(("penstock: The home ", "penstock: /dev/null/home"))


def test_a_bug_ends_with_1_and_its_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(monkeypatch, ZeroDivisionError("never")) == 1
    assert "ZeroDivisionError: never" in capsys.readouterr().err


def test_a_wrong_option_is_one_sentence_that_says_where_help_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        cli.main(["runs", "--colour"])

    assert exit_.value.code == 2
    assert capsys.readouterr().err.splitlines() == ["penstock: No such option '--colour'. See penstock runs --help."]


@pytest.mark.parametrize("before", [[], ["--cluster"]])
def test_every_command_has_help_and_can_be_imported(capsys: pytest.CaptureFixture[str], before: list[str]) -> None:
    context = cli.commands.make_context("penstock", [*before], resilient_parsing=True)
    for name in cli.commands.list_commands(context):
        with pytest.raises(SystemExit) as exit_:
            cli.main([*before, name, "--help"])
        assert exit_.value.code == 0
        assert "Usage: penstock" in capsys.readouterr().out


def test_progress_without_a_terminal_is_a_line_now_and_then_and_the_last() -> None:
    written = io.StringIO()
    now = [0.0]
    lines = Lines(Console(file=written, width=200), clock=lambda: now[0])
    lines.begin_step("training")
    for done in range(1, 101):
        now[0] += QUIET_SECONDS / 20
        lines.line("training", LogLine("candidates", level="INFO", done=done, total=100))
    told = [line for line in written.getvalue().splitlines() if "candidates" in line]

    assert len(told) == 6
    assert told[-1] == "training: 100 of 100 candidates"


def test_names_of_the_home_are_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "resources" / "pipelines"
    folder.mkdir(parents=True)
    (folder / "churn.json").write_text("{}")
    changes = {"_PENSTOCK_COMPLETE": "bash_complete", "COMP_WORDS": "penstock serve ch", "COMP_CWORD": "2"}
    for name, value in (changes | {"PENSTOCK_HOME": str(tmp_path)}).items():
        monkeypatch.setitem(os.environ, name, value)
    with pytest.raises(SystemExit):
        cli.main()

    assert capsys.readouterr().out == "plain,churn\n"


def test_what_a_laptop_has_no_use_for_is_told_by_its_field() -> None:
    training = PipelineJob(name="training", timeout="1h", node_selector={"disk": "fast"})
    spec = PipelineSpec(deployment=Deployment(replicas=2), jobs=(training,))

    assert set(unused_fields(msgspec.to_builtins(spec))) == {"spec.deployment.replicas", "spec.jobs[0].nodeSelector"}


@pytest.mark.parametrize(
    "words", [["runs"], ["explain", "pipeline", "--recursive"], ["--help"], ["runs", "-o", "json"]]
)
def test_a_reader_that_has_seen_enough_is_no_bug(tmp_path: Path, words: list[str]) -> None:
    command = [sys.executable, "-c", "from penstock.cli import main; main()", *words]
    reading, writing = os.pipe()
    os.close(reading)
    finished = subprocess.run(
        command,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        env=os.environ | {"PENSTOCK_HOME": str(tmp_path)},
    )
    os.close(writing)

    assert (finished.returncode, finished.stderr) == (cli.READER_GONE, "")


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(("words", "code"), [("explain pipeline", 0), ("runs", 0), ("describe absent", 2)])
def test_an_output_that_the_shell_closed_is_not_wanted_and_no_bug(
    tmp_path: Path, closed: str, words: str, code: int
) -> None:
    command = f'"{sys.executable}" -c "from penstock.cli import main; main()" {words} {closed}'
    home = os.environ | {"PENSTOCK_HOME": str(tmp_path)}
    finished = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False, env=home)

    assert finished.returncode == code
    assert "bug" not in finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is full")
def test_an_output_without_room_is_told_in_a_sentence() -> None:
    command = f'"{sys.executable}" -c "from penstock.cli import main; main()" explain pipeline > /dev/full'
    finished = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)

    assert (finished.returncode, finished.stderr) == (2, "penstock: A file cannot be used: No space left on device.\n")


def test_a_command_that_is_stopped_does_not_take_the_interpreter_apart_and_loses_none_of_its_words() -> None:
    program = """
import atexit, signal
from penstock import cli
from penstock.local.process import Stopped

def stop(*_arguments, **_options):
    print("It begins.", end="")
    raise Stopped(signal.SIGTERM)

atexit.register(print, "It is taken apart.")
cli.commands.main = stop
cli.main()
"""
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert (finished.returncode, finished.stdout, finished.stderr) == (128 + signal.SIGTERM, "It begins.", "")
