"""Worker processes: one task at a time to each, a new process in place of one that died."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import penstock_jobs
from penstock_jobs.contract import document
from penstock_jobs.contract.specification import TrainingJob

if TYPE_CHECKING:  # they bring scikit-learn, which the template is to import meanwhile
    from penstock_jobs.training.tasks import Answer, Task

    Channel = Connection[Task | None, Answer]

_THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS",
                  "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS")  # fmt: skip


@dataclass(frozen=True)
class WorkerDied:
    """A worker process ended in the middle of its task, with this exit code (negative: the signal)."""

    code: int

    def sentence(self) -> str:
        """Return why, as far as anybody can know."""
        if self.code == -signal.SIGKILL:
            return "Its process was killed (SIGKILL), most often because memory ran out."
        if self.code < 0:
            return f"Its process died of {signal.Signals(-self.code).name}."
        return f"Its process ended with exit code {self.code}."


class Pool:
    """Processes forked from a template, which imports its libraries while the job is still reading tables."""

    def __init__(self, job: TrainingJob, scratch: Path) -> None:
        specification = scratch / "specification.json"
        specification.write_bytes(document.encode(job))
        self._control, other = socket.socketpair()
        self._workers: dict[Channel, int] = {}
        arguments = [str(other.fileno()), str(specification), str(os.getpid())]
        self._template = subprocess.Popen(
            [sys.executable, "-P", "-m", "penstock_jobs.training.template", *arguments],
            pass_fds=[other.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=2,  # what an estimator prints is no result
            env=environment(job),
        )
        other.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._template.kill()
        for connection in self._workers:
            with suppress(OSError):
                connection.send(None)
            connection.close()
        self._control.close()
        self._template.wait()

    def give_data(self, folder: Path) -> None:
        """Have the template map the rows in the folder."""
        self._ask({"data": str(folder)})

    def run(self, tasks: "Iterator[Task]", processes: int, done: "Callable[[Task, Answer | WorkerDied], None]") -> None:
        """Do all tasks, at most `processes` at once; `done` is told of each as it ends, in this thread."""
        busy: dict[Channel, Task] = {}
        idle = list(self._workers)
        pending = next(tasks, None)
        while pending is not None or busy:
            while pending is not None and len(busy) < processes:
                connection = idle.pop() if idle else self._fork()
                connection.send(pending)
                busy[connection] = pending
                pending = next(tasks, None)
            for ready in wait(list(busy)):
                connection = ready  # type: ignore[assignment]
                task = busy.pop(connection)
                answer = self._receive(connection)
                if isinstance(answer, WorkerDied):
                    connection.close()
                elif pending is not None:  # first work for the process that waits, then its answer
                    connection.send(pending)
                    busy[connection] = pending
                    pending = None
                else:
                    idle.append(connection)
                done(task, answer)
                if pending is None:
                    pending = next(tasks, None)

    def _receive(self, connection: "Channel") -> "Answer | WorkerDied":
        try:
            return connection.recv()
        except (EOFError, ConnectionResetError):
            return WorkerDied(int(self._ask({"wait": self._workers.pop(connection)})["code"]))

    def _fork(self) -> "Channel":
        ours, theirs = socket.socketpair()
        process = self._ask({"fork": 1}, theirs.fileno())["process"]
        theirs.close()
        connection: Channel = Connection(ours.detach())
        self._workers[connection] = process
        return connection

    def _ask(self, request: dict[str, Any], *descriptors: int) -> dict[str, Any]:
        try:
            socket.send_fds(self._control, [json.dumps(request).encode()], list(descriptors))
            answer = self._control.recv(65536)
        except (BrokenPipeError, ConnectionResetError):
            answer = b""
        if not answer:
            raise RuntimeError(f"The process that workers are forked from ended with {self._template.wait()}.")
        result: dict[str, Any] = json.loads(answer)
        return result


def environment(job: TrainingJob) -> dict[str, str]:
    """Return the environment of the worker processes: their threads, their GPU or none, and where this package is."""
    limits = {name: str(job.threads) for name in _THREAD_LIMITS}
    package = str(Path(penstock_jobs.__path__[0]).parent)
    # Of a laptop, whose user may have named folders; in a pod there is none (`penstock_jobs.isolation`).
    path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
    hidden = {"CUDA_VISIBLE_DEVICES": ""} if job.gpu == "None" else {}
    return {**os.environ, **limits, **hidden, "PYTHONPATH": path}
