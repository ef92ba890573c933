"""One job as a child process: in a group of its own, its log kept and told line by line, its end certain.

The job cannot outlive this process: it holds the reading end of a pipe as its standard input, and stops when that
closes. Nor can it outlive its ceiling, a limit above its own timeout.
"""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from penstock_jobs.errors import Unavailable

GRACE = 10.0  # seconds between asking a job to stop and killing it


class Stopped(BaseException):
    """A person, or the system, asked this process to end. Not an `Exception`: nothing on the way may swallow it."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(signal.Signals(number).name)


@dataclass(frozen=True)
class Command:
    """What to start: its words, environment, log file, the locks it inherits, and its ceiling in seconds."""

    words: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    inherited: tuple[int, ...] = ()
    ceiling: float | None = None


@dataclass(frozen=True)
class Ended:
    """How it ended: its exit code (negative: the signal that killed it), and whether that was at its ceiling."""

    code: int
    at_ceiling: bool = False


@contextmanager
def stopping_on_signals() -> Iterator[None]:
    """Turn Ctrl-C, SIGTERM and SIGHUP into `Stopped`, raised in the main thread, while the block runs."""

    def stop(number: int, _frame: object) -> None:
        raise Stopped(number)

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    earlier = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def run(command: Command, tell: Callable[[bytes], None]) -> Ended:
    """Run the command to its end, keep each line of its output in the log, and tell it.

    Raises:
        Stopped: a signal came; the job and all processes of its group are gone by then.
        Unavailable: the log cannot be written.
    """
    with _log(command.log) as log:
        process = subprocess.Popen(
            command.words,
            env=dict(command.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=command.inherited,
            process_group=0,
        )
        try:
            return _followed(process, command.ceiling, lambda line: _keep(log, line, tell))
        finally:
            _end(process)


def _followed(process: subprocess.Popen[bytes], ceiling: float | None, tell: Callable[[bytes], None]) -> Ended:
    assert process.stdout is not None
    deadline = None if ceiling is None else time.monotonic() + ceiling
    unfinished = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return Ended(process.poll() or -signal.SIGKILL, at_ceiling=True)
            # A grandchild may keep the pipe open after the job's exit: look for the exit too, not for the pipe alone.
            ready = selector.select(0.5 if left is None else min(left, 0.5))
            chunk = os.read(process.stdout.fileno(), 65536) if ready else None
            if chunk:
                *lines, unfinished = (unfinished + chunk).split(b"\n")
                for line in lines:
                    tell(line)
            elif chunk == b"" or process.poll() is not None:
                if unfinished:
                    tell(unfinished)
                return Ended(process.wait())


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask what is left of the group to stop, then kill it; a second signal while waiting kills at once."""
    try:
        if process.poll() is None:
            _signal_group(process.pid, signal.SIGTERM)
            process.wait(GRACE)
    except (subprocess.TimeoutExpired, Stopped):
        pass
    finally:
        _signal_group(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def _signal_group(group: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # macOS answers EPERM for a group of zombies
        os.killpg(group, number)


@contextmanager
def _log(path: Path) -> Iterator[IO[bytes]]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        log = path.open("ab", buffering=0)
    except OSError as error:
        raise Unavailable(f"The log {path} cannot be written: {error.strerror}.") from error
    with log:
        yield log


def _keep(log: IO[bytes], line: bytes, tell: Callable[[bytes], None]) -> None:
    try:
        log.write(line + b"\n")
    except OSError as error:
        raise Unavailable(f"The log {log.name} cannot be written: {error.strerror}.") from error
    tell(line)
