"""The cluster of plain processes starts whatever was killed before, and leaves nothing when it ends.

These tests start a second cluster beside the one that the others use: apart from it in all that the machine sees.
Starting it is half a minute each time, so that those on interruptions, which only trouble whoever makes them, are in
the soak.
"""

import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cluster.kubernetes_api import KubernetesApi
from cluster.probe_pods import ProbePods
from testcluster import cache, choice, kubectl, probes
from testcluster.addons.archive import ProgramImage, archive
from testcluster.bringing import bring
from testcluster.cluster import Cluster
from testcluster.machine import folders, plan, processes
from testcluster.machine.images import KEPT
from testcluster.machine.provider import Machine
from testcluster.patience import attempts

INSTANCE = 1
ROOT = Path(__file__).parents[2]
SECONDS = 180
CGROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Beside:
    """A cluster of its own, by its command line."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        ours = {key: value for key, value in os.environ.items() if key not in ("KUBECONFIG", "PENSTOCK_TEST_CLUSTER")}
        own = {"PENSTOCK_TEST_CACHE": str(self.folder), "PENSTOCK_TEST_INSTANCE": str(INSTANCE)}
        return {**ours, **own, "PENSTOCK_TEST_PROVIDER": Machine.name, "PYTHONPATH": str(ROOT)}

    @property
    def plan(self) -> Path:
        return self.folder / "machine" / "run" / "plan.json"

    @property
    def inner(self) -> int | None:
        """The first process inside."""
        return processes.find_inside(self.plan)

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start a command; its own session, as in a terminal of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "testcluster", *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def do(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=SECONDS)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def up(self) -> None:
        done = self.do("up")
        assert done.returncode == 0, done.stderr

    def up_until(self, moment: str) -> "subprocess.Popen[str]":
        """Start bringing the cluster up; return when it tells of this moment."""
        process = self.start("up")
        assert process.stderr is not None
        for line in process.stderr:
            if moment in line:
                return process
        raise AssertionError(f"`up` ended and did not come to {moment}")

    def ask(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Ask the API server with kubectl."""
        kubeconfig = f"--kubeconfig={self.folder / 'machine' / 'kubeconfig'}"
        command: list[str | Path] = [kubectl.program(), kubeconfig, "--request-timeout=5s", *arguments]
        return subprocess.run(command, capture_output=True, text=True)

    def answers(self) -> bool:
        return self.ask("get", "--raw=/readyz").stdout == "ok"

    def members(self) -> dict[int, str]:
        """Return the processes inside, by their numbers as the machine sees them, with the names of their programs."""
        inner = self.inner
        namespace = Path(f"/proc/{inner}/ns/pid").readlink() if inner else None
        found = {}
        for folder in Path("/proc").iterdir():
            try:
                if folder.name.isdigit() and (folder / "ns" / "pid").readlink() == namespace:
                    found[int(folder.name)] = (folder / "comm").read_text().strip()
            except OSError:
                continue  # it ended while we looked
        return found

    def left_behind(self) -> list[str]:
        """Return what there is of the cluster that its end should have removed."""
        interface = Path("/sys/class/net", f"penstock-test-{INSTANCE}")
        files = [path for path in (self.folder / "machine").iterdir() if path.name != "nodes"]
        groups = [path for path in (CGROUPS, *CGROUPS.iterdir()) if (path / f"penstock-test-{INSTANCE}").exists()]
        running = [each for each in processes.supervisors() if each.plan == self.plan]
        mounts = [line for line in Path("/proc/mounts").read_text().splitlines() if str(self.folder) in line]
        return [str(each) for each in ([interface] if interface.exists() else []) + files + groups] + [
            *map(str, running),
            *mounts,
        ]


@pytest.fixture(scope="module", autouse=True)
def _plain_processes() -> None:
    """Skip where the cluster is another: a machine that has kind need not have what this one is made of."""
    found = choice.find()
    if found is None or not isinstance(found[0], Machine):
        pytest.skip("The tests run on another cluster than that of plain processes, which this is about.")


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Beside]:
    """A cluster that is not up yet. It shares the programs, which are not its own."""
    folder = tmp_path_factory.mktemp("beside")
    (folder / "programs").symlink_to(cache.folder("programs"))
    cluster = Beside(folder)
    yield cluster
    cluster.do("down")


def test_up_says_which_kubeconfig_it_is_and_again_changes_nothing(beside: Beside) -> None:
    beside.up()
    before = beside.inner
    again = beside.do("up")
    assert again.stdout == f"export KUBECONFIG={beside.folder}/machine/kubeconfig\n"
    assert beside.inner == before
    assert beside.answers()


def test_down_leaves_nothing_but_the_images_of_the_nodes(beside: Beside) -> None:
    beside.up()
    assert beside.do("down").returncode == 0
    assert beside.left_behind() == []


@pytest.mark.soak
@pytest.mark.parametrize("moment", ["namespaces", "kubelet"])
def test_after_an_up_that_was_killed_the_next_one_works(beside: Beside, moment: str) -> None:
    beside.do("down")
    process = beside.up_until(moment)
    process.kill()
    process.communicate()
    beside.up()
    assert beside.answers()


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("command", ["up", "down"])
def test_killed_at_any_moment_the_next_up_and_down_work(beside: Beside, command: str, seed: int) -> None:
    """At a moment drawn from all that such a command takes, most often in the middle of something."""
    beside.do("down")
    if command == "down":
        beside.up()
    process = beside.start(command)
    try:
        process.wait(timeout=random.Random(f"{command}{seed}").uniform(0.1, 12))
    except subprocess.TimeoutExpired:
        process.kill()
    process.communicate()

    beside.up()
    assert beside.answers()
    assert beside.do("down").returncode == 0
    assert beside.left_behind() == []


