"""Any cluster that a person names with KUBECONFIG. Nothing is started, and only the tests' objects are made there."""

import os
from pathlib import Path

from testcluster.cluster import Cluster, ClusterNode
from testcluster.kubectl import Kubectl, KubectlFailed
from testcluster.sentences import Lacking, say

GPU_RESOURCE = "nvidia.com/gpu"
SECONDS = 15


class GivenCluster:
    """The provider for a cluster that is there already."""

    name = "given"

    def find(self) -> Cluster | None:
        """Return the cluster that KUBECONFIG names. It must answer: whoever names one means that one."""
        kubeconfig = file_of_kubeconfig()
        try:
            nodes = Kubectl(kubeconfig).get("nodes", f"--request-timeout={SECONDS}s")["items"]
        except KubectlFailed as failed:
            last = str(failed).splitlines()[-1]
            raise Lacking(f"The cluster that KUBECONFIG names ({kubeconfig}) does not answer: {last}") from None
        return Cluster(
            self.name,
            kubeconfig,
            tuple(
                ClusterNode(node["metadata"]["name"], int(node["status"]["capacity"].get(GPU_RESOURCE, 0)))
                for node in nodes
            ),
        )

    def up(self) -> Cluster:
        """Return the cluster: it is up, or this says why not."""
        found = self.find()
        assert found is not None
        return found

    def down(self, everything: bool = False) -> None:
        """Leave the cluster alone: it is not ours."""
        say("the cluster that KUBECONFIG names is not ours and stays as it is")

    def troubles(self) -> list[str]:
        """Return nothing: the cluster is not ours to watch."""
        return []

    def load(self, cluster: Cluster, image_archive: Path, nodes: tuple[str, ...]) -> None:
        """Refuse: such a cluster pulls its images from a registry."""
        raise Lacking(
            f"{image_archive} cannot be loaded into the cluster of KUBECONFIG, which pulls its images: push them with "
            "`make images REGISTRY=…` and run the tests with the same REGISTRY."
        )


def file_of_kubeconfig() -> Path:
    """Return the one file that KUBECONFIG names."""
    files = [each for each in os.environ["KUBECONFIG"].split(os.pathsep) if each]
    if len(files) != 1:
        raise Lacking(
            f"KUBECONFIG names {len(files)} files and the tests take one: name the file of the cluster to use."
        )
    if not Path(files[0]).is_file():
        raise Lacking(f"KUBECONFIG names {files[0]}, which does not exist: name another, or unset it.")
    return Path(files[0]).absolute()
