"""The S3 server in the cluster, from both sides: where pods reach it, and where the test does."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock_jobs.contract.specification import Credentials, Location
from penstock_jobs.storage import Store, open_store
from s3_server import write_secret
from testcluster import s3

BUCKET, LAKE = s3.BUCKETS


@dataclass(frozen=True)
class Buckets:
    """The server; `endpoint` leads to it from this machine, `secret` holds the credentials of its root as files."""

    server: s3.S3Storage
    endpoint: str
    secret: Path

    def upload(self, file: Path, key: str, bucket: str = LAKE) -> str:
        """Put a file into the bucket of inputs, or another; return its address."""
        s3.client(self.endpoint, self.server.root).upload_file(str(file), bucket, key)
        return f"s3://{bucket}/{key}"

    def store(self, uri: str) -> Store:
        """Return what is at that address, as the server's root sees it from here."""
        return open_store(Location(uri=uri, endpoint=self.endpoint, credentials=Credentials(folder=str(self.secret))))

    def damage(self, uri: str) -> None:
        """Change one byte of what is stored at this address."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        client = s3.client(self.endpoint, self.server.root)
        content = bytearray(client.get_object(Bucket=bucket, Key=key)["Body"].read())
        content[len(content) // 2] ^= 1
        client.put_object(Bucket=bucket, Key=key, Body=bytes(content))

    def versions(self, prefix: str) -> dict[str, str]:
        """Return every key under the prefix of the bucket of Pipelines, with the moment and digest of its content."""
        pages = s3.client(self.endpoint, self.server.root).get_paginator("list_objects_v2")
        found: list[Any] = [
            item for page in pages.paginate(Bucket=BUCKET, Prefix=prefix) for item in page.get("Contents", [])
        ]
        return {item["Key"].removeprefix(prefix): f"{item['LastModified']} {item['ETag']}" for item in found}


def buckets(server: s3.S3Storage, endpoint: str, folder: Path) -> Buckets:
    """Return the server, with the credentials of its root written into the folder."""
    return Buckets(server, endpoint, write_secret(folder, server.root.access_key, server.root.secret_key))