@pytest.mark.soak
def test_an_up_that_is_interrupted_leaves_nothing(beside: Beside) -> None:
    beside.do("down")
    process = beside.up_until("kube-apiserver")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=SECONDS)
    assert process.returncode == 130
    assert beside.left_behind() == []


@pytest.mark.parametrize("program", [pytest.param("etcd", marks=pytest.mark.soak), "kube-apiserver"])
def test_a_program_that_is_killed_runs_again_and_nothing_is_forgotten(beside: Beside, program: str) -> None:
    beside.up()
    name = f"before-{program}"
    assert beside.ask("create", "configmap", name).returncode == 0
    (victim,) = [pid for pid, each in beside.members().items() if each == program]
    os.kill(victim, signal.SIGKILL)
    for _ in attempts(f"{program} running again", SECONDS):
        if victim not in beside.members() and beside.answers():
            break
    assert beside.ask("get", "configmap", name).returncode == 0
    assert f"{program} of the cluster died and was started again" in beside.do("status").stderr
    beside.ask("delete", "configmap", name)


def test_nothing_outlives_the_first_process(beside: Beside) -> None:
    beside.up()
    first, members = beside.inner, beside.members()
    assert first is not None
    assert {"etcd", "kube-apiserver", "kubelet", "containerd", "coredns"} <= {*members.values()}
    os.kill(first, signal.SIGKILL)
    for _ in attempts("an end of all processes", SECONDS):
        if not any(Path("/proc", str(pid)).exists() for pid in members):
            break
    beside.up()
    assert beside.answers()


def test_a_run_gives_its_commands_exit_code_and_last_line_and_takes_the_cluster_down(beside: Beside) -> None:
    beside.do("down")
    script = 'kubectl get nodes -o name && echo "$PENSTOCK_TEST_CLUSTER" && echo last >&2 && exit 7'
    done = beside.do("run", "--", "sh", "-c", script)
    assert done.returncode == 7
    *nodes, state = done.stdout.split()
    assert nodes == ["node/penstock-worker", "node/penstock-worker2"]
    assert state == str(beside.folder / "cluster.json")
    assert done.stderr.splitlines()[-1] == "last"
    assert beside.left_behind() == []


@pytest.mark.soak
def test_a_run_that_is_interrupted_lets_its_command_end_and_takes_the_cluster_down(beside: Beside) -> None:
    beside.do("down")
    script = "trap 'echo cleaned; exit 3' INT; echo running; while :; do sleep 0.1; done"
    process = beside.start("run", "--", "sh", "-c", script)
    assert process.stdout is not None
    assert process.stdout.readline() == "running\n"
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    out, _ = process.communicate(timeout=SECONDS)
    assert (out, process.returncode) == ("cleaned\n", 3)
    assert beside.left_behind() == []


def test_a_run_leaves_a_cluster_up_that_was_up(beside: Beside) -> None:
    beside.up()
    assert beside.do("run", "--", "true").returncode == 0
    assert beside.answers()


@pytest.mark.soak
def test_two_runs_at_once_share_the_cluster_and_the_last_takes_it_down(beside: Beside, tmp_path: Path) -> None:
    beside.do("down")
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    long = beside.start("run", "--", "sh", "-c", f"echo running && read line < {gate} && kubectl get nodes -o name")
    assert long.stdout is not None
    assert long.stdout.readline() == "running\n"
    assert beside.do("run", "--", "true").returncode == 0
    gate.write_text("go on\n")
    out, err = long.communicate(timeout=SECONDS)
    assert out.split() == ["node/penstock-worker", "node/penstock-worker2"], err
    assert beside.left_behind() == []


def test_a_node_keeps_the_last_images_of_a_name_and_forgets_the_rest(beside: Beside, tmp_path: Path) -> None:
    beside.up()
    program = tmp_path / "program"
    program.write_bytes(b"never run")
    made = [
        ProgramImage("penstock-test/aged", {"/p": program}, ("/p",), labels={"age": str(age)})
        for age in range(KEPT + 2)
    ]
    archives = [archive(image) for image in made]
    assert beside.do("load", *(str(each.file) for each in archives)).returncode == 0
    runtime = f"{folders.INSIDE}/nodes/{plan.NODES[0].name}/containerd.sock"
    listing = ["ctr", "--address", runtime, "--namespace", "k8s.io", "images", "list"]
    command = ["nsenter", f"--target={beside.inner}", "--mount", *listing]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[1:]
    there = {name: digest for name, _, digest, *_ in map(str.split, lines)}
    kept = [f"docker.io/{each.reference}" for each in archives[-KEPT:]]
    assert [name for name in there if "aged" in name] == sorted(kept)
    # Nor by the names that Kubernetes gives them: these alone would keep the content on the disk.
    assert sum(digest in {there[name] for name in kept} for digest in there.values()) == 2 * KEPT
    assert len(there) == 2 * KEPT + 2


def test_pods_do_not_reach_the_machine(cluster: Cluster, api: KubernetesApi, namespace: str) -> None:
    pods = ProbePods(api, namespace, bring(cluster, archive(probes.image())))
    with socket.create_server((plan.HOST_ADDRESS, 0)) as listener:
        listener.settimeout(5)
        target = "{}:{}".format(*listener.getsockname())
        socket.create_connection(listener.getsockname(), timeout=5).close()
        listener.accept()[0].close()
        pods.wait_for_phase(pods.create("intruder", "connect", target, "3"), "Failed")
        listener.settimeout(0)
        with pytest.raises(BlockingIOError):
            listener.accept()
