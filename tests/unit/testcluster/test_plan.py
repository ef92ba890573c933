"""The nodes of the cluster of plain processes are the workers of kind-config.yaml."""

import os
import shutil
import subprocess
from ipaddress import ip_address, ip_network
from itertools import combinations
from pathlib import Path

import pytest
import yaml

from testcluster import programs
from testcluster.machine import plan
from testcluster.machine.plan import GPU_RESOURCE, KIND_CONFIG, NODES, Taint, nodes_of

LONGEST_INTERFACE_NAME = 15


def test_nodes_have_the_names_that_kind_gives() -> None:
    assert [node.name for node in NODES] == ["penstock-worker", "penstock-worker2"]


def test_one_node_has_the_labels_and_the_taint_of_gpus() -> None:
    (node,) = plan.GPU_NODES
    assert node.labels["nvidia.com/gpu.present"] == "true"
    assert node.taints == (Taint(GPU_RESOURCE, "present", "NoSchedule"),)


def test_the_label_says_as_many_gpus_as_are_advertised() -> None:
    (node,) = plan.GPU_NODES
    assert node.labels["nvidia.com/gpu.count"] == str(plan.GPUS)


def test_a_control_plane_is_no_node_of_ours() -> None:
    assert nodes_of({"name": "any", "nodes": [{"role": "control-plane"}]}) == ()


def test_ranges_and_addresses_are_apart() -> None:
    ranges = [ip_network(node.pod_range) for node in NODES] + [ip_network(plan.SERVICE_RANGE)]
    ranges.append(ip_network(f"{plan.HOST_ADDRESS}/{plan.DOOR_PREFIX}", strict=False))
    assert not any(one.overlaps(other) for one, other in combinations(ranges, 2))
    assert all(ip_address(node.address) in ip_network(node.pod_range) for node in NODES)


def test_no_two_kubelets_listen_on_one_port() -> None:
    ports = [port for node in NODES for port in (node.kubelet_port, node.health_port)]
    assert len({*ports}) == len(ports)


def test_names_of_interfaces_fit() -> None:
    names = [plan.HOST_INTERFACE, plan.INNER_INTERFACE, *(node.bridge for node in NODES)]
    assert all(len(name) <= LONGEST_INTERFACE_NAME for name in names)


class TestKindItself:
    """kind reads its configuration before it looks for an engine: without one its error tells which of them failed."""

    def error_for(self, text: str, folder: Path) -> str:
        file = folder / "config.yaml"
        file.write_text(text)
        if shutil.which("go") is None:
            pytest.skip("Go, of which kind is built, is not installed")
        command: list[str | Path] = [programs.build("kind") / "kind", "create", "cluster", "--config", file]
        environment = {"PATH": os.devnull, "HOME": str(folder)}
        return subprocess.run(command, env=environment, capture_output=True, text=True).stderr

    @pytest.mark.go
    def test_reads_our_configuration(self, tmp_path: Path) -> None:
        error = self.error_for(KIND_CONFIG.read_text(), tmp_path)
        assert "docker info" in error
        assert "unable to decode config" not in error

    @pytest.mark.go
    def test_refuses_one_with_a_field_that_it_does_not_know(self, tmp_path: Path) -> None:
        error = self.error_for(KIND_CONFIG.read_text().replace("labels:", "lables:"), tmp_path)
        assert "unable to decode config" in error

    @pytest.mark.parametrize("number", range(len(yaml.safe_load(KIND_CONFIG.read_text())["nodes"])))
    def test_is_given_a_node_image_by_its_digest(self, number: int) -> None:
        image = yaml.safe_load(KIND_CONFIG.read_text())["nodes"][number]["image"]
        assert image.startswith(f"kindest/node:{minor_version()}.")
        assert "@sha256:" in image


def minor_version() -> str:
    whole = programs.version_in_go_mod(programs.TOOLS / "kubernetes" / "go.mod", "k8s.io/kubernetes")
    return whole.rpartition(".")[0]
