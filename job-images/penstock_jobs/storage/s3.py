"""A store in a bucket of an S3 server, any that speaks the protocol and honours conditional writes."""

# ruff: noqa: D102 (what each method promises is written once, at `Store`)

import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import msgspec
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import Location
from penstock_jobs.storage import disk
from penstock_jobs.storage.conditional import PROBE, require_conditional_writes
from penstock_jobs.storage.credentials import read_keys
from penstock_jobs.storage.keys import check_key, check_prefix
from penstock_jobs.storage.s3_client import S3Connection, S3Timeouts, connect
from penstock_jobs.storage.s3_failures import BucketAddress, code_of, explain_s3_errors, no_bucket, status_of
from penstock_jobs.storage.store import Store, StoredFile

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_PARTS = TransferConfig(multipart_threshold=16 << 20, multipart_chunksize=16 << 20, max_concurrency=4)
_WRITER = "penstock-writer"
_TWO_AT_ONCE = {"ConditionalRequestConflict", "OperationAborted", "409"}
_CONFLICTS = 6


def open_bucket(location: Location, patience: S3Timeouts | None = None) -> "BucketStore":
    """Return the store at `s3://bucket/prefix`. Credentials are read; nothing is contacted yet.

    Raises:
        Refused: The address or the credentials cannot be used.
    """
    bucket, _, prefix = location.uri.removeprefix("s3://").partition("/")
    prefix = check_prefix(prefix).removesuffix("/")
    if not bucket:
        raise Refused(f"{location.uri} names no bucket; write s3://bucket/prefix.")
    keys = read_keys(location.credentials)
    place = BucketAddress(
        bucket=bucket,
        server=location.endpoint or "Amazon S3",
        credentials=keys.origin if keys else "the credentials of this machine (the manifest names none)",
    )
    with explain_s3_errors(place, prefix):
        return BucketStore(prefix=prefix, place=place, connection=connect(location, keys, patience or S3Timeouts()))


@dataclass(frozen=True)
class BucketStore:
    """A store whose root is a prefix of a bucket. Threads may share it; another process opens its own."""

    prefix: str
    place: BucketAddress
    connection: S3Connection

    @property
    def uri(self) -> str:
        return f"s3://{self._bucket}/{self.prefix}".removesuffix("/")

    def read(self, key: str) -> bytes:
        name = self._name(key)
        with explain_s3_errors(self.place, name):
            return self._client.get_object(Bucket=self._bucket, Key=name)["Body"].read()

    def write(self, key: str, content: bytes) -> None:
        name = self._name(key)
        with explain_s3_errors(self.place, name):
            self._client.put_object(Bucket=self._bucket, Key=name, Body=content)

    def write_if_absent(self, key: str, content: bytes) -> bool:
        name = self._name(key)
        with explain_s3_errors(self.place, name):
            require_conditional_writes(self._client, self.place, self.prefix)
            return self._put_if_absent(name, content)

    def keys(self, prefix: str = "") -> list[str]:
        return [each.key for each in self.files(prefix)]

    def files(self, prefix: str = "") -> list[StoredFile]:
        root = f"{self.prefix}/" if self.prefix else ""
        start = root + check_prefix(prefix)
        with explain_s3_errors(self.place, start):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=start)
            found = [
                StoredFile(item["Key"].removeprefix(root), item["Size"], item["ETag"].strip('"'), item["LastModified"])
                for page in pages
                for item in page.get("Contents", [])
            ]
        # A key that ends with `/` is how consoles draw an empty folder.
        wanted = [each for each in found if not each.key.endswith("/") and PROBE not in each.key]
        return sorted(wanted, key=lambda each: each.key)

    def exists(self, key: str) -> bool:
        name = self._name(key)
        with explain_s3_errors(self.place, name):
            try:
                self._client.head_object(Bucket=self._bucket, Key=name)
            except ClientError as error:
                if status_of(error) == 403:
                    # The answer to a HEAD has no body, so no reason: that to a GET says whether the key is wrong.
                    self._client.get_object(Bucket=self._bucket, Key=name, Range="bytes=0-0")["Body"].close()
                    return True
                if status_of(error) != 404:
                    raise
                self._require_bucket()
                return False
        return True

    def delete(self, key: str) -> None:
        name = self._name(key)
        with explain_s3_errors(self.place, name):
            self._client.delete_object(Bucket=self._bucket, Key=name)

    def remove_empty_folders(self) -> None:
        pass  # a bucket has keys only

    def download(self, key: str, path: Path) -> None:
        name = self._name(key)
        with explain_s3_errors(self.place, name), disk.explain_os_errors(path), disk.replace_file(path) as file:
            self._client.download_fileobj(self._bucket, name, file, Config=_PARTS)

    def upload(self, path: Path, key: str) -> None:
        name = self._name(key)
        with explain_s3_errors(self.place, name), disk.explain_os_errors(path), path.open("rb") as file:
            self._client.upload_fileobj(file, self._bucket, name, Config=_PARTS)

    def local_path(self, key: str) -> Path | None:
        check_key(key)
        return None

    def delta_options(self) -> dict[str, str]:
        with explain_s3_errors(self.place, self.prefix):
            return self.connection.delta_options()

    def child(self, prefix: str) -> Store:
        return BucketStore(prefix=self._name(prefix), place=self.place, connection=self.connection)

    def __reduce__(self) -> tuple[object, ...]:
        """Let another process open the same place for itself: a connection does not travel."""
        location = msgspec.structs.replace(self.connection.location, uri=self.uri)
        return open_bucket, (location, self.connection.patience)

    @property
    def _client(self) -> "S3Client":
        return self.connection.client

    @property
    def _bucket(self) -> str:
        return self.place.bucket

    def _name(self, key: str) -> str:
        return f"{self.prefix}/{check_key(key)}" if self.prefix else check_key(key)

    def _require_bucket(self) -> None:
        """A HEAD that finds nothing does not say whether the object is missing or its bucket."""
        try:
            self._client.head_bucket(Bucket=self._bucket)
        except ClientError as error:
            if status_of(error) == 404:
                raise no_bucket(self.place) from error
            if status_of(error) != 403:  # it is there, and keys that are limited to a prefix are told no more of it
                raise

    def _put_if_absent(self, name: str, content: bytes) -> bool:
        writer = uuid4().hex
        attempt = 0
        while True:
            try:
                self._client.put_object(
                    Bucket=self._bucket, Key=name, Body=content, IfNoneMatch="*", Metadata={_WRITER: writer}
                )
            except ClientError as error:
                if status_of(error) == 412:
                    return self._is_mine(name, writer, error)
                attempt += 1
                if code_of(error) not in _TWO_AT_ONCE or attempt == _CONFLICTS:
                    raise
                time.sleep(random.uniform(0, 0.1 * 2**attempt))  # noqa: S311 (not a secret)
            else:
                return True

    def _is_mine(self, name: str, writer: str, error: ClientError) -> bool:
        """Tell whether what is in the way is what this very call put there, before an answer that was lost."""
        if not error.response["ResponseMetadata"].get("RetryAttempts"):
            return False
        try:
            found = self._client.head_object(Bucket=self._bucket, Key=name)
        except ClientError as gone:
            if status_of(gone) == 404:
                return False
            raise
        return found["Metadata"].get(_WRITER) == writer
