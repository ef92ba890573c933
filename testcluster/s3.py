"""The S3 server in the cluster, as a test uses it: where it is, who may do what, and a client."""

import base64
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from testcluster.kubectl import Kubectl, Object
from testcluster.sentences import Lacking

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NAMESPACE = "penstock-test-storage"
SERVICE = "s3"
ACCOUNTS = "accounts"
PORT = 9000
INSIDE = f"http://{SERVICE}.{NAMESPACE}:{PORT}"
BUCKETS = ("ml-team", "lake")
NAMES = ("root", "reader", "writer")
READING = ("s3:GetObject", "s3:ListBucket", "s3:GetBucketLocation")
WRITING = (
    *READING,
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:AbortMultipartUpload",
    "s3:ListMultipartUploadParts",
    "s3:ListBucketMultipartUploads",
)


@dataclass(frozen=True)
class Account:
    """Who signs a request."""

    access_key: str
    secret_key: str

    def secret(self, name: str, namespace: str) -> Object:
        """Return the Secret that a Pipeline names for this account."""
        keys = {"accessKeyId": self.access_key, "secretAccessKey": self.secret_key}
        metadata = {"name": name, "namespace": namespace}
        return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": keys}


@dataclass(frozen=True)
class S3Storage:
    """The server and its accounts: `reader` may read both buckets, `writer` may write them too, `root` may do all."""

    kubectl: Kubectl
    root: Account
    reader: Account
    writer: Account
    inside: str = INSIDE  # for pods
    buckets: tuple[str, ...] = BUCKETS

    @contextmanager
    def open_endpoint(self) -> Iterator[str]:
        """Give the endpoint for this machine, by a port that is forwarded for as long as the context lasts."""
        with self.kubectl.port_forward(NAMESPACE, f"service/{SERVICE}", PORT) as port:
            yield f"http://127.0.0.1:{port}"


def find(kubectl: Kubectl) -> S3Storage:
    """Return the server of a cluster."""
    secret = kubectl.get("secret", ACCOUNTS, "--namespace", NAMESPACE)
    if secret is None:
        raise Lacking("The cluster has no S3 server of the tests; `make cluster` installs it.")
    keys = {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}
    accounts = {name: Account(keys[f"{name}-access-key"], keys[f"{name}-secret-key"]) for name in NAMES}
    return S3Storage(kubectl, accounts["root"], accounts["reader"], accounts["writer"])


def client(endpoint: str, account: Account) -> "S3Client":
    """Return a client that signs as this account."""
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=account.access_key,
        aws_secret_access_key=account.secret_key,
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 3, "mode": "standard"}),
    )


def policy(bucket: str, reader: Account, writer: Account) -> str:
    """Return the bucket's policy. Who is not in it may do nothing."""
    resources = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    statements = [
        {"Effect": "Allow", "Principal": {"AWS": [account.access_key]}, "Action": action, "Resource": resource}
        for account, actions in ((reader, READING), (writer, WRITING))
        for action in actions
        for resource in resources
        if _is_of_the_bucket(action) == (resource == resources[0])
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def add_user(program: Path, endpoint: str, root: Account, user: Account) -> None:
    """Make a user who may do nothing until a bucket's policy says otherwise; one that is there already stays."""
    login = ["--access", root.access_key, "--secret", root.secret_key, "--endpoint-url", endpoint]
    named = ["--access", user.access_key, "--secret", user.secret_key, "--role", "user"]
    done = subprocess.run([program, "admin", *login, "create-user", *named], capture_output=True, text=True)
    if done.returncode and "exists" not in done.stderr.lower():
        raise Lacking(f"The S3 server did not make the user {user.access_key}: {done.stderr.strip()}")


def _is_of_the_bucket(action: str) -> bool:
    """Whether an action is allowed on the bucket itself, and not on what is in it."""
    return "Bucket" in action
