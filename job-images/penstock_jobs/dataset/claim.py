"""Whose storage it is, and one dataset step at a time in it.

The claim is an object put if absent, so that two Pipelines can never write into one storage. In a folder a lock of the
operating system makes dataset steps wait for each other, and goes with its process; elsewhere nothing waits, and a
commit on top of a version that is no longer the last is refused by the table.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from penstock_jobs.contract.document import Form, VersionedDocument, decode, encode, format_of
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import Run
from penstock_jobs.logs import report_progress
from penstock_jobs.storage import KeyNotFound, Store

CLAIM = "penstock-claim.json"
_LOCK = "datasets/.lock"
STORAGE_CLAIM = Form("storage-claim", 1, since="0.1.0")


class StorageClaimed(Refused):
    """The storage is another Pipeline's."""

    reason = "StorageClaimed"


class Claim(VersionedDocument, frozen=True):
    """The Pipeline that a storage belongs to."""

    form: ClassVar[Form] = STORAGE_CLAIM

    pipeline: str
    pipeline_uid: str
    format: str = format_of(STORAGE_CLAIM)


def claim(store: Store, run: Run) -> None:
    """Make the storage the Pipeline's own, or raise `StorageClaimed` where it is another's."""
    mine = Claim(pipeline=run.pipeline, pipeline_uid=run.pipeline_uid)
    if store.write_if_absent(CLAIM, encode(mine)):
        return
    found = decode(store.read(CLAIM), Claim, f"{store.uri}/{CLAIM}")
    if found.pipeline_uid != run.pipeline_uid:
        raise StorageClaimed(
            f"The storage {store.uri} belongs to the Pipeline '{found.pipeline}' (uid {found.pipeline_uid}); give this "
            f"one a storage of its own, or remove {store.uri}/{CLAIM} if that Pipeline is gone for good."
        )


def move_claim(store: Store, old_uid: str, new: Claim) -> Claim | None:
    """Give the storage of one Pipeline to another, and return whose it was; None where it was nobody's.

    May be done again. No run of either may be at work in it.

    Raises:
        StorageClaimed: it is a third one's.
    """
    try:
        found = decode(store.read(CLAIM), Claim, f"{store.uri}/{CLAIM}")
    except KeyNotFound:
        return None
    if found.pipeline_uid not in (old_uid, new.pipeline_uid):
        raise StorageClaimed(
            f"The storage {store.uri} belongs to the Pipeline '{found.pipeline}' (uid {found.pipeline_uid}), so it is "
            f"not given to '{new.pipeline}'."
        )
    if found != new:
        store.write(CLAIM, encode(new))
    return found


@contextmanager
def lock_datasets(store: Store) -> Iterator[None]:
    """Hold the storage's datasets for this process alone; wait while another process has them."""
    path = store.local_path(_LOCK)
    if path is None:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report_progress(0, None, "Waiting for another dataset step of this storage")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
