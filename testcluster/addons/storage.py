"""A real S3 server in the cluster: versitygw with two buckets and two accounts of different rights."""

import secrets

from testcluster import programs, s3
from testcluster.addons import manifests
from testcluster.addons.addon import Addon
from testcluster.addons.archive import ProgramImage
from testcluster.kubectl import Kubectl, Object

LABELS = {"app": s3.SERVICE}


def image() -> ProgramImage:
    """Return the image of the one program."""
    program = programs.build("versitygw") / "versitygw"
    return ProgramImage("penstock-test/versitygw", {"/versitygw": program}, ("/versitygw",))


def objects(reference: str) -> list[Object]:
    """Return the namespace, the server and its Service. Nobody may evict the pod: its data would go with it."""
    restricted = {"pod-security.kubernetes.io/enforce": "restricted"}
    where = {"namespace": s3.NAMESPACE, "name": s3.SERVICE}
    made: list[Object] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": s3.NAMESPACE, "labels": restricted}},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": where,
            "spec": {"selector": LABELS, "ports": [{"name": "http", "port": s3.PORT}]},
        },
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": where,
            "spec": {"minAvailable": 1, "selector": {"matchLabels": LABELS}},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": where,
            "spec": {
                "replicas": 1,
                "strategy": {"type": "Recreate"},
                "selector": {"matchLabels": LABELS},
                "template": {"metadata": {"labels": LABELS}, "spec": pod()},
            },
        },
    ]
    return manifests.with_image(made, reference)


def pod() -> Object:
    """Return the pod's specification."""
    address = [f"--port=:{s3.PORT}", "--quiet", "--keep-alive", "--health=/healthz"]
    container = {
        "name": "versitygw",
        "args": [*address, "--iam-dir=/users", "posix", "/files"],
        "env": [_from_secret("ROOT_ACCESS_KEY", "root-access-key"), _from_secret("ROOT_SECRET_KEY", "root-secret-key")],
        "ports": [{"name": "http", "containerPort": s3.PORT}],
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 1, "failureThreshold": 60},
        "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "data", "mountPath": f"/{part}", "subPath": part} for part in ("files", "users")],
    }
    return {
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "runAsGroup": 65532,
            "fsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "containers": [container],
        "volumes": [{"name": "data", "emptyDir": {}}],
    }


def make_accounts(kubectl: Kubectl) -> None:
    """Write the Secret of the accounts, with random keys, unless it is there: running tests hold its keys."""
    if kubectl.get("secret", s3.ACCOUNTS, "--namespace", s3.NAMESPACE):
        return
    names = {f"{name}-access-key": f"{name}-of-the-tests" for name in s3.NAMES}
    keys = {f"{name}-secret-key": secrets.token_urlsafe(24) for name in s3.NAMES}
    metadata = {"namespace": s3.NAMESPACE, "name": s3.ACCOUNTS}
    kubectl.apply([{"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": names | keys}])


def make_buckets(kubectl: Kubectl) -> None:
    """Make the users, the buckets, and the policies that say who may do what."""
    storage = s3.find(kubectl)
    with storage.open_endpoint() as endpoint:
        for account in (storage.reader, storage.writer):
            s3.add_user(programs.build("versitygw") / "versitygw", endpoint, storage.root, account)
        client = s3.client(endpoint, storage.root)
        there = {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}
        for bucket in s3.BUCKETS:
            if bucket not in there:
                client.create_bucket(Bucket=bucket)
            client.put_bucket_policy(Bucket=bucket, Policy=s3.policy(bucket, storage.reader, storage.writer))


def _from_secret(variable: str, key: str) -> Object:
    return {"name": variable, "valueFrom": {"secretKeyRef": {"name": s3.ACCOUNTS, "key": key}}}


ADDON = Addon("s3", objects, image, before=make_accounts, after=make_buckets)
