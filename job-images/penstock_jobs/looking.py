"""A look at the files of an input: what arrived, or changed, since the looks before. Nothing of them is opened.

Each memory is a file of its own that is put only where none is, under the number after that of the one that was read.
So of two looks at once one comes first, and the other looks again.
"""

from datetime import datetime

from penstock_jobs.contract import document
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import LookResult
from penstock_jobs.contract.specification import InputSpec, LookJob
from penstock_jobs.logs import log
from penstock_jobs.look_memory import Listing, LookMemory, listing_of, remember, take_as_known
from penstock_jobs.storage import KeyNotFound, Store, open_store
from penstock_jobs.storage.matching import matching_files

MOST_FILES = 200_000  # of one input: what is remembered of them is read, and often written, at each look
_KEPT = 2  # memories: a look that is slow may still read the one before


def look(job: LookJob, now: datetime) -> LookResult:
    """Look at the files of the input, remember them, and return what is announced.

    Raises:
        Refused: the credentials do not allow it, there is no such bucket, or there are too many files.
        Unavailable: the storage did not answer.
    """
    listing, store = _list_files(job.input), open_store(job.memory)
    while True:
        number, before = read_memory(store)
        if before is not None and before.begin > job.begin:
            raise Refused("The Trigger has changed since this look was asked for; nothing was remembered.")
        first = before is None or before.begin < job.begin
        if before is None or first:
            after = take_as_known(job.begin, listing)
        else:
            after = remember(before, listing, job.dealt_with, now)
        if after == before or _write_memory(store, number + 1, after):
            break
    log.info("%s has %d files, of which %d are not settled.", job.input.location.uri, len(listing), len(after.fresh))
    return LookResult(files=len(listing), unsettled=len(after.fresh), first=first, arrival=after.arrival)


def read_memory(store: Store) -> tuple[int, LookMemory | None]:
    """Return the newest memory and its number; 0 where there is none.

    Raises:
        Refused: it cannot be read; nothing is written over it then.
    """
    while True:
        number = max(_numbers(store), default=0)
        if not number:
            return 0, None
        try:
            content = store.read(_key(number))
        except KeyNotFound:
            continue  # two looks have been here since
        return number, document.decode(content, LookMemory, f"{store.uri}/{_key(number)}")


def _write_memory(store: Store, number: int, memory: LookMemory) -> bool:
    """Put the memory under that number; return whether it is the newest, and so was made of the newest."""
    if not store.write_if_absent(_key(number), document.encode(memory)):
        return False
    numbers = _numbers(store)
    if max(numbers) > number:  # others have gone so far on that what was in the way is away again
        store.delete(_key(number))
        return False
    for old in sorted(numbers)[:-_KEPT]:
        store.delete(_key(old))
    return True


def _list_files(declared: InputSpec) -> Listing:
    # A Delta table is found by its log: what is declared to be one and has none yet has no files.
    found = matching_files(declared.location)
    if declared.format == "Delta" and not found.is_delta:
        return {}
    if len(found.files) > MOST_FILES:
        raise Refused(
            f"{declared.location.uri}, the uri of the input '{declared.name}' (spec.dataset.inputs), names "
            f"{len(found.files):,} files, and a Trigger looks at {MOST_FILES:,} at most; name fewer by a narrower one."
        )
    return listing_of(found.files)


def _key(number: int) -> str:
    return f"look-{number}.json"


def _numbers(store: Store) -> list[int]:
    said = (key.removeprefix("look-").removesuffix(".json") for key in store.keys("look-"))
    return [int(each) for each in said if each.isdigit()]
