"""The programs that make the cluster, in the order in which they need each other."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from testcluster.machine import plan
from testcluster.machine.configurations import CERTIFICATES, CONFIGURATIONS, runtime_socket
from testcluster.machine.folders import INSIDE
from testcluster.machine.plan import NODES, Node


@dataclass(frozen=True)
class Program:
    """A program that runs as long as the cluster, and how to see that it is ready. `task` ends by itself."""

    name: str
    command: tuple[str, ...]
    after: tuple[str, ...] = ()
    ready_at: str = ""  # https://, http:// or unix://; nothing: it is ready once it runs
    task: bool = False


@dataclass(frozen=True)
class ProgramFolders:
    """The folders of the programs that are built."""

    etcd: Path
    kubernetes: Path
    coredns: Path
    volumes: Path
    containerd: Path
    preparation: tuple[str, ...] = field(default=())  # the command that cleans a container runtime, less its node


def list_programs(built: ProgramFolders) -> tuple[Program, ...]:
    """Return every program of the cluster."""
    return (
        etcd(built.etcd),
        api_server(built.kubernetes),
        controller_manager(built.kubernetes),
        scheduler(built.kubernetes),
        proxy(built.kubernetes),
        objects(built.kubernetes),
        dns(built.coredns),
        volumes(built.volumes),
        *(program for node in NODES for program in node_programs(node, built)),
    )


def etcd(folder: Path) -> Program:
    """Return the store, on loopback of the cluster's own network namespace."""
    clients, peers = f"http://127.0.0.1:{plan.ETCD_PORT}", f"http://127.0.0.1:{plan.ETCD_PEER_PORT}"
    flags = {
        "name": "penstock-test",
        "data-dir": str(INSIDE / "etcd"),
        "listen-client-urls": clients,
        "advertise-client-urls": clients,
        "listen-peer-urls": peers,
        "initial-advertise-peer-urls": peers,
        "initial-cluster": f"penstock-test={peers}",
        "log-level": "warn",
        "quota-backend-bytes": str(4 << 30),
        "auto-compaction-retention": "30m",
    }
    return Program("etcd", command(folder / "etcd", flags), ready_at=f"{clients}/health")


def api_server(folder: Path) -> Program:
    """Return the API server: RBAC, the default admission plugins, aggregation, no audit log."""
    issuer = f"https://kubernetes.default.svc.{plan.CLUSTER_DOMAIN}"
    flags = {
        "etcd-servers": f"http://127.0.0.1:{plan.ETCD_PORT}",
        "bind-address": "0.0.0.0",
        "secure-port": str(plan.API_PORT),
        "advertise-address": plan.API_ADDRESS,
        "service-cluster-ip-range": plan.SERVICE_RANGE,
        "allow-privileged": "true",
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        "client-ca-file": _certificate("ca.crt"),
        "tls-cert-file": _certificate("api-server.crt"),
        "tls-private-key-file": _certificate("api-server.key"),
        "kubelet-certificate-authority": _certificate("ca.crt"),
        "kubelet-client-certificate": _certificate("api-server-to-kubelets.crt"),
        "kubelet-client-key": _certificate("api-server-to-kubelets.key"),
        "kubelet-preferred-address-types": "InternalIP",
        "service-account-issuer": issuer,
        "service-account-key-file": _certificate("service-account.pub"),
        "service-account-signing-key-file": _certificate("service-account.key"),
        "enable-aggregator-routing": "true",
        "proxy-client-cert-file": _certificate("front-proxy.crt"),
        "proxy-client-key-file": _certificate("front-proxy.key"),
        "requestheader-client-ca-file": _certificate("front-proxy-ca.crt"),
        "requestheader-allowed-names": "front-proxy-client",
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-username-headers": "X-Remote-User",
        "profiling": "false",
    }
    ready = f"https://127.0.0.1:{plan.API_PORT}/readyz"
    return Program("kube-apiserver", command(folder / "kube-apiserver", flags), ("etcd",), ready)


def controller_manager(folder: Path) -> Program:
    """Return the controllers, with the client limits that they have everywhere unless another is asked for."""
    rate = plan.CONTROLLER_RATE
    flags = {
        **_client("controller-manager"),
        "bind-address": "127.0.0.1",
        "leader-elect": "false",
        "use-service-account-credentials": "true",
        "service-account-private-key-file": _certificate("service-account.key"),
        "root-ca-file": _certificate("ca.crt"),
        "cluster-signing-cert-file": _certificate("ca.crt"),
        "cluster-signing-key-file": _certificate("ca.key"),
        "client-ca-file": _certificate("ca.crt"),
        "requestheader-client-ca-file": _certificate("front-proxy-ca.crt"),
        **({"kube-api-qps": rate, "kube-api-burst": rate} if rate else {}),
    }
    program = command(folder / "kube-controller-manager", flags)
    return Program("kube-controller-manager", program, ("kube-apiserver",), "https://127.0.0.1:10257/healthz")


