"""Taking the cluster away, whole or half-made, and saying what of somebody else's is in its way."""

import json
import shutil
import subprocess
from ipaddress import ip_interface, ip_network
from pathlib import Path
from typing import Any

from testcluster.machine import folders, namespaces, plan, processes
from testcluster.sentences import Lacking


def remove() -> None:
    """Remove all that a start made, in whatever state it is. What is not there is no trouble."""
    processes.end(folders.plan())
    # It goes with the cluster's namespace, but only some time after.
    subprocess.run(["ip", "link", "delete", plan.HOST_INTERFACE], capture_output=True)
    namespaces.remove_groups()
    folders.kubeconfig().unlink(missing_ok=True)
    mark = folders.machine() / "made-plugins-cache"
    if mark.exists():
        if namespaces.PLUGINS_CACHE.is_dir() and not any(namespaces.PLUGINS_CACHE.iterdir()):
            namespaces.PLUGINS_CACHE.rmdir()
        mark.unlink()
    if folders.run().exists():
        shutil.rmtree(folders.run())


def keep_logs() -> None:
    """Put the logs of a start that failed where the next one does not remove them."""
    logs = folders.run() / "logs"
    if logs.exists():
        shutil.rmtree(folders.failure_logs(), ignore_errors=True)
        shutil.copytree(logs, folders.failure_logs())


def remove_everything() -> None:
    """Remove the images that the nodes keep as well."""
    remove()
    shutil.rmtree(folders.machine())


def refuse_what_is_in_the_way() -> None:
    """Raise with the sentence that says what must go first, if anything."""
    for other in processes.supervisors():
        if other.plan != folders.plan() and other.instance == plan.INSTANCE:
            raise Lacking(another_cluster(other.plan))
    listed = subprocess.run(["ip", "-json", "address"], check=True, capture_output=True, text=True).stdout
    if sentence := address_in_the_way(json.loads(listed)):
        raise Lacking(sentence)


def another_cluster(of: Path) -> str:
    """Say that the machine has a cluster of another cache folder."""
    cache = of.parents[2]
    return (
        f"A test cluster of another cache folder, {cache}, is up on this machine, and there can be one: "
        f"take it down with `PENSTOCK_TEST_CACHE={cache} make cluster-down`."
    )


def address_in_the_way(interfaces: list[dict[str, Any]]) -> str:
    """Say which interface has an address where the way into the cluster would be; nothing if none has."""
    way_in = ip_network(f"{plan.HOST_ADDRESS}/{plan.DOOR_PREFIX}", strict=False)
    for interface in interfaces:
        for address in interface.get("addr_info", ()):
            own = ip_interface(f"{address['local']}/{address['prefixlen']}")
            if own.version == way_in.version and own.ip in way_in and interface["ifname"] != plan.HOST_INTERFACE:
                return (
                    f"The interface {interface['ifname']} has the address {own.ip}, which the test cluster needs for "
                    f"its way in ({way_in}): remove it, or name a cluster of your own with KUBECONFIG."
                )
    return ""
