"""A cluster as the tests see it, and what a way to have one must offer."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class ClusterNode:
    """A node that runs pods, and what sets it apart."""

    name: str
    gpus: int = 0


@dataclass(frozen=True)
class Cluster:
    """A cluster that runs."""

    provider: str
    kubeconfig: Path
    nodes: tuple[ClusterNode, ...] = ()

    def load(self, image_archive: Path, nodes: tuple[str, ...] = ()) -> None:
        """Bring the image of a docker-archive file to all nodes, or to those that are named."""
        from testcluster.choice import provider_named

        provider_named(self.provider).load(self, image_archive, nodes)

    def to_document(self) -> dict[str, object]:
        """Return what the state file holds."""
        return {**asdict(self), "kubeconfig": str(self.kubeconfig)}


class Provider(Protocol):
    """One way to have a cluster."""

    name: str

    def find(self) -> Cluster | None:
        """Return the cluster if it is up, else None. Starts, builds and fetches nothing."""
        ...

    def up(self) -> Cluster:
        """Bring the cluster up, or leave it as it is where it is up already."""
        ...

    def down(self, everything: bool = False) -> None:
        """Remove all of it; with `everything` also what only makes the next start faster."""
        ...

    def troubles(self) -> list[str]:
        """Return sentences on what went wrong with the cluster itself: a test may have failed because of it."""
        ...

    def load(self, cluster: Cluster, image_archive: Path, nodes: tuple[str, ...]) -> None:
        """Bring an image to the nodes."""
        ...
