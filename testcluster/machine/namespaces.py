"""What the cluster's own view of the machine is made of: mounts, network, control groups.

The first two are in namespaces of the cluster's, so they end with its last process. Control groups are removed by hand.
"""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from testcluster.machine import folders, plan
from testcluster.machine.plan import GROUP, NODES, Node
from testcluster.sentences import Lacking

CGROUPS = Path("/sys/fs/cgroup")
# All pods of all nodes get as much of the processors as so many processes beside them. As one, they starved beside the
# cluster's own programs and the tests: probes timed out, and jobs took five times as long.
SHARE = 4
NEEDED_CONTROLLERS = ("cpu", "cpuset", "memory", "pids")
# The one place outside /run where network plugins write, whatever they are told.
PLUGINS_CACHE = Path("/var/lib/cni")


def mounts(run: Path) -> Iterator[list[str]]:
    """Give the commands that make the cluster's own mounts. The folders are there already."""
    yield ["mount", "--make-rshared", "/"]
    yield ["mount", "-t", "tmpfs", "-o", "mode=755", "penstock-test", "/run"]
    yield ["mkdir", str(folders.INSIDE)]
    yield ["mount", "--bind", str(run), str(folders.INSIDE)]
    yield ["mount", "--bind", str(run / "var-log"), "/var/log"]
    yield ["mount", "--bind", str(run / "plugins-cache"), str(PLUGINS_CACHE)]


def network() -> Iterator[list[str]]:
    """Give the commands that make the cluster's network: no default route, so nothing leads out of it."""
    yield ["ip", "link", "set", "lo", "up"]
    # The API server's address is there before the way in is.
    yield ["ip", "address", "add", f"{plan.API_ADDRESS}/32", "dev", "lo"]
    for node in NODES:
        yield ["ip", "link", "add", node.bridge, "type", "bridge"]
        yield ["ip", "address", "add", f"{node.address}/24", "dev", node.bridge]
        yield ["ip", "link", "set", node.bridge, "up"]
    # Linux looks for a route before it looks for the Service: any device will do.
    yield ["ip", "route", "add", plan.SERVICE_RANGE, "dev", NODES[0].bridge]
    yield from firewall()


def firewall() -> Iterator[list[str]]:
    """Give the rules of the way in: the host reaches the API server, and pods do not reach the host."""
    door, port = plan.INNER_INTERFACE, str(plan.API_PORT)
    host = ["--source", plan.HOST_ADDRESS, "--protocol", "tcp", "--dport", port]
    rules = [
        ["INPUT", "--in-interface", door, *host, "--jump", "ACCEPT"],
        ["INPUT", "--in-interface", door, "--jump", "DROP"],
        ["OUTPUT", "--out-interface", door, "--protocol", "tcp", "--sport", port, "--jump", "ACCEPT"],
        ["OUTPUT", "--out-interface", door, "--jump", "REJECT"],
        ["FORWARD", "--in-interface", door, "--jump", "DROP"],
        ["FORWARD", "--out-interface", door, "--jump", "REJECT"],
    ]
    for rule in rules:
        yield ["iptables", "--append", *rule]


def settings() -> dict[str, str]:
    """Return the kernel's settings for the cluster's network namespace. Those of the host stay as they are."""
    return {
        "net/ipv4/ip_forward": "1",
        "net/ipv6/conf/all/disable_ipv6": "1",
        # Without it a pod that reaches another on its node through a Service gets answers from a stranger.
        "net/bridge/bridge-nf-call-iptables": "1",
    }


def make(run: Path) -> None:
    """Make mounts, network and control groups, from inside the namespaces."""
    for command in (*mounts(run), *network()):
        perform(command)
    for name, value in settings().items():
        file = Path("/proc/sys") / name
        if not file.exists() and "bridge" in name:
            raise Lacking(
                "The kernel's module br_netfilter, by which Services work, is missing: `modprobe br_netfilter`."
            )
        if file.exists():
            file.write_text(value)
    for node in NODES:
        make_groups(node)


def make_groups(node: Node) -> None:
    """Make the node's control groups, of either version."""
    if (CGROUPS / "cgroup.controllers").exists():
        delegate(CGROUPS)
        for folder in (CGROUPS / GROUP, CGROUPS / node.cgroup.lstrip("/")):
            folder.mkdir(exist_ok=True)
            delegate(folder)
        (CGROUPS / GROUP / "cpu.weight").write_text(str(100 * SHARE))
        return
    for controller in _hierarchies():
        folder = controller / node.cgroup.lstrip("/")
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("cpuset.cpus", "cpuset.mems"):
            if (controller / name).exists():
                for each in (folder.parent, folder):
                    (each / name).write_text((controller / name).read_text())
        if (folder.parent / "cpu.shares").exists():
            (folder.parent / "cpu.shares").write_text(str(1024 * SHARE))


def remove_groups() -> None:
    """Remove the control groups of all nodes, from the innermost. No process is in them any more."""
    for controller in _hierarchies():
        top = controller / GROUP
        if top.exists():
            for folder in sorted((path for path in top.rglob("*") if path.is_dir()), reverse=True):
                folder.rmdir()
            top.rmdir()


def perform(command: list[str]) -> None:
    """Run a command of the system that must succeed."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise Lacking(f"`{' '.join(command)}` failed: {done.stderr.strip() or 'it said nothing'}")


def snapshotter(folder: Path) -> str:
    """Return how container runtimes keep file systems in this folder: in layers where it can, else as whole copies."""
    trial = folder / "overlay-trial"
    try:
        for name in ("lower", "upper", "work", "merged"):
            (trial / name).mkdir(parents=True, exist_ok=True)
        options = f"lowerdir={trial}/lower,upperdir={trial}/upper,workdir={trial}/work"
        mount = ["mount", "-t", "overlay", "-o", options, "overlay", f"{trial}/merged"]
        works = subprocess.run(["unshare", "--mount", *mount], capture_output=True).returncode == 0
    finally:
        shutil.rmtree(trial, ignore_errors=True)
    return "overlayfs" if works else "native"


def delegate(group: Path) -> None:
    """Let the groups below this one count for themselves. What the kubelet can do without may stay as it is."""
    for name in (group / "cgroup.controllers").read_text().split():
        try:
            # One by one: the kernel refuses a list as a whole.
            (group / "cgroup.subtree_control").write_text(f"+{name}")
        except OSError as error:
            if name in NEEDED_CONTROLLERS:
                raise Lacking(
                    f"The control group {group} cannot share out {name} ({error.strerror}): run the tests where it "
                    "can, as outside of a container, or name a cluster with KUBECONFIG."
                ) from None


def _hierarchies() -> list[Path]:
    if (CGROUPS / "cgroup.controllers").exists():
        return [CGROUPS]
    return [path for path in sorted(CGROUPS.iterdir()) if (path / "cgroup.procs").exists() and not path.is_symlink()]
