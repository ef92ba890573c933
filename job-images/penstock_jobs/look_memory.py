"""What looks at the files of an input remember: which version of each is known, and what is announced.

A file counts once two looks one after the other saw the same version of it, since it may be in the middle of being
written. What counts is announced together, and the same until somebody has dealt with it; what settles meanwhile waits.
So each version of a file is announced once, wherever whoever looks, or listens, is killed.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import islice
from typing import ClassVar

import msgspec

from penstock_jobs.contract.document import Form, VersionedDocument, format_of
from penstock_jobs.contract.result import Arrival
from penstock_jobs.storage import StoredFile

LOOK_MEMORY = Form("look-memory", 1, since="0.1.0")
MOST_GONE = 100_000  # files that went and whose version is still known: a volume that is away for a while is no news
MOST_NAMED = 10
LONGEST_NAMES = 1500  # bytes of all names of an arrival, which is told in a termination message

Listing = Mapping[str, str]
"""The version of each file, by its key."""


class LookMemory(VersionedDocument, frozen=True, kw_only=True):
    """The memory of the looks under one beginning; files are told by their keys, and versions by size and tag.

    `known` are the versions that count no more, of the files that are there, and `gone` those of files that went, the
    newest last. `fresh` were seen once. `arrival` is announced, and the last of `number`.
    """

    form: ClassVar[Form] = LOOK_MEMORY

    begin: int
    number: int = 0
    known: dict[str, str] = {}
    fresh: dict[str, str] = {}
    gone: dict[str, str] = {}
    arrival: Arrival | None = None
    format: str = format_of(LOOK_MEMORY)


def listing_of(files: Iterable[StoredFile]) -> Listing:
    """Return the version of each file: its size, and what the store tells versions by."""
    return {each.key: f"{each.size} {each.version}" for each in files}


def take_as_known(begin: int, listing: Listing) -> LookMemory:
    """Return what the first look remembers: all that is there is known."""
    return LookMemory(begin=begin, known=dict(listing))


def remember(before: LookMemory, listing: Listing, dealt_with: str | None, now: datetime) -> LookMemory:
    """Return what a look remembers that sees these files, once that arrival was dealt with."""
    waits = before.arrival is not None and before.arrival.id != dealt_with
    past = before.gone | before.known
    changed = {key: version for key, version in listing.items() if past.get(key) != version}
    settled = {} if waits else {key: version for key, version in changed.items() if before.fresh.get(key) == version}
    known = {key: past[key] for key in listing if key in past} | settled
    gone = {key: version for key, version in past.items() if key not in listing}
    number = before.number + bool(settled)
    return LookMemory(
        begin=before.begin,
        number=number,
        known=known,
        fresh={key: version for key, version in changed.items() if key not in settled},
        gone=dict(islice(gone.items(), max(0, len(gone) - MOST_GONE), None)),
        arrival=before.arrival if waits else _arrival(before.begin, number, settled, now) if settled else None,
    )


def _arrival(begin: int, number: int, settled: Listing, now: datetime) -> Arrival:
    # With the number: a file that is as it was once before has changed all the same.
    identity = hashlib.sha256(msgspec.json.encode([begin, number, sorted(settled.items())])).hexdigest()
    return Arrival(
        id=identity[:20],
        time=now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        count=len(settled),
        bytes=sum(int(version.partition(" ")[0]) for version in settled.values()),
        names=_first_names(sorted(settled)),
    )


def _first_names(names: Iterable[str]) -> tuple[str, ...]:
    found: list[str] = []
    for name in islice(names, MOST_NAMED):
        if sum(len(each.encode()) for each in (*found, name)) > LONGEST_NAMES:
            break
        found.append(name)
    return tuple(found)
