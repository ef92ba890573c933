"""One job as a child process: in a group of its own, its log kept and told line by line, its end certain.

The job cannot outlive this process: it holds the reading end of a pipe as its standard input, and stops when that
closes. Nor can it outlive its ceiling, a limit above its own timeout.
"""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from penstock_jobs.contract.errors import Unavailable

# Seconds between asking a job to stop and killing it. It ends at once when it hears of it and tidies up nothing
# (`penstock_jobs.ending`); one that is deep in a library does not hear it, and a person waits at the terminal.
GRACE = 1.0
_KILLED = 2.0  # seconds that a killed process may take to be gone; the kernel may keep it while a disk does not answer
_LOOK = 0.5  # seconds between two looks at whether it has ended


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
class ExitStatus:
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


class Process:
    """A command at work, whose every line of output is kept in its log, and told."""

    def __init__(self, command: Command, tell: Callable[[bytes], None]) -> None:
        """Start it.

        Raises:
            Unavailable: the log cannot be written.
        """
        self._tell = tell
        self._log = _open_log(command.log)
        self._unfinished = b""
        self._deadline = None if command.ceiling is None else time.monotonic() + command.ceiling
        self.ended: ExitStatus | None = None
        self._process = subprocess.Popen(
            command.words,
            env=dict(command.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=command.inherited,
            process_group=0,
        )

    @property
    def look_delay(self) -> float:
        """The seconds until it is to be looked at, whether it says something or not."""
        # A grandchild may keep the pipe open after the job's exit: look for the exit too, not for the pipe alone.
        return _LOOK if self._deadline is None else max(0.0, min(_LOOK, self._deadline - time.monotonic()))

    def fileno(self) -> int:
        """Return what becomes readable when it says something."""
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def follow(self, *, readable: bool) -> None:
        """Take in what it has said, and see whether it has ended."""
        if self._deadline is not None and time.monotonic() >= self._deadline:
            code = self._process.poll()
            self._end(ExitStatus(-signal.SIGKILL if code is None else code, at_ceiling=True))
            return
        chunk = os.read(self.fileno(), 65536) if readable else None
        if chunk:
            *lines, self._unfinished = (self._unfinished + chunk).split(b"\n")
            for line in lines:
                self._keep(line)
        elif chunk == b"" or self._process.poll() is not None:
            if self._unfinished:
                self._keep(self._unfinished)
            self._end(ExitStatus(self._process.wait()))

    def stop(self, grace: float = GRACE) -> None:
        """Ask what is left of the group to stop, then kill it; a second signal while waiting kills at once."""
        if self.ended is None:
            self._end(None, grace)

    def _end(self, ended: ExitStatus | None, grace: float = GRACE) -> None:
        process = self._process
        try:
            if process.poll() is None:
                _signal_group(process.pid, signal.SIGTERM)
                process.wait(grace)
        except (subprocess.TimeoutExpired, Stopped):
            pass
        finally:
            _signal_group(process.pid, signal.SIGKILL)
            self.ended = ended or ExitStatus(_wait_for_killed(process))
            for pipe in (process.stdin, process.stdout, self._log):
                if pipe is not None:
                    pipe.close()

    def _keep(self, line: bytes) -> None:
        try:
            self._log.write(line + b"\n")
        except OSError as error:
            raise Unavailable(f"The log {self._log.name} cannot be written: {error.strerror}.") from error
        self._tell(line)


def follow(processes: Iterable[Process], timeout: float | None) -> None:
    """Take in what the processes say until one of them has ended, or so many seconds have passed."""
    deadline = None if timeout is None else time.monotonic() + timeout
    processes = tuple(processes)
    with selectors.DefaultSelector() as selector:
        for each in processes:
            selector.register(each, selectors.EVENT_READ)
        while all(each.ended is None for each in processes):
            remaining = None if deadline is None else deadline - time.monotonic()
            if remaining is not None and remaining <= 0:
                return
            waits = [each.look_delay for each in processes] + ([] if remaining is None else [remaining])
            ready = {key.fileobj for key, _ in selector.select(min(waits, default=None))}
            for each in processes:
                each.follow(readable=each in ready)


def _wait_for_killed(process: subprocess.Popen[bytes]) -> int:
    """Return the exit code of a process that was killed, if it had not ended; what is left of it holds its locks."""
    try:
        return process.wait(_KILLED)
    except subprocess.TimeoutExpired:
        return -signal.SIGKILL


def _signal_group(group: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # macOS answers EPERM for a group of zombies
        os.killpg(group, number)


def _open_log(path: Path) -> IO[bytes]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("ab", buffering=0)
    except OSError as error:
        raise Unavailable(f"The log {path} cannot be written: {error.strerror}.") from error
