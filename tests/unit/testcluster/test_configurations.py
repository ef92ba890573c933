"""The files and command lines of the cluster's programs say what keeps it apart and whole."""

import base64
import json
import tomllib
from pathlib import Path

import pytest

from testcluster.machine import certificates, configurations, namespaces, plan
from testcluster.machine.plan import NODES, Node
from testcluster.machine.programs_of_the_cluster import Program, ProgramFolders, list_programs

BUILT = ProgramFolders(
    Path("/etcd"), Path("/kubernetes"), Path("/coredns"), Path("/volumes"), Path("/containerd"), preparation=("clean",)
)
PROGRAMS = {program.name: program for program in list_programs(BUILT)}
ANYWHERE = ("0.0.0.0", "[::]")


def flag(program: Program, name: str) -> str:
    return next(each.removeprefix(f"--{name}=") for each in program.command if each.startswith(f"--{name}="))


def containerd(node: Node, pods: bool = True) -> dict[str, object]:
    return tomllib.loads(configurations.containerd(node, "pause:1", Path("/cni"), "overlayfs", Path("/kept"), pods))


def test_every_program_needs_only_what_is_there_and_none_needs_itself() -> None:
    started: set[str] = set()
    while waiting := [each for each in PROGRAMS.values() if each.name not in started]:
        able = [each.name for each in waiting if started.issuperset(each.after)]
        assert able, f"these wait for each other: {[each.name for each in waiting]}"
        started.update(able)


def test_every_program_that_others_ask_says_when_it_is_ready() -> None:
    silent = [name for name, program in PROGRAMS.items() if not program.ready_at and not program.task]
    assert silent == ["volumes"]


def test_requests_are_authorized_and_the_default_admission_is_on() -> None:
    server = PROGRAMS["kube-apiserver"]
    assert flag(server, "authorization-mode") == "Node,RBAC"
    assert not [each for each in server.command if each.startswith(("--disable-admission", "--audit"))]


def test_servers_behind_the_api_server_can_trust_it() -> None:
    server = PROGRAMS["kube-apiserver"]
    assert flag(server, "requestheader-client-ca-file").endswith(f"{certificates.FRONT_AUTHORITY}.crt")
    assert flag(server, "proxy-client-cert-file").endswith("front-proxy.crt")
    assert flag(server, "requestheader-allowed-names") == "front-proxy-client"


def test_only_the_api_server_listens_on_all_addresses() -> None:
    listening = [name for name, each in PROGRAMS.items() if any(word.endswith(ANYWHERE) for word in each.command)]
    assert listening == ["kube-apiserver"]
    assert all(configurations.kubelet(node, "10.0.0.1")["address"] == node.address for node in NODES)


def test_kubelets_ask_who_it_is_and_whether_they_may() -> None:
    for node in NODES:
        kubelet = configurations.kubelet(node, "10.0.0.1")
        assert kubelet["authentication"]["anonymous"] == {"enabled": False}
        assert kubelet["authorization"] == {"mode": "Webhook"}
        assert kubelet["readOnlyPort"] == 0


def test_a_node_registers_with_its_labels_and_taints() -> None:
    (node,) = plan.GPU_NODES
    taint = {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}
    assert configurations.kubelet(node, "10.0.0.1")["registerWithTaints"] == [taint]
    assert "nvidia.com/gpu.present=true" in flag(PROGRAMS[f"kubelet-{node.name}"], "node-labels").split(",")


@pytest.mark.parametrize("place", ["root", "state"])
def test_no_container_runtime_shares_a_folder_with_another_or_with_the_machines(place: str) -> None:
    folders = [
        tomllib.loads(configurations.containerd(node, "pause:1", Path("/cni"), "overlayfs", Path("/kept", node.name)))
        for node in NODES
    ]
    own = {str(each[place]) for each in folders}
    assert len(own) == len(NODES)
    assert not any(path.startswith(("/var/lib/containerd", "/run/containerd")) for path in own)


def test_a_container_runtime_that_is_cleaned_starts_no_pods() -> None:
    assert "io.containerd.grpc.v1.cri" in str(containerd(NODES[0], pods=False)["disabled_plugins"])
    assert "io.containerd.grpc.v1.cri" not in str(containerd(NODES[0])["disabled_plugins"])


def test_sockets_have_paths_that_the_kernel_takes() -> None:
    longest = max(len(str(configurations.runtime_socket(node))) for node in NODES)
    assert longest + len(".ttrpc") < 108


def test_pods_get_addresses_of_their_nodes_range() -> None:
    for node in NODES:
        bridge, _ = configurations.pod_network(node)["plugins"]
        assert bridge["ipam"]["ranges"] == [[{"subnet": node.pod_range}]]
        assert bridge["ipMasq"] is False


def test_nothing_leads_out_of_the_network_but_the_way_in() -> None:
    routes = [command for command in namespaces.network() if command[:2] == ["ip", "route"]]
    assert [command[3] for command in routes] == [plan.SERVICE_RANGE]
    last = [rule for rule in namespaces.firewall() if plan.INNER_INTERFACE in rule and "ACCEPT" not in rule]
    assert {rule[2] for rule in last} == {"INPUT", "OUTPUT", "FORWARD"}


def test_a_kubeconfig_holds_all_it_needs(tmp_path: Path) -> None:
    for name in ("ca.crt", "admin.crt", "admin.key"):
        (tmp_path / name).write_text(name)
    made = json.loads(configurations.kubeconfig(tmp_path, "admin"))
    assert made["clusters"][0]["cluster"]["server"] == plan.API_URL
    assert base64.b64decode(made["users"][0]["user"]["client-key-data"]) == b"admin.key"
