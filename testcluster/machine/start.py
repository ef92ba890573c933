"""Starting the cluster from the outside: its files, its first process, and the way in."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from testcluster import packages, programs
from testcluster.addons.archive import ImageArchive, ProgramImage, archive
from testcluster.machine import certificates, configurations, folders, namespaces, objects, plan, processes
from testcluster.machine.plan import NODES
from testcluster.machine.programs_of_the_cluster import ProgramFolders, list_programs
from testcluster.packages import RequiredPackage
from testcluster.sentences import Lacking, say

PACKAGES = (
    RequiredPackage("containerd", "containerd"),
    RequiredPackage("runc", "runc"),
    RequiredPackage("containernetworking-plugins", files=tuple(f"{each}/bridge" for each in packages.NETWORK_PLUGINS)),
    RequiredPackage("iptables", "iptables"),
    RequiredPackage("iproute2", "ip"),
    RequiredPackage("util-linux", "unshare"),
    RequiredPackage("mount", "mount"),
    RequiredPackage("openssl", "openssl"),
)
ROOT = Path(__file__).parents[2]
LAST_LINES = 3


def build() -> tuple[ProgramFolders, ImageArchive]:
    """Return the programs and the pause image, built where they are not yet."""
    clean = (sys.executable, "-m", "testcluster.machine.clean")
    built = ProgramFolders(
        etcd=programs.build("etcd"),
        kubernetes=programs.build("kubernetes"),
        coredns=programs.build("coredns"),
        volumes=programs.build("volumes"),
        containerd=Path("containerd"),
        preparation=clean,
    )
    pause = ProgramImage("penstock-test/pause", {"/pause": programs.build("pause") / "pause"}, ("/pause",), folders=())
    return built, archive(pause)


def start(built: ProgramFolders, pause: ImageArchive) -> "subprocess.Popen[bytes]":
    """Write every file, start the first process, and return it. The rest is its own doing."""
    run = folders.run()
    make_folders(run)
    certificates.make(run / "certificates")
    for name, text in files(run, pause).items():
        file = run / "configurations" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    folders.plan().write_text(json.dumps([asdict(program) for program in list_programs(built)], indent=1))
    return launch(run)


def make_folders(run: Path) -> None:
    """Make the folders that are mounted, or that programs expect to be there."""
    names = ("logs", "volumes", "var-log", "plugins-cache", "configurations", *(f"nodes/{node.name}" for node in NODES))
    for name in names:
        (run / name).mkdir(parents=True)
    run.chmod(0o700)
    for node in NODES:
        folders.runtime_root(node.name).mkdir(parents=True, exist_ok=True)
    if not namespaces.PLUGINS_CACHE.exists():
        (folders.machine() / "made-plugins-cache").touch()
        namespaces.PLUGINS_CACHE.mkdir(parents=True)


def files(run: Path, pause: ImageArchive) -> dict[str, str]:
    """Return the configuration files by their names."""
    users = (
        "admin",
        "controller-manager",
        "scheduler",
        "proxy",
        "dns",
        "volumes",
        *(f"kubelet-{node.name}" for node in NODES),
    )
    dns = NODES[0].address
    plugins, snapshotter = packages.network_plugins(), namespaces.snapshotter(run)
    return {
        "resolv.conf": "",
        "pause-image": f"docker.io/{pause.reference}\n{pause.file}\n",
        "Corefile": configurations.dns(dns),
        "objects.json": as_list(objects.list_objects()),
        **{f"{user}.kubeconfig": configurations.kubeconfig(run / "certificates", user) for user in users},
        **{
            f"containerd-{node.name}{ending}.toml": configurations.containerd(
                node, pause.reference, plugins, snapshotter, folders.runtime_root(node.name), pods=not ending
            )
            for node in NODES
            for ending in ("", "-images")
        },
        **{f"kubelet-{node.name}.yaml": json.dumps(configurations.kubelet(node, dns), indent=1) for node in NODES},
        **{f"cni-{node.name}/pods.conflist": json.dumps(configurations.pod_network(node)) for node in NODES},
    }


def as_list(objects: list[dict[str, Any]]) -> str:
    """Return objects as one document that kubectl applies."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})


