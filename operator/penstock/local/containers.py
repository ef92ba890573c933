"""A pod's container as a process of this machine: what it mounts are files, and its end is told as kubelets do."""

import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from penstock.decide.decision import ApiObject
from penstock.decide.objects.folders import (
    SCRATCH,
    SNAPSHOT,
    SPECIFICATION,
    SPECIFICATION_FOLDER,
    TERMINATION_MESSAGE,
)
from penstock.decide.objects.pod import CONTAINER, PYTHON
from penstock.local.environment import environment
from penstock.local.home import make_folder, write_atomically
from penstock.local.objects import Object
from penstock.local.process import Command, ExitStatus
from penstock_jobs.contract import document
from penstock_jobs.contract.specification import JobSpecification

_REPLACED = {"--keep-log": 2, "--log-format": 2}  # what the command itself sees to, and how many words that is


@dataclass(frozen=True)
class Mounts:
    """The files of a pod: what it is asked, the snapshot beside that, its log, and what it says at its end."""

    specification: Path
    snapshot: Path
    log: Path
    message: Path

    @classmethod
    def beneath(cls, folder: Path, name: str, pod: str) -> "Mounts":
        """Return those of a pod of that uid, in that folder; `name` is that of the part that it does."""
        return cls(
            specification=folder / "specifications" / f"{name}.json",
            snapshot=folder / "snapshots" / f"{name}.yaml",
            log=folder / "logs" / f"{name}.log",
            message=folder / "messages" / pod,
        )

    @property
    def whole(self) -> Path:
        """The lines of its log that have the whole message, where that had to be shortened."""
        return self.message.with_suffix(".whole")


def mount(mounts: Mounts, data: Mapping[str, str]) -> JobSpecification:
    """Lay what a ConfigMap holds where the container will look for it; return what it is asked."""
    for path, content in ((mounts.specification, data.get(SPECIFICATION)), (mounts.snapshot, data.get(SNAPSHOT))):
        if content is not None:
            write_atomically(path, content.encode(), flush=False)
    make_folder(mounts.message.parent)
    asked: JobSpecification = document.read(mounts.specification, JobSpecification)
    return asked


def specification_of(job: ApiObject) -> str:
    """Return the name of the ConfigMap that says what a Job is asked."""
    volumes = job["spec"]["template"]["spec"]["volumes"]
    return str(next(each["configMap"]["name"] for each in volumes if each["name"] == "specification"))


def command_of(
    job: ApiObject,
    mounts: Mounts,
    asked: JobSpecification,
    program: Sequence[str],
    scratch: str,
    secrets: frozenset[str],
    inherited: tuple[int, ...],
) -> Command:
    """Return the process that stands for the container of a Job's pod."""
    pod = job["spec"]["template"]["spec"]
    container = pod["containers"][0]
    # What is so only in a pod, its own scratch disk, is this machine's here.
    given = {each["name"]: each["value"] for each in container["env"] if each["value"] != SCRATCH}
    mine = {**os.environ, "TMPDIR": scratch}
    return Command(
        words=(*program, *_words(container["command"][len(PYTHON) + 1 :], mounts)),
        environment=environment(mine, asked, secrets, given),
        log=mounts.log,
        inherited=inherited,
        ceiling=pod.get("activeDeadlineSeconds"),
    )


def running_status(now: str) -> Object:
    """Return the status of a pod whose container begins."""
    return {"phase": "Running", "startTime": now, "containerStatuses": [_container({"running": {"startedAt": now}})]}


def terminated_status(before: ApiObject, ended: ExitStatus, message: str, now: str, *, out_of_memory: bool) -> Object:
    """Return the status of a pod whose container has ended."""
    if ended.at_ceiling:
        said = "Pod was active on the node longer than the specified deadline"
        return {**before, "phase": "Failed", "reason": "DeadlineExceeded", "message": said, "containerStatuses": []}
    code = ended.code if ended.code >= 0 else 128 - ended.code
    reason = "OOMKilled" if out_of_memory and ended.code == -signal.SIGKILL else "Completed" if code == 0 else "Error"
    state = {"exitCode": code, "reason": reason, "startedAt": before["startTime"], "finishedAt": now}
    phase = "Succeeded" if code == 0 else "Failed"
    return {**before, "phase": phase, "containerStatuses": [_container({"terminated": {**state, "message": message}})]}


def disrupted_status(before: ApiObject) -> Object:
    """Return the status of a pod whose process ended with the command that had started it: that is no try."""
    why = "The command that ran it has ended."
    condition = {"type": "DisruptionTarget", "status": "True", "reason": "CommandEnded", "message": why}
    return {**before, "phase": "Failed", "conditions": [condition], "containerStatuses": []}


def out_of_memory_kills() -> int:
    """Return how often this machine has killed a process because memory ran out; 0 where it does not tell."""
    with suppress(OSError, ValueError):
        lines = Path("/proc/vmstat").read_text().splitlines()
        return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)
    return 0


LineSink = Callable[[str, bytes], None]
"""Where each line of the log of a part goes."""


def _container(state: Object) -> Object:
    return {"name": CONTAINER, "state": state}


def _words(command: Sequence[str], mounts: Mounts) -> list[str]:
    """Return the words of a pod's command, with this machine's files in the place of its own."""
    here = {
        f"{SPECIFICATION_FOLDER}/{SPECIFICATION}": str(mounts.specification),
        f"{SPECIFICATION_FOLDER}/{SNAPSHOT}": str(mounts.snapshot),
        TERMINATION_MESSAGE: str(mounts.message),
    }
    words: list[str] = []
    skipped = 0
    for word in command:
        skipped = _REPLACED.get(word, skipped)
        if skipped:
            skipped -= 1
        else:
            words.append(here.get(word, word))
    return [*words, "--log-format", "json", "--stop-with-stdin"]
