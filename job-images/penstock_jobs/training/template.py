"""The process that worker processes are forked from: libraries imported and rows mapped once, for all of them.

It has one thread and runs nothing parallel, so that forking it is safe (the job's own process, which has read tables
and may talk to a bucket, is not). It dies with the job, and the workers die with it, even where the job is killed
outright.
"""

import contextlib
import ctypes
import gc
import json
import os
import random
import signal
import socket
import sys
import warnings
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from penstock_jobs.contract import document
from penstock_jobs.contract.errors import JobError, Unavailable
from penstock_jobs.contract.specification import TrainingJob
from penstock_jobs.importing import import_object, put_on_path
from penstock_jobs.training.data import map_data
from penstock_jobs.training.evaluation import EvaluationContext, evaluate
from penstock_jobs.training.finishing import save
from penstock_jobs.training.tasks import Answer, Evaluate, Problem, Task, load_factories, make_evaluation_context

_PR_SET_PDEATHSIG = 1  # prctl(2)


def main(descriptor: int, specification: Path, parent: int) -> None:
    """Serve the job's process: `{"data": folder}` maps the rows, `{"fork": 1}` and a socket make a worker of it."""
    die_with(parent)
    warnings.simplefilter("ignore")  # those of a candidate are caught and kept in its row
    # A signal to the whole group is for the job to answer; the death of a worker would be taken for its candidate's.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    job = document.read(specification, TrainingJob)
    control = socket.socket(fileno=descriptor)
    put_on_path(job.source)
    for algorithm in job.algorithms:
        with contextlib.suppress(JobError):  # the job's process refuses it in words
            estimator = import_object(algorithm.estimator, algorithm.name)
            if hasattr(estimator, "preload"):  # what it imports only when it is fitted, such as torch
                estimator.preload()
    context: EvaluationContext | None = None
    folder = Path()
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 65536, 1)
        if not message:
            _wait_for_workers()
            return
        request = json.loads(message)
        if "data" in request:
            folder = Path(request["data"])
            context = make_evaluation_context(job, map_data(folder), load_factories(job))
            gc.collect()
            gc.freeze()  # so that collections in the workers leave the shared pages alone
            control.sendall(b"{}")
        elif "fork" in request:
            if context is None:
                raise RuntimeError("A worker was asked for before the data.")
            _fork(control, descriptors[0], job, context, folder)
        else:
            _, status = os.waitpid(request["wait"], 0)
            control.sendall(json.dumps({"code": os.waitstatus_to_exitcode(status)}).encode())


def _wait_for_workers() -> None:
    """Wait for the workers, which have been told to end."""
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()


def _fork(control: socket.socket, descriptor: int, job: TrainingJob, context: EvaluationContext, folder: Path) -> None:
    template = os.getpid()
    child = os.fork()
    if child:
        os.close(descriptor)
        control.sendall(json.dumps({"process": child}).encode())
        return
    code = 1
    try:
        control.close()
        die_with(template)
        run_tasks(Connection(descriptor), job, context, folder)
        code = 0
    except (EOFError, BrokenPipeError, ConnectionResetError):
        code = 0  # the job is gone, and with it the need to work
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(code)


def run_tasks(
    connection: "Connection[Answer, Task | None]", job: TrainingJob, context: EvaluationContext, folder: Path
) -> None:
    """Do the tasks that come until there is None."""
    while (task := connection.recv()) is not None:
        connection.send(_answer(task, job, context, folder))


def _answer(task: Task, job: TrainingJob, context: EvaluationContext, folder: Path) -> Answer:
    # For estimators that draw from the global generators, having no seed of their own.
    random.seed(task.candidate.seed)
    np.random.seed(task.candidate.seed)
    if isinstance(task, Evaluate):
        return evaluate(task.candidate, context)
    try:
        return save(task, job, context, folder)
    except JobError as error:
        return Problem(str(error), passing=isinstance(error, Unavailable))
    except Exception as error:  # the user's estimator, or a library's converter
        return Problem(f"{task.name} cannot be saved: {type(error).__name__}: {error}.", passing=False)


def die_with(parent: int) -> None:
    """Have the kernel kill this process when that parent ends; elsewhere than on Linux the closed socket ends it."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
