"""The configuration files of the cluster's programs, as values. Paths are those inside the cluster's namespaces."""

import base64
import json
from pathlib import Path
from typing import Any

from testcluster.machine import plan
from testcluster.machine.folders import INSIDE
from testcluster.machine.plan import Node

CERTIFICATES = INSIDE / "certificates"
CONFIGURATIONS = INSIDE / "configurations"
KUBELET_CLIENT_CONFIG = "kubelet-{name}.kubeconfig"


def kubeconfig(certificates: Path, user: str, server: str = plan.API_URL) -> str:
    """Return a kubeconfig that holds all it needs, so that it can be copied anywhere."""

    def encode(name: str) -> str:
        return base64.b64encode((certificates / name).read_bytes()).decode()

    cluster = {"server": server, "certificate-authority-data": encode("ca.crt")}
    login = {"client-certificate-data": encode(f"{user}.crt"), "client-key-data": encode(f"{user}.key")}
    name = "penstock-test"
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "contexts": [{"name": name, "context": {"cluster": name, "user": user}}],
            "clusters": [{"name": name, "cluster": cluster}],
            "users": [{"name": user, "user": login}],
        },
        indent=1,
    )


def kubelet(node: Node, dns: str) -> dict[str, Any]:
    """Return a kubelet's configuration."""
    own = INSIDE / "nodes" / node.name
    certificate = CERTIFICATES / f"kubelet-{node.name}-server"
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": node.address,
        "port": node.kubelet_port,
        "readOnlyPort": 0,
        "healthzBindAddress": "127.0.0.1",
        "healthzPort": node.health_port,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(CERTIFICATES / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": f"{certificate}.crt",
        "tlsPrivateKeyFile": f"{certificate}.key",
        "containerRuntimeEndpoint": f"unix://{runtime_socket(node)}",
        "clusterDomain": plan.CLUSTER_DOMAIN,
        "clusterDNS": [dns],
        "resolvConf": str(CONFIGURATIONS / "resolv.conf"),
        "registerWithTaints": [{"key": each.key, "value": each.value, "effect": each.effect} for each in node.taints],
        "podLogsDir": str(own / "pod-logs"),
        "volumePluginDir": str(own / "volume-plugins"),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": node.cgroup,
        # A machine may still have cgroup v1, swap, and no right to change out-of-memory scores.
        "failCgroupV1": False,
        "failSwapOn": False,
        "oomScoreAdj": 0,
        # The disk is the developer's, and often nearly full: no pod is evicted for it and no image removed.
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "serializeImagePulls": False,
    }


def runtime_socket(node: Node) -> Path:
    """Return where a node's containerd answers."""
    return INSIDE / "nodes" / node.name / "containerd.sock"


def containerd(node: Node, pause_image: str, plugins: Path, snapshotter: str, kept: Path, pods: bool = True) -> str:
    """Return a containerd's configuration; without `pods` it only keeps images."""
    own = INSIDE / "nodes" / node.name
    disabled = ["io.containerd.internal.v1.opt", *([] if pods else ["io.containerd.grpc.v1.cri"])]
    return f"""version = 2
root = "{kept}"
state = "{own}/containerd"
disabled_plugins = {json.dumps(disabled)}

[grpc]
  address = "{runtime_socket(node)}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause_image}"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  tolerate_missing_hugetlb_controller = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "{snapshotter}"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{CONFIGURATIONS}/cni-{node.name}"
"""


def pod_network(node: Node) -> dict[str, Any]:
    """Return how a node's pods get their addresses: from its bridge, to each other, and nowhere else."""
    addresses = {
        "type": "host-local",
        "ranges": [[{"subnet": node.pod_range}]],
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": str(INSIDE / "nodes" / node.name / "addresses"),
    }
    bridge = {
        "type": "bridge",
        "bridge": node.bridge,
        "isGateway": True,
        "ipMasq": False,
        "hairpinMode": True,
        "ipam": addresses,
    }
    return {
        "cniVersion": "1.0.0",
        "name": node.bridge,
        "plugins": [bridge, {"type": "portmap", "capabilities": {"portMappings": True}}],
    }


def dns(address: str) -> str:
    """Return CoreDNS's configuration: the cluster's names, and no others."""
    return f""".:53 {{
    bind {address}
    errors
    log . {{
        class denial error
    }}
    health 127.0.0.1:8080
    ready 127.0.0.1:8181
    cache 5
    kubernetes {plan.CLUSTER_DOMAIN} in-addr.arpa {{
        kubeconfig {CONFIGURATIONS}/dns.kubeconfig penstock-test
        pods insecure
        ttl 5
    }}
}}
"""
