"""The first process of the cluster's namespaces: it starts the programs in order, and again when they die.

    unshare --mount --net --pid --fork … python -m testcluster.machine.supervisor PLAN INSTANCE

When it ends, however it ends, the kernel ends every process of the cluster with it, and takes down its mounts and
network. So nothing of a cluster outlives this one process.
"""

import http.client
import json
import os
import signal
import socket
import ssl
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

from testcluster.machine import namespaces
from testcluster.machine.programs_of_the_cluster import Program
from testcluster.sentences import Lacking

POLL = 0.05
PATIENCE = 120.0
# A program that dies this often before it was ever ready will not be helped by another start.
TRIES = 3
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}


@dataclass
class SupervisorState:
    """What runs, what is ready, and how often each program has died."""

    programs: dict[str, Program]
    running: dict[int, str] = field(default_factory=dict)
    ready: set[str] = field(default_factory=set)
    deaths: dict[str, int] = field(default_factory=dict)

    def startable_programs(self) -> list[Program]:
        """Return the programs that do not run, have not ended as they should, and whose needs are ready."""
        busy = {*self.running.values()}
        return [
            program
            for program in self.programs.values()
            if program.name not in busy
            and not (program.task and program.name in self.ready)
            and self.ready.issuperset(program.after)
        ]

    def note_end(self, pid: int, status: int) -> None:
        """Note the end of a process. Those that are none of ours were only left to us."""
        name = self.running.pop(pid, None)
        if name is None:
            return
        program = self.programs[name]
        if program.task and status == 0:
            self.ready.add(name)
            return
        self.deaths[name] = self.deaths.get(name, 0) + 1
        if name not in self.ready and self.deaths[name] >= TRIES:
            raise Lacking(f"{name} ended {TRIES} times before it was ready")


def main(plan: Path) -> int:
    """Run the cluster of this plan."""
    signal.signal(signal.SIGTERM, _stop)
    run = plan.parent
    progress = Progress(run / "progress")
    try:
        namespaces.make(run)
        state = SupervisorState({each["name"]: _program(each) for each in json.loads(plan.read_text())})
        progress.tell(step="namespaces")
        bring_up(state, run / "logs", progress)
        progress.tell(done=True)
        keep_up(state, run / "logs", progress)
    except Lacking as reason:
        progress.tell(failed=str(reason))
        return 1
    return 0


class Progress:
    """A file that whoever waits for the cluster reads."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.start = time.monotonic()

    def tell(self, **fact: object) -> None:
        """Add a fact, with the seconds since the start."""
        line = json.dumps({**fact, "seconds": round(time.monotonic() - self.start, 1)})
        with self.file.open("a") as handle:
            handle.write(line + "\n")


def bring_up(state: SupervisorState, logs: Path, progress: Progress) -> None:
    """Start everything in order, until all of it is ready."""
    deadline = time.monotonic() + PATIENCE
    while missing := state.programs.keys() - state.ready:
        if time.monotonic() > deadline:
            raise Lacking(f"{', '.join(sorted(missing))} did not become ready in {PATIENCE:.0f} seconds")
        before = set(state.ready)
        for program in state.startable_programs():
            state.running[start(program, logs)] = program.name
        reap(state, os.WNOHANG)
        state.ready.update(find_newly_ready(state))
        for name in sorted(state.ready - before):
            progress.tell(ready=name)
        time.sleep(POLL)


def find_newly_ready(state: SupervisorState) -> list[str]:
    """Return the programs that run and say for the first time that they are ready. All are asked at once."""
    waiting = [state.programs[name] for name in {*state.running.values()} - state.ready]
    asked = [program for program in waiting if not program.task]
    with ThreadPoolExecutor(max_workers=len(asked) or 1) as side_by_side:
        answered = side_by_side.map(answers, [program.ready_at for program in asked])
        return [program.name for program, answer in zip(asked, answered, strict=True) if answer]


def keep_up(state: SupervisorState, logs: Path, progress: Progress) -> None:
    """Start again what dies, as a machine's own supervisor would, at most once a second, and tell of it."""
    while True:
        reap(state, 0)
        time.sleep(1)
        for program in state.startable_programs():
            state.running[start(program, logs)] = program.name
            progress.tell(again=program.name)


def reap(state: SupervisorState, options: int) -> None:
    """Take in what has ended: all of it, or with no options at least one."""
    while True:
        try:
            pid, status = os.waitpid(-1, options)
        except ChildProcessError:
            return
        if pid == 0:
            return
        state.note_end(pid, status)
        options = os.WNOHANG


def start(program: Program, logs: Path) -> int:
    """Start a program that writes to its own log; return its process."""
    log = str(logs / f"{program.name}.log")
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    actions = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), (os.POSIX_SPAWN_OPEN, 1, log, flags, 0o600)]
    environment = {**ENVIRONMENT, "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    return os.posix_spawnp(
        program.command[0],
        program.command,
        environment,
        file_actions=[*actions, (os.POSIX_SPAWN_DUP2, 1, 2)],
        setpgroup=0,
    )


def answers(url: str) -> bool:
    """Whether a program says that it is ready; one that says nothing is, once it runs."""
    parts = urlsplit(url)
    if not url:
        return True
    try:
        if parts.scheme == "unix":
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(parts.path)
            return True
        connection = _connection(parts.scheme, parts.netloc)
        try:
            connection.request("GET", parts.path)
            return connection.getresponse().status == 200
        finally:
            connection.close()
    except (OSError, http.client.HTTPException):
        return False


def _connection(scheme: str, place: str) -> http.client.HTTPConnection:
    if scheme == "http":
        return http.client.HTTPConnection(place, timeout=1)
    # Only whether it is ready is asked, on loopback of the cluster's own network: who answers is known.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(place, timeout=1, context=context)


def _program(document: dict[str, object]) -> Program:
    command, after = document["command"], document["after"]
    assert isinstance(command, list)
    assert isinstance(after, list)
    return Program(
        str(document["name"]), tuple(command), tuple(after), str(document["ready_at"]), bool(document["task"])
    )


def _stop(number: int, frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
