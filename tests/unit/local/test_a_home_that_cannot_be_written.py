"""Who only looks needs to write nothing: a home of somebody else's, or on a disk that is read-only, is shown.

Permissions say nothing to root, who may run these tests; so Python itself refuses here what such a home would refuse.
"""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from penstock import cli
from penstock.local.home import Home
from penstock.local.locks import hold_lock
from penstock.local.objects import Object
from unit.local.two_worlds import RUN, Case, LaptopWorld
from unit.local.watched_home import trigger

LOOKING = [
    ["pipelines"],
    ["runs"],
    ["runs", "--pipeline", "churn"],
    ["describe", RUN],
    ["describe", "trg/hourly"],
    ["logs", RUN],
    ["models"],
    ["triggers"],
    ["triggers", "next", "hourly"],
]
_WRITING = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate", "os.link", "os.symlink")
_frozen: list[Path] = []


def _refuse_to_write(event: str, arguments: tuple[Any, ...]) -> None:
    if not _frozen or event not in ("open", *_WRITING) or not isinstance(arguments[0], str | Path):
        return
    path = Path(arguments[0])
    writes = event != "open" or arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    if writes and path.is_relative_to(_frozen[0]) and not (event == "os.mkdir" and path.is_dir()):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))


sys.addaudithook(_refuse_to_write)  # for as long as the process lives; it looks at nothing but a frozen home


@pytest.fixture(scope="module")
def unfinished(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with a run that has not ended, and that no process works on."""
    world = LaptopWorld(Case(), tmp_path_factory.mktemp("world"))
    world.to_end()
    world.objects.create(msgspec.to_builtins(trigger()))
    (run,) = world.objects.all_of("PipelineRun")
    (world.objects.home.run(run["metadata"]["uid"]) / "logs" / "dataset.log").write_text('{"message": "It reads."}\n')

    def interrupted(there: Object) -> Object:
        left = {name: value for name, value in there["status"].items() if name not in ("completionTime", "conditions")}
        return {**there, "status": left}

    world.objects.change("PipelineRun", RUN, interrupted)
    with hold_lock(world.objects.home.run_lock(run["metadata"]["uid"])):
        pass
    return world.objects.home


@contextmanager
def read_only(home: Home) -> Iterator[Path]:
    _frozen.append(home.root)
    yield home.root
    _frozen.clear()


@pytest.fixture
def frozen(unfinished: Home) -> Iterator[Path]:
    with read_only(unfinished) as root:
        yield root


def test_it_can_indeed_not_be_written(frozen: Path) -> None:
    with pytest.raises(OSError, match="Read-only"):
        (frozen / "new").write_text("")


@pytest.mark.parametrize("words", LOOKING, ids=" ".join)
def test_a_command_that_only_looks_shows_it(frozen: Path, capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        cli.main([*words, "--home", str(frozen)])

    printed = capsys.readouterr()
    assert (exit_.value.code, printed.err) == (0, "")
    assert printed.out


def test_a_run_that_another_process_works_on_is_seen_to_be_at_work(
    unfinished: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    (lock,) = (unfinished.root / "locks").glob("run-*")
    with hold_lock(lock), read_only(unfinished) as root, pytest.raises(SystemExit):
        cli.main(["runs", "--home", str(root)])

    assert "Interrupted" not in capsys.readouterr().out
