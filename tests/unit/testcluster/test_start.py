"""A cluster that comes up is followed by what its first process tells; whether that ended, is asked of it itself."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from testcluster.machine import folders, start
from testcluster.sentences import Lacking


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("PENSTOCK_TEST_CACHE", str(tmp_path))
    (folders.run() / "logs").mkdir(parents=True)
    return folders.run()


@pytest.fixture
def alive() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def gone(command: str) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(["sh", "-c", command])
    process.wait()
    return process


def tells(run: Path, *facts: dict[str, object]) -> None:
    (run / "progress").write_text("".join(json.dumps({"seconds": 1, **fact}) + "\n" for fact in facts))


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize(
    ("command", "how"), [("exit 3", "with exit code 3"), ("kill -KILL $$", "by the signal SIGKILL")]
)
def test_a_first_process_that_ended_is_told_with_how_it_ended(command: str, how: str) -> None:
    with pytest.raises(Lacking, match=f"Its first process ended {how}"):
        list(start.follow(gone(command)))


@pytest.mark.usefixtures("run")
def test_a_first_process_that_nobody_finds_by_its_command_line_yet_is_waited_for(
    alive: "subprocess.Popen[bytes]",
) -> None:
    with pytest.raises(Lacking, match="It was not up after 0 seconds"):
        list(start.follow(alive, seconds=0.1))


def test_the_last_words_of_a_process_that_ended_count(run: Path) -> None:
    tells(run, {"failed": "etcd ended 3 times before it was ready"})

    with pytest.raises(Lacking, match="etcd ended 3 times"):
        list(start.follow(gone("exit 1")))


def test_each_program_is_named_as_it_becomes_ready(run: Path, alive: "subprocess.Popen[bytes]") -> None:
    tells(run, {"step": "namespaces"}, {"ready": "etcd"}, {"done": True})

    assert list(start.follow(alive)) == ["namespaces", "etcd"]