def scheduler(folder: Path) -> Program:
    """Return the scheduler."""
    flags = {**_client("scheduler"), "bind-address": "127.0.0.1", "leader-elect": "false"}
    program = command(folder / "kube-scheduler", flags)
    return Program("kube-scheduler", program, ("kube-apiserver",), "https://127.0.0.1:10259/healthz")


def proxy(folder: Path) -> Program:
    """Return what makes Services: one for both nodes, since they share a network namespace."""
    flags = {
        "kubeconfig": str(CONFIGURATIONS / "proxy.kubeconfig"),
        "hostname-override": NODES[0].name,
        "proxy-mode": "iptables",
        "cluster-cidr": plan.POD_RANGE,
        "conntrack-max-per-core": "0",
        "oom-score-adj": "0",
        "healthz-bind-address": "127.0.0.1:10256",
        "metrics-bind-address": "127.0.0.1:10249",
    }
    after = ("kube-apiserver",)
    return Program("kube-proxy", command(folder / "kube-proxy", flags), after, "http://127.0.0.1:10256/livez")


def dns(folder: Path) -> Program:
    """Return the cluster's DNS server."""
    program = command(folder / "coredns", {"conf": str(CONFIGURATIONS / "Corefile")})
    return Program("coredns", program, ("objects",), "http://127.0.0.1:8181/ready")


def volumes(folder: Path) -> Program:
    """Return what makes volumes for claims. It needs no name of its own: it listens to nobody."""
    flags = {"kubeconfig": str(CONFIGURATIONS / "volumes.kubeconfig"), "folder": str(INSIDE / "volumes")}
    return Program("volumes", command(folder / "volumes", flags), ("objects",))


def objects(folder: Path) -> Program:
    """Return what applies the objects: before the programs start whose rights they are, for these are slow to retry."""
    apply = ("apply", "--server-side", f"--filename={CONFIGURATIONS / 'objects.json'}")
    kubectl = (str(folder / "kubectl"), f"--kubeconfig={CONFIGURATIONS / 'admin.kubeconfig'}")
    return Program("objects", (*kubectl, *apply), ("kube-apiserver",), task=True)


def node_programs(node: Node, built: ProgramFolders) -> Iterator[Program]:
    """Return a node's container runtime, cleaned before, and its kubelet."""
    clean, runtime = f"clean-{node.name}", f"containerd-{node.name}"
    yield Program(clean, (*built.preparation, node.name), task=True)
    configured = command(built.containerd, {"config": str(CONFIGURATIONS / f"containerd-{node.name}.toml")})
    yield Program(runtime, configured, (clean,), f"unix://{runtime_socket(node)}")
    labels = ",".join(f"{key}={value}" for key, value in sorted(node.labels.items()))
    flags = {
        "config": str(CONFIGURATIONS / f"kubelet-{node.name}.yaml"),
        "kubeconfig": str(CONFIGURATIONS / f"kubelet-{node.name}.kubeconfig"),
        "hostname-override": node.name,
        "node-ip": node.address,
        "root-dir": str(INSIDE / "nodes" / node.name / "kubelet"),
        "cert-dir": str(INSIDE / "nodes" / node.name / "kubelet-certificates"),
        **({"node-labels": labels} if labels else {}),
    }
    yield Program(
        f"kubelet-{node.name}",
        command(built.kubernetes / "kubelet", flags),
        (runtime, "kube-apiserver"),
        f"http://127.0.0.1:{node.health_port}/healthz",
    )


def command(program: Path, flags: dict[str, str]) -> tuple[str, ...]:
    """Return a command line, with its flags in the order given."""
    return (str(program), *(f"--{name}={value}" for name, value in flags.items()))


def _client(user: str) -> dict[str, str]:
    file = str(CONFIGURATIONS / f"{user}.kubeconfig")
    return {"kubeconfig": file, "authentication-kubeconfig": file, "authorization-kubeconfig": file}


def _certificate(name: str) -> str:
    return str(CERTIFICATES / name)
