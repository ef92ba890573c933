"""A kind cluster, where a container engine answers."""

import os
import shutil
import subprocess
from pathlib import Path

import yaml

from testcluster import cache, programs
from testcluster.cluster import Cluster, ClusterNode
from testcluster.kubectl import Kubectl
from testcluster.machine.plan import GPU_NODES, GPU_RESOURCE, GPUS, KIND_CONFIG, NODES
from testcluster.machine.provider import advertise
from testcluster.sentences import Lacking, report_duration

NAME = "penstock"
ENGINES = ("docker", "podman", "nerdctl")
SECONDS = 20
PULL_SECONDS = 300


class KindProvider:
    """The provider where there is a container engine."""

    name = "kind"

    def find(self) -> Cluster | None:
        """Return the cluster if its containers are there, and it has come to its end."""
        if not exists():
            return None
        try:
            _kind("export", "kubeconfig", "--name", NAME, "--kubeconfig", str(kubeconfig()))
            return cluster() if is_whole() else None
        except Lacking:
            return None  # it was killed half-way: it has no kubeconfig yet, or nobody who answers

    def up(self) -> Cluster:
        """Make the cluster, or leave it as it is. One that was killed half-way is made again, if it was ours."""
        with cache.lock("kind", "the kind cluster"):
            if self.find() is None:
                self._make()
            for node in GPU_NODES:
                advertise(Kubectl(kubeconfig()), node.name, GPU_RESOURCE, GPUS)
            return cluster()

    def _make(self) -> None:
        if exists() and not mark_of_making().exists():
            raise Lacking(
                f"kind has a cluster {NAME} that the tests did not make and that is not ready: "
                f"mend it, or remove it with `kind delete cluster --name {NAME}`."
            )
        mark_of_making().touch()
        with report_duration("kind made the cluster"):
            _kind("delete", "cluster", "--name", NAME)
            _kind(*create_command(kubeconfig()))

    def down(self, everything: bool = False) -> None:
        """Remove the cluster if it was ours; with `everything` nothing more, since the node image is the engine's."""
        with cache.lock("kind", "the kind cluster"):
            if mark_of_making().exists():
                _kind("delete", "cluster", "--name", NAME)
                shutil.rmtree(kubeconfig().parent)

    def troubles(self) -> list[str]:
        """Return nothing: kind keeps its nodes up by itself."""
        return []

    def load(self, cluster: Cluster, image_archive: Path, nodes: tuple[str, ...]) -> None:
        """Import an image into the nodes."""
        _kind(*load_command(image_archive, nodes))


def create_command(file: Path) -> list[str]:
    """Return kind's arguments that make the cluster, and keep the person's own kubeconfig as it is."""
    options = ["--name", NAME, "--config", str(KIND_CONFIG), "--kubeconfig", str(file), "--wait", "180s"]
    return ["create", "cluster", *options]


def load_command(image_archive: Path, nodes: tuple[str, ...]) -> list[str]:
    """Return kind's arguments that import an archive."""
    chosen = ["--nodes", ",".join(nodes)] if nodes else []
    return ["load", "image-archive", str(image_archive), "--name", NAME, *chosen]


def kubeconfig() -> Path:
    """Return the administrator's kubeconfig."""
    return cache.folder("kind") / "kubeconfig"


def exists() -> bool:
    """Whether an engine that answers has containers of the cluster. Asked without kind, which may not be built."""
    engine = engine_that_answers()
    if engine is None:
        return False
    return bool(subprocess.run([engine, *list_command()], capture_output=True, text=True).stdout.strip())


def list_command() -> list[str]:
    """Return an engine's arguments that list the containers of the cluster."""
    return ["ps", "--all", "--quiet", "--filter", f"label=io.x-k8s.kind.cluster={NAME}"]


def mark_of_making() -> Path:
    """Return the file that says that we began to make a cluster."""
    return kubeconfig().with_name("made")


def cluster() -> Cluster:
    """Return the cluster as the tests see it."""
    gpus = {node.name: GPUS for node in GPU_NODES}
    return Cluster(
        KindProvider.name, kubeconfig(), tuple(ClusterNode(each.name, gpus.get(each.name, 0)) for each in NODES)
    )


def is_whole() -> bool:
    """Whether every worker is there and ready, as it is only when kind came to its end."""
    nodes = Kubectl(kubeconfig()).get("nodes", "--request-timeout=10s")["items"]
    ready = {
        node["metadata"]["name"]
        for node in nodes
        if any(each["type"] == "Ready" and each["status"] == "True" for each in node["status"].get("conditions", ()))
    }
    return ready.issuperset(node.name for node in NODES)


def why_impossible() -> str:
    """Say why kind cannot be used here; nothing if it can."""
    engine = engine_that_answers()
    if engine is None:
        return f"No container engine answers ({', '.join(ENGINES)})."
    image = node_image()
    if not _succeeds([engine, "image", "inspect", image], SECONDS) and not _succeeds(
        [engine, "pull", image], PULL_SECONDS
    ):
        return f"{engine} neither has kind's node image {image} nor can pull it."
    return ""


def engine_that_answers() -> str | None:
    """Return the command of a container engine that works."""
    return next((each for each in ENGINES if shutil.which(each) and _succeeds([each, "info"], SECONDS)), None)


def node_image() -> str:
    """Return the node image that the configuration names. It is the same for all nodes."""
    (image,) = {node["image"] for node in yaml.safe_load(KIND_CONFIG.read_text())["nodes"]}
    return str(image)


def _kind(*arguments: str) -> str:
    # kind would take the first engine that is installed, whether it answers or not.
    environment = {**os.environ, "KIND_EXPERIMENTAL_PROVIDER": engine_that_answers() or ""}
    command: list[str | Path] = [programs.build("kind") / "kind", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise Lacking(f"`kind {' '.join(arguments)}` failed: {' / '.join(done.stderr.strip().splitlines()[-5:])}")
    return done.stdout


def _succeeds(command: list[str], seconds: int) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=seconds).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
