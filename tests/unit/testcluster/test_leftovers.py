"""What is in the way of the cluster is named in one sentence; the cluster's process is found by its command line."""

from pathlib import Path

import pytest

from testcluster.machine import leftovers, processes
from testcluster.machine.plan import HOST_ADDRESS, HOST_INTERFACE
from testcluster.machine.processes import Supervisor

OURS = Path("/cache/machine/run/plan.json")


def interface(name: str, address: str, prefix: int = 24) -> dict[str, object]:
    return {"ifname": name, "addr_info": [{"local": address, "prefixlen": prefix}]}


def test_an_address_where_the_way_in_would_be_is_named_with_its_interface() -> None:
    sentence = leftovers.address_in_the_way([interface("lo", "127.0.0.1", 8), interface("flannel.1", HOST_ADDRESS)])
    assert sentence.startswith(f"The interface flannel.1 has the address {HOST_ADDRESS}, which the test cluster needs")
    assert "KUBECONFIG" in sentence


@pytest.mark.parametrize("other", ["10.244.0.1", "192.168.1.7", "fe80::1", "10.244.254.255"])
def test_other_addresses_are_no_trouble_even_those_that_pods_have_inside(other: str) -> None:
    assert leftovers.address_in_the_way([interface("eth0", other)]) == ""


def test_what_a_cluster_of_ours_left_is_not_in_its_own_way() -> None:
    assert leftovers.address_in_the_way([interface(HOST_INTERFACE, HOST_ADDRESS, 30)]) == ""


def test_a_cluster_of_another_cache_folder_is_named_with_the_command_that_ends_it() -> None:
    sentence = leftovers.another_cluster(Path("/home/ada/cache/machine/run/plan.json"))
    assert "`PENSTOCK_TEST_CACHE=/home/ada/cache make cluster-down`" in sentence


def process(proc: Path, pid: int, *arguments: str) -> None:
    (proc / str(pid)).mkdir()
    (proc / str(pid) / "cmdline").write_bytes(b"\0".join(each.encode() for each in arguments) + b"\0")


def test_supervisors_are_told_from_whoever_only_mentions_them(tmp_path: Path) -> None:
    process(tmp_path, 1, "/sbin/init")
    process(tmp_path, 20, "unshare", "--mount", "python", "-m", processes.MODULE, str(OURS), "0")
    process(tmp_path, 21, "/venv/bin/python", "-m", processes.MODULE, str(OURS), "0")
    process(tmp_path, 30, "grep", f"{processes.MODULE} {OURS}")
    process(tmp_path, 31, "pgrep", "-f", processes.MODULE)
    process(tmp_path, 40, "")
    (tmp_path / "meminfo").touch()
    found = sorted(processes.supervisors(tmp_path), key=lambda each: each.pid)
    assert found == [Supervisor(20, OURS, 0, is_outer=True), Supervisor(21, OURS, 0, is_outer=False)]


def test_a_process_that_ends_while_we_look_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "50").mkdir()
    assert processes.supervisors(tmp_path) == []
