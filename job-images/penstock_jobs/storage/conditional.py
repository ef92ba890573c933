"""Whether an S3 server keeps its word on conditional writes. Some accept `If-None-Match` and overwrite all the same.

Everything that happens exactly once (claims, results, commits of Delta tables) rests on it, so a server is tried before
it is trusted: the same new key is put twice, and the second put must fail.
"""

import logging
import threading
from typing import TYPE_CHECKING
from uuid import uuid4

from botocore.exceptions import ClientError

from penstock_jobs.contract.errors import Refused
from penstock_jobs.storage.s3_failures import BucketAddress, explain_s3_errors, status_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PROBE = ".penstock-probe-"
_TURNED_AWAY = 412
_UNKNOWN = 501  # the answer of a server that has no conditional writes, and says so

_trusted: set[tuple[str, str]] = set()
_one_at_a_time = threading.Lock()


def require_conditional_writes(client: "S3Client", place: BucketAddress, prefix: str) -> None:
    """Raise `Refused` unless the server honours `If-None-Match: *` in this bucket; asked once in each process."""
    with _one_at_a_time:
        if (place.server, place.bucket) in _trusted:
            return
        name = "/".join(part for part in (prefix, f"{PROBE}{uuid4().hex}") if part)
        with explain_s3_errors(place, name):
            honoured = _honours(client, place.bucket, name)
        if not honoured:
            raise Refused(
                f"{place.server} does not honour conditional writes (If-None-Match) in the bucket {place.bucket}: two "
                f"jobs could overwrite each other's results; use a server that honours them, or a folder."
            )
        _trusted.add((place.server, place.bucket))


def _honours(client: "S3Client", bucket: str, name: str) -> bool:
    """Tell whether one of two puts of the same new key was turned away (the first may be, when its answer was lost)."""
    try:
        return any(_put(client, bucket, name) == _TURNED_AWAY for _ in range(2))
    finally:
        try:
            client.delete_object(Bucket=bucket, Key=name)
        except ClientError as error:
            logging.getLogger("penstock").warning("The probe s3://%s/%s could not be removed: %s", bucket, name, error)


def _put(client: "S3Client", bucket: str, name: str) -> int:
    """Put the key unless it is there; return the HTTP status."""
    try:
        client.put_object(Bucket=bucket, Key=name, Body=b"", IfNoneMatch="*")
    except ClientError as error:
        if status_of(error) not in {_TURNED_AWAY, _UNKNOWN}:
            raise
        return status_of(error)
    return 200
