"""What the operator last saw of the cluster.

Filled by watching, by the answers to our own writes, and rebuilt by every list: what is in no list is forgotten, though
no watch ever said that it went. Nothing older ever takes the place of something newer, so that no decision is made on a
view older than our own last write. Versions are compared as numbers, within one kind, as the API server's own clients
do; uids tell an object from one made later under its name.

Objects are kept as compressed JSON: a fraction of what Python values weigh, and nobody can change them in place.
"""

import math
from collections.abc import Callable, Collection, Container, Iterable, Sequence
from dataclasses import dataclass
from sys import intern
from typing import overload

import msgspec

from penstock.act.packing import Packing, unpack
from penstock.act.trimming import trim
from penstock.decide.observed.listers import RunSummary, summary_of
from penstock.kubernetes.kinds import Key, Object, key_of

MOST_TOMBSTONES = 10_000  # uids of objects that went, of which an event may still be on its way

IndexFunction = Callable[[Object], Iterable[str]]


@dataclass(slots=True)
class _Entry:
    uid: str
    version: int
    content: bytes
    sample: bytes
    marks: tuple[str, ...]
    summary: RunSummary | None
    applied: bytes | None = None  # the digest of what we made of it, where this version is what came of that


class ObjectCache:
    """Objects by key, and by the marks that `marks` gives each (as the uid of its owner)."""

    def __init__(self, marks: IndexFunction) -> None:
        self._marks = marks
        self._packing = Packing()
        self._entries: dict[Key, _Entry] = {}
        self._marked: dict[str, Key | set[Key]] = {}  # most marks are those of one object only
        self._buried: dict[str, float] = {}  # the version at which each went, in the order of their going

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key) -> Object | None:
        """Return the object, a copy of one's own, or None."""
        entry = self._entries.get(key)
        return None if entry is None else _unpack_entry(entry)

    def by_index(self, mark: str, kind: str | None = None, without: str | None = None) -> Sequence[Object]:
        """Return the objects with that mark by key, each unpacked when it is looked at.

        Args:
            mark: the mark.
            kind: only those of this kind.
            without: the uid of one that is left out.
        """
        keys = sorted(key for key in self._keys(mark) if kind is None or key.kind == kind)
        return _Unpacking([entry for key in keys if (entry := self._entries[key]).uid != without])

    def summaries(self, mark: str, without: str | None = None) -> list[RunSummary]:
        """Return the summaries of the runs with that mark, but for the one of the uid `without`; none is unpacked."""
        entries = (self._entries[key] for key in self._keys(mark))
        return [each.summary for each in entries if each.summary is not None and each.uid != without]

    def keys_by_index(self, mark: str) -> frozenset[Key]:
        """Return the keys of the objects with that mark."""
        return frozenset(self._keys(mark))

    def keys(self, kind: str) -> list[Key]:
        """Return the keys of all objects of a kind."""
        return [key for key in self._entries if key.kind == kind]

    def put(self, found: Object) -> bool:
        """Take in an object that was seen or written; False where it is no news: older, or the same but its version."""
        key, uid, version = key_of(found), found["metadata"]["uid"], version_of(found)
        if version <= self._buried.get(uid, -math.inf):
            return False
        self._buried.pop(uid, None)  # a label was taken off and put back: a watch of that label says deleted, and added
        known = self._entries.get(key)
        # Of two objects under one name the later version is the later object: versions count over the whole kind.
        if known is not None and known.version >= version:
            return False
        kept = trim(found)
        content = _encode(kept)
        if known is not None and known.uid == uid and unpack(known.content, known.sample) == content:
            known.version, known.applied = version, None
            return False
        self._remove(key)
        # Marks and names repeat over and over; each is kept once.
        marks = tuple(intern(mark) for mark in self._marks(kept))
        key = Key(intern(key.kind), intern(key.namespace), key.name)
        summary = summary_of(kept) if key.kind == "PipelineRun" else None
        self._entries[key] = _Entry(uid, version, *self._packing.pack(key.kind, content), marks, summary)
        for mark in marks:
            self._add_to_index(mark, key)
        return True

    def is_behind(self, key: Key, uid: str, version: int) -> bool:
        """Return whether an object that is there at that version is not known so, and is not known to have gone."""
        known = self._entries.get(key)
        current = known is not None and known.version >= version
        return not current and version > self._buried.get(uid, -math.inf)

    def note_applied(self, key: Key, digest: bytes, version: int) -> None:
        """Remember, as long as the object is there at that version, of what we made it so."""
        entry = self._entries.get(key)
        if entry is not None and entry.version == version:
            entry.applied = digest

    def is_as_applied(self, key: Key, digest: bytes) -> bool:
        """Return whether the object is as we left it when we made it so of the same."""
        entry = self._entries.get(key)
        return entry is not None and entry.applied == digest

    def leave_tombstone(self, key: Key, uid: str, version: float = math.inf) -> bool:
        """Forget the object of that uid: it went at that version, or for good where none is said."""
        self._buried[uid] = max(version, self._buried.get(uid, -math.inf))
        while len(self._buried) > MOST_TOMBSTONES:
            del self._buried[next(iter(self._buried))]
        known = self._entries.get(key)
        if known is None or known.uid != uid:
            return False
        self._remove(key)
        return True

    def missing(self, kind: str, namespace: str | None, listed: Container[Key], version: str) -> list[tuple[Key, str]]:
        """Return the keys and uids of what was there at the moment of a list and is not in it: it went.

        What was seen or written after that moment is not among them.
        """
        moment = int(version)
        return [
            (key, entry.uid)
            for key, entry in self._entries.items()
            if key.kind == kind
            and (namespace is None or key.namespace == namespace)
            and key not in listed
            and entry.version <= moment
        ]

    def _remove(self, key: Key) -> None:
        entry = self._entries.pop(key, None)
        for mark in entry.marks if entry else ():
            marked = self._marked[mark]
            if isinstance(marked, set) and len(marked) > 1:
                marked.discard(key)
            else:
                del self._marked[mark]

    def _add_to_index(self, mark: str, key: Key) -> None:
        marked = self._marked.setdefault(mark, key)
        if isinstance(marked, set):
            marked.add(key)
        elif marked != key:
            self._marked[mark] = {marked, key}

    def _keys(self, mark: str) -> Collection[Key]:
        found = self._marked.get(mark)
        if found is None:
            return ()
        return found if isinstance(found, set) else (found,)


def version_of(found: Object) -> int:
    """Return the version of an object, as a number that grows."""
    return int(found["metadata"]["resourceVersion"])


class _Unpacking(Sequence[Object]):
    def __init__(self, entries: list[_Entry]) -> None:
        self._entries = entries

    def __len__(self) -> int:
        return len(self._entries)

    @overload
    def __getitem__(self, index: int) -> Object: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Object]: ...
    def __getitem__(self, index: int | slice) -> Object | Sequence[Object]:
        if isinstance(index, slice):
            return _Unpacking(self._entries[index])
        return _unpack_entry(self._entries[index])


def _encode(found: Object) -> bytes:
    """Return the object without its version, so that a change of nothing else is seen to be none."""
    metadata = {name: value for name, value in found["metadata"].items() if name != "resourceVersion"}
    return msgspec.json.encode(found | {"metadata": metadata})


def _unpack_entry(entry: _Entry) -> Object:
    found = msgspec.json.decode(unpack(entry.content, entry.sample), type=Object)
    found["metadata"]["resourceVersion"] = str(entry.version)
    return found
