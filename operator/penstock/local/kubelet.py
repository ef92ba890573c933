"""The kubelet of this machine: a pod that is started is a process, and its status says how that goes and ends.

A dataset job waits until no other process writes the Pipeline's tables. What fetches operations is no process of its
own: they are had once for this machine, and kept.
"""

import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from penstock.decide.decision import ApiObject
from penstock.decide.objects.children import STEP
from penstock.local import containers
from penstock.local.containers import LineSink, Mounts
from penstock.local.home import write_atomically
from penstock.local.locks import try_lock
from penstock.local.mapping import LocalMapping
from penstock.local.objects import Object, Objects
from penstock.local.process import GRACE, Command, ExitStatus, Process, follow
from penstock.local.sources import fetch_source
from penstock_jobs.contract import errors
from penstock_jobs.contract.errors import JobError
from penstock_jobs.contract.result import Failure
from penstock_jobs.contract.specification import DatasetJob, SourceJob
from penstock_jobs.contract.termination_message import MARK, TerminationMessage

PROGRAM = (sys.executable, "-P", "-m", "penstock_jobs")  # -P: nothing of the folder that the command is typed in


@dataclass
class Container:
    """A container at work: its pod, its files, its process, and what it holds while it is at work."""

    pod: Object
    part: str
    mounts: Mounts
    process: Process
    held: ExitStack
    kills: int
    whole: list[bytes]


@dataclass
class Kubelet:
    """Starts what pods are to run, and tells how it goes.

    Args:
        objects: those of the run whose pods these are, or those that are of no run.
        folder: where the files of pods are.
        mapped: which environment variables hold credentials.
        tell: who is told each line of their logs.
        say: who is told a remark.
        inherited: descriptors of locks that are held as long as any process is alive.
        program: what stands for the images' own.
        kills: how often this machine has run out of memory.
        grace: how many seconds a process has between being asked to stop and being killed.
    """

    objects: Objects
    folder: Path
    mapped: LocalMapping
    tell: LineSink
    say: Callable[[str], None] = lambda _: None
    inherited: tuple[int, ...] = ()
    program: Sequence[str] = PROGRAM
    kills: Callable[[], int] = containers.out_of_memory_kills
    grace: float = GRACE
    _at_work: dict[str, Container] = field(default_factory=dict)

    @property
    def containers(self) -> tuple[Container, ...]:
        """The containers at work, as far as it was seen."""
        return tuple(self._at_work.values())

    @property
    def at_work(self) -> frozenset[str]:
        """The uids of the pods whose processes are alive, as far as it was seen."""
        return frozenset(self._at_work)

    def start(self, job: ApiObject, pod: Object) -> bool:
        """Start a new pod of the Job, if that can be now; return whether it was."""
        described = self.objects.find("ConfigMap", containers.specification_of(job))
        if described is None:
            return False
        part = self._part_of(job)
        uid = self.objects.new_uid()
        mounts = Mounts.beneath(self.folder, part, uid)
        asked = containers.mount(mounts, described["data"])
        inherited = self.inherited
        with ExitStack() as stack:
            if isinstance(asked, DatasetJob):
                lock = stack.enter_context(try_lock(self.objects.home.lock(f"dataset-{asked.run.pipeline}")))
                if lock is None:
                    return False
                inherited = (*inherited, lock)
            status = containers.running_status(self.objects.now())
            made = {**pod, "metadata": {**pod["metadata"], "uid": uid}, "status": status}
            created, _ = self.objects.create(made)
            if isinstance(asked, SourceJob):
                self._fetch(created, asked)
                return True
            # A job that is killed cannot tidy up after itself.
            folder = tempfile.TemporaryDirectory(prefix="penstock-", ignore_cleanup_errors=True)
            scratch = stack.enter_context(folder)
            command = containers.command_of(
                job, mounts, asked, self.program, scratch, self.mapped.variables(), inherited
            )
            self._run(command, created, part, mounts, stack)
        return True

    def wait(self, seconds: float | None) -> None:
        """Wait until a process has ended, or for so long."""
        follow((each.process for each in self.containers), seconds)

    def report(self) -> bool:
        """Say in the status of each pod whose process has ended how it did; return whether there was one."""
        ended = [(uid, each) for uid, each in self._at_work.items() if each.process.ended is not None]
        for uid, container in ended:
            del self._at_work[uid]
            self._report_end(container)
        return bool(ended)

    def stop(self, uid: str) -> None:
        """End the process of a pod that is to go."""
        container = self._at_work.pop(uid)
        container.process.stop(self.grace)
        self._report_end(container)

    def close(self) -> None:
        """End all processes; nothing of them is left."""
        while self._at_work:
            self.stop(next(iter(self._at_work)))

    def _run(self, command: Command, pod: Object, part: str, mounts: Mounts, stack: ExitStack) -> None:
        whole: list[bytes] = []

        def take(line: bytes) -> None:
            if line.startswith(MARK.encode()):
                whole.append(line)
            else:
                self.tell(part, line)

        kills, process = self.kills(), Process(command, take)
        uid = str(pod["metadata"]["uid"])
        self._at_work[uid] = Container(pod, part, mounts, process, stack.pop_all(), kills, whole)

    def _report_end(self, container: Container) -> None:
        with container.held:
            ended, mounts = container.process.ended, container.mounts
            assert ended is not None
            if container.whole:
                write_atomically(mounts.whole, b"\n".join(container.whole))
            message = mounts.message.read_text("utf-8", "replace") if mounts.message.exists() else ""
            out_of_memory = self.kills() > container.kills
            if ended.code < 0 and not ended.at_ceiling:
                self._warn(container.part, f"The {container.part} job was killed by signal {-ended.code}.")
            self._say(container.pod, ended, message, out_of_memory=out_of_memory)

    def _fetch(self, pod: Object, asked: SourceJob) -> None:
        try:
            result = fetch_source(self.objects.home, self.mapped, asked, self.say)
        except JobError as error:
            self._say(pod, ExitStatus(error.exit_code), _text(Failure(reason=error.reason, message=str(error))))
        else:
            self._say(pod, ExitStatus(errors.SUCCEEDED), _text(result))

    def _say(self, pod: Object, ended: ExitStatus, message: str, *, out_of_memory: bool = False) -> None:
        now = self.objects.now()

        def how(there: Object) -> Object:
            status = containers.terminated_status(there["status"], ended, message, now, out_of_memory=out_of_memory)
            return {**there, "status": status}

        self.objects.change("Pod", str(pod["metadata"]["name"]), how)

    def _warn(self, part: str, message: str) -> None:
        self.tell(part, json.dumps({"level": "WARNING", "message": message}).encode())

    def _part_of(self, job: ApiObject) -> str:
        return str(job["metadata"]["labels"][STEP] if self.objects.run else job["metadata"]["name"])


def _text(result: msgspec.Struct) -> str:
    return msgspec.json.encode(TerminationMessage(result=result)).decode()  # type: ignore[arg-type]