def launch(run: Path) -> "subprocess.Popen[bytes]":
    """Start the supervisor in namespaces of its own, apart from our session: it outlives us.

    Returns:
        The process outside of the namespaces, which ends as the supervisor does.
    """
    namespace = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc"]
    supervisor = [sys.executable, "-m", processes.MODULE, str(folders.plan()), str(plan.INSTANCE)]
    with (run / "logs" / "supervisor.log").open("wb") as log:
        return subprocess.Popen(
            [*namespace, *supervisor],
            cwd="/",
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def follow(first: "subprocess.Popen[bytes]", seconds: float = 180) -> Iterator[str]:
    """Give the name of each program as it becomes ready, until all are; raise when the cluster cannot come up.

    Args:
        first: the process that waits for the supervisor. It is asked itself whether it has ended: for a moment after
            its start its command line, by which others find it, is empty.
        seconds: as long as it takes at most.
    """
    deadline, told = time.monotonic() + seconds, 0
    while time.monotonic() < deadline:
        code = first.poll()  # before its last words are read
        facts = read_progress()
        for fact in facts[told:]:
            if "failed" in fact:
                raise Lacking(failure(str(fact["failed"])))
            if "done" in fact:
                return
            name = str(fact.get("ready") or fact.get("step"))
            say(f"{name}: after {fact['seconds']} s")
            yield name
        told = len(facts)
        if code is not None:
            raise Lacking(failure(f"Its first process ended {manner(code)}"))
        time.sleep(0.05)
    raise Lacking(failure(f"It was not up after {seconds:.0f} seconds"))


def read_progress() -> list[dict[str, Any]]:
    """Return what the supervisor has told so far. A line that is not whole yet is left for later."""
    try:
        lines = folders.progress().read_text().split("\n")
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines[:-1]]


def failure(what: str) -> str:
    """Return the sentence for a cluster that did not come up, with the last lines of the log that tells why."""
    logs = folders.run() / "logs"
    named = [file for file in sorted(logs.glob("*.log")) if what.startswith(f"{file.stem} ")]
    file = named[0] if named else logs / "supervisor.log"
    lines = file.read_text(errors="replace").strip().splitlines()[-LAST_LINES:] if file.exists() else []
    said = " / ".join(lines) or "(none)"
    return f"The test cluster did not start: {what}. All logs are in {folders.failure_logs()}. {file.name} ends: {said}"


def manner(code: int) -> str:
    """Return how a process ended, of the exit code that Python gives it."""
    return f"by the signal {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"


def open_the_way_in() -> None:
    """Lead the host to the API server. Nothing is done where the way is open already."""
    inner = processes.find_inside(folders.plan())
    if (
        inner is None
        or subprocess.run(["ip", "link", "show", plan.HOST_INTERFACE], capture_output=True).returncode == 0
    ):
        return
    enter = ["nsenter", f"--net=/proc/{inner}/ns/net"]
    pair = ["type", "veth", "peer", "name", plan.INNER_INTERFACE, "netns", str(inner)]
    back = [f"{plan.HOST_ADDRESS}/32", "dev", plan.INNER_INTERFACE, "src", plan.API_ADDRESS]
    # The host's end comes up last: that it is there and up says that all of it was made.
    for command in (
        ["ip", "link", "add", plan.HOST_INTERFACE, *pair],
        [*enter, "ip", "link", "set", plan.INNER_INTERFACE, "up"],
        [*enter, "ip", "route", "add", *back],
        ["ip", "address", "add", f"{plan.HOST_ADDRESS}/{plan.DOOR_PREFIX}", "dev", plan.HOST_INTERFACE],
        ["ip", "link", "set", plan.HOST_INTERFACE, "up"],
    ):
        namespaces.perform(command)
