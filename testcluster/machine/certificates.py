"""The certificates of the cluster: who each program is, and by which names it is reached. Made anew at every start."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from testcluster.machine.plan import API_NAMES, NODES, Node
from testcluster.sentences import Lacking

DAYS = 365
AUTHORITY = "ca"
# What the API server shows to the servers behind it (metrics-server), so that nobody else can speak in a user's name.
FRONT_AUTHORITY = "front-proxy-ca"
AUTHORITIES = (AUTHORITY, FRONT_AUTHORITY)
SERVICE_ACCOUNT = "service-account"


@dataclass(frozen=True)
class Certificate:
    """A key, `name`.key, and its certificate, `name`.crt. RBAC sees a user and the group that it belongs to."""

    name: str
    common_name: str
    organization: str = ""
    server_names: tuple[str, ...] = ()
    authority: str = AUTHORITY


def node_client(node: Node) -> Certificate:
    """Return what a kubelet shows to the API server."""
    return Certificate(f"kubelet-{node.name}", f"system:node:{node.name}", "system:nodes")


def node_server(node: Node) -> Certificate:
    """Return what a kubelet shows to whoever asks it for logs."""
    return Certificate(f"kubelet-{node.name}-server", f"system:node:{node.name}", "", (node.name, node.address))


def list_certificates() -> list[Certificate]:
    """Return every certificate that the authorities sign."""
    return [
        Certificate("api-server", "kube-apiserver", "", API_NAMES),
        Certificate("api-server-to-kubelets", "kube-apiserver-kubelet-client", "system:masters"),
        Certificate("front-proxy", "front-proxy-client", authority=FRONT_AUTHORITY),
        Certificate("admin", "penstock-test-admin", "system:masters"),
        Certificate("controller-manager", "system:kube-controller-manager"),
        Certificate("scheduler", "system:kube-scheduler"),
        Certificate("proxy", "system:kube-proxy"),
        Certificate("dns", "system:coredns"),
        Certificate("volumes", "penstock-test-volumes"),
        *(each for node in NODES for each in (node_client(node), node_server(node))),
    ]


def authority_request(name: str) -> str:
    """Return OpenSSL's description of an authority."""
    return "\n".join(
        [
            "[req]",
            "prompt = no",
            "distinguished_name = name",
            "x509_extensions = extensions",
            "[name]",
            f"CN = penstock-test-{name}",
            "[extensions]",
            "basicConstraints = critical, CA:TRUE",
            "keyUsage = critical, digitalSignature, keyCertSign",
            "subjectKeyIdentifier = hash",
            "",
        ]
    )


def request(certificate: Certificate) -> str:
    """Return OpenSSL's description of a certificate."""
    names = [f"{'IP' if _is_address(name) else 'DNS'}:{name}" for name in certificate.server_names]
    lines = [
        "[req]",
        "prompt = no",
        "distinguished_name = name",
        "x509_extensions = extensions",
        "[name]",
        *([f"O = {certificate.organization}"] if certificate.organization else []),
        f"CN = {certificate.common_name}",
        "[extensions]",
        "basicConstraints = critical, CA:FALSE",
        "keyUsage = critical, digitalSignature",
        f"extendedKeyUsage = {'serverAuth' if names else 'clientAuth'}",
        "authorityKeyIdentifier = keyid",
        *([f"subjectAltName = {', '.join(names)}"] if names else []),
    ]
    return "\n".join([*lines, ""])


def make(folder: Path) -> None:
    """Make the authorities, every certificate, and the key that signs the tokens of service accounts."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    for name in AUTHORITIES:
        _openssl(folder, name, authority_request(name), [])
    for certificate in list_certificates():
        signer = ["-CA", f"{certificate.authority}.crt", "-CAkey", f"{certificate.authority}.key"]
        _openssl(folder, certificate.name, request(certificate), signer)
    private, public = f"{SERVICE_ACCOUNT}.key", f"{SERVICE_ACCOUNT}.pub"
    curve = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
    _run(["openssl", "genpkey", *curve, "-out", private], folder)
    _run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], folder)


def _openssl(folder: Path, name: str, description: str, signer: list[str]) -> None:
    (folder / f"{name}.cnf").write_text(description)
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key"]
    out = ["-x509", "-sha256", "-days", str(DAYS), "-out", f"{name}.crt", "-config", f"{name}.cnf"]
    _run(["openssl", "req", *out, *key, *signer], folder)


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise Lacking(f"`{' '.join(command)}` failed: {' / '.join(done.stderr.split())}")


def _is_address(name: str) -> bool:
    return name.replace(".", "").isdigit()
