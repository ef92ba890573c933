"""A git server in the cluster, by git itself (gitprotocol-http): one repository, open and behind a login."""

import io
import shutil
import tarfile
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cluster.kubernetes_api import PODS, KubernetesApi, Object
from git_repositories import remote
from penstock.decide.objects.pod_template import CONTAINER_SECURITY, POD_SECURITY

NAME, PORT = "git", 8000
OPEN, PRIVATE = "open", "private"
USERNAME, PASSWORD = "reader", "s3same"
# Runs in the source image, which has git and Python, and writes below /tmp alone.
_SERVER = """
import base64, os, subprocess, tarfile, http.server
from urllib.parse import urlsplit

tarfile.open("/repository/archive").extractall("/tmp")
login = "Basic " + base64.b64encode(os.environ["LOGIN"].encode()).decode()

class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer("advertisement", ["--advertise-refs"], b"001e# service=git-upload-pack\\n0000", b"")

    def do_POST(self):
        self.answer("result", [], b"", self.rfile.read(int(self.headers["Content-Length"])))

    def answer(self, kind, options, before, asked):
        path = urlsplit(self.path).path
        if path.startswith("/private/") and self.headers.get("Authorization") != login:
            return self.end(401, {"WWW-Authenticate": 'Basic realm="git"'}, b"")
        if path not in [f"/{w}/tumours.git/{e}" for w in ("open", "private") for e in ("info/refs", "git-upload-pack")]:
            return self.end(404, {}, b"")
        environment = os.environ | {"GIT_PROTOCOL": self.headers.get("Git-Protocol", "")}
        words = ["git", "upload-pack", "--stateless-rpc", *options, "/tmp/tumours.git"]
        done = subprocess.run(words, input=asked, capture_output=True, env=environment)
        self.end(200, {"Content-Type": f"application/x-git-upload-pack-{kind}"}, before + done.stdout)

    def end(self, status, headers, body):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

http.server.ThreadingHTTPServer(("", 8000), Server).serve_forever()
"""


@dataclass(frozen=True)
class GitServer:
    """The server; `commit` is where the branch `main` of its repository is."""

    namespace: str
    commit: str

    def url(self, which: str) -> str:
        """Return the address of the repository, `OPEN` or `PRIVATE`, for pods."""
        return f"http://{NAME}.{self.namespace}:{PORT}/{which}/tumours.git"


@contextmanager
def git_server(api: KubernetesApi, namespace: str, image: str, content: Path, scratch: Path) -> Iterator[GitServer]:
    """Serve a repository whose branch `main` has the files of the folder `content`, once it answers."""
    made = remote(scratch / "tumours")
    shutil.copytree(content, made.folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    commit = made.commit()
    archive = b64encode(_pack(made.folder / ".git")).decode()
    for each in _manifests(image, archive):
        api.create(each, namespace)
    api.wait_for(PODS, NAME, namespace, _is_ready, what="the git server ready", seconds=120)
    yield GitServer(namespace, commit)


def login(name: str, password: str = PASSWORD) -> Object:
    """Return a Secret with which the private repository is read, or is not."""
    keys = {"username": USERNAME, "password": password}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": keys}


def _pack(repository: Path) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for part in ("HEAD", "config", "objects", "refs"):
            archive.add(repository / part, f"tumours.git/{part}")
    return content.getvalue()


def _manifests(image: str, archive: str) -> tuple[Object, ...]:
    container = {
        "name": NAME,
        "image": image,
        "command": ["python", "-c", _SERVER],
        "env": [{"name": "LOGIN", "value": f"{USERNAME}:{PASSWORD}"}],
        "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
        "securityContext": CONTAINER_SECURITY,
        "volumeMounts": [
            {"name": "repository", "mountPath": "/repository"},
            {"name": "scratch", "mountPath": "/tmp"},
        ],
    }
    spec = {
        "automountServiceAccountToken": False,
        "securityContext": POD_SECURITY,
        "terminationGracePeriodSeconds": 0,
        "containers": [container],
        "volumes": [
            {"name": "repository", "configMap": {"name": NAME}},
            {"name": "scratch", "emptyDir": {}},
        ],
    }
    named = {"name": NAME, "labels": {"app": NAME}}
    return (
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": named, "binaryData": {"archive": archive}},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": named,
            "spec": {"selector": {"app": NAME}, "ports": [{"port": PORT}]},
        },
        {"apiVersion": "v1", "kind": "Pod", "metadata": named, "spec": spec},
    )


def _is_ready(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
