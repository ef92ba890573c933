"""The objects of the home, as an API server would hold them: one JSON file each, with the metadata that a server gives.

What a run makes for itself (its Jobs, pods, specifications, results) is in the run's own folder, and goes with it. A
file is replaced whole, and every change is made under one lock, from the file as it is then: two processes at once lose
nothing, and one that is killed leaves the old file or the new.

A file that cannot be read is nobody's fault but its own: who lists a kind is told of it and goes on, who asks for that
very object is refused, and what is decided may ask whether there are such files. None is ever written again.
"""

import re
import shutil
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from penstock.api.decoding import CannotBeRead
from penstock.decide.decision import ApiObject, Patch
from penstock.decide.objects.children import LOOK, RUN_UID
from penstock.decide.times import write_time
from penstock.local.home import Home, write_atomically
from penstock.local.locks import hold_lock
from penstock.local.object_files import read_object, refusal, with_namespace
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.terminal_text import escape_controls

Object = dict[str, Any]
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_NOT_FLUSHED = ("Job", "Pod")  # what a power cut takes of these is made again
# What goes with its owner, by the kind of that; of a run it is all that lies in its folder.
_DEPENDENTS = {
    "Job": ("Job", "ConfigMap", "Pod"),
    "ControllerRevision": ("Job", "ConfigMap", "Pod"),
    "Pipeline": ("Deployment", "Service", "ConfigMap"),
}
_REVISIONS = "controllerrevisions"


def utc_now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


def new_uid() -> str:
    """Return a uid that nothing has."""
    return str(uuid.uuid4())


@dataclass(frozen=True)
class Objects:
    """The objects of a home; `clock` and `new_uid` are where time and chance come from.

    With a `run`, the uid of one, what is asked for is looked for among its own objects first; and likewise with that of
    a Trigger, which makes Jobs that look at files. What is passed over is told once, on standard error.
    """

    home: Home
    clock: Callable[[], datetime] = utc_now
    new_uid: Callable[[], str] = new_uid
    run: str | None = None
    _warned: set[str] = field(default_factory=set, compare=False, repr=False)
    _read: dict[Path, tuple[tuple[int, int, int], Object]] = field(default_factory=dict, compare=False, repr=False)

    def of_run(self, uid: str | None) -> "Objects":
        """Return the same objects, those of that run first."""
        return replace(self, run=uid)

    def of_trigger(self, uid: str) -> "Objects":
        """Return the same objects, the Jobs that look at files for that Trigger first."""
        return replace(self, run=uid)

    def now(self) -> str:
        """Return the time as objects say it."""
        return write_time(self.clock())

    def find(self, kind: str, name: str) -> Object | None:
        """Return the object of that name, or None. It is not to be changed in place.

        Raises:
            CannotBeRead: there is one, and its file cannot be read.
        """
        if not _NAME.fullmatch(name):
            return None
        return next((found for folder in self._folders(kind) if (found := self._load(folder / f"{name}.json"))), None)

    def names(self, kind: str) -> list[str]:
        """Return the names of all objects of the kind that are nobody's children, sorted."""
        return [path.stem for path in _files(self._folder(kind))]

    def all_of(self, kind: str) -> list[Object]:
        """Return all objects of the kind that are nobody's children and can be read, oldest first."""
        found, unreadable = self._all(self._folder(kind))
        for why in unreadable.values():
            self.pass_over(str(why))
        return found

    def unreadable(self, kind: str) -> list[str]:
        """Return the names of those objects of the kind, nobody's children, whose files cannot be read."""
        return list(self._all(self._folder(kind))[1])

    def own(self, kind: str) -> list[Object]:
        """Return the run's own objects of the kind, oldest first; those that are of no run where there is no run.

        Raises:
            CannotBeRead: the file of one cannot be read, and without it nobody knows how far the run has come.
        """
        if self.run is None:
            return self.all_of(kind)
        found, unreadable = self._all(self._folder(kind, self.run))
        for why in unreadable.values():
            raise why
        return found

    def pass_over(self, why: str) -> None:
        """Tell, once, of what cannot be read where something else is asked for."""
        if why not in self._warned:
            self._warned.add(why)
            sys.stderr.write(f"penstock: {escape_controls(why)}\n")

    def create(self, made: ApiObject) -> tuple[Object, bool]:
        """Put a new object there; return it, or the one that was there, and whether it is new."""
        kind, name = str(made["kind"]), str(made["metadata"]["name"])
        scope = self.of_run(_maker_of(made))
        with hold_lock(self.home.lock("resources")):
            there = scope.find(kind, name)
            if there is not None:
                return there, False
            given: Object = {"uid": self.new_uid(), "generation": 1, "creationTimestamp": self.now()}
            metadata = {**given, **made["metadata"], "resourceVersion": "1"}
            return scope._write({**made, "metadata": metadata}), True

    def change(self, kind: str, name: str, how: Callable[[Object], Object | None]) -> Object | None:
        """Replace the object by what `how` makes of it; return it, or None where nothing was written."""
        if self._compute_change(kind, name, how) is None:
            return None  # most often there is nothing to do, and nobody need wait for the lock
        with hold_lock(self.home.lock("resources")):
            changed = self._compute_change(kind, name, how)
            return None if changed is None else self._write(changed)

    def _compute_change(self, kind: str, name: str, how: Callable[[Object], Object | None]) -> Object | None:
        before = self.find(kind, name)
        after = None if before is None else how(before)
        if before is None or after is None or after == before:
            return None
        metadata = dict(after["metadata"])
        metadata["resourceVersion"] = str(int(before["metadata"].get("resourceVersion") or 0) + 1)
        if after.get("spec") != before.get("spec"):
            metadata["generation"] = (before["metadata"].get("generation") or 0) + 1
        return {**after, "metadata": metadata}

    def apply(self, made: ApiObject) -> Object | None:
        """Make the object as it is here; return it, or None where it was so."""
        created, new = self.create(made)
        if new:
            return created
        scope = self.of_run(_maker_of(made))
        return scope.change(
            str(made["kind"]), str(made["metadata"]["name"]), lambda there: _replace_content(there, made)
        )

    def patch(self, patch: Patch) -> bool:
        """Merge into an object that is there and can be read; return whether that changed it."""

        def how(there: Object) -> Object | None:
            stale = patch.resource_version not in (None, there["metadata"].get("resourceVersion"))
            if there["metadata"]["uid"] != patch.uid or stale:
                return None  # it is gone; or has changed, and what is to be done is decided again
            merged: Object = merge(there, patch.content)
            return merged

        try:
            return self.change(patch.kind, patch.name, how) is not None
        except CannotBeRead as error:  # of what is asked for here and now it is a by-product
            self.pass_over(str(error))
            return False

    def remove(self, kind: str, name: str, uid: str | None = None) -> bool:
        """Take the object away, with those that it owns; return whether it was there."""
        with hold_lock(self.home.lock("resources")):
            there = self.find(kind, name)
            if there is None or uid not in (None, there["metadata"]["uid"]):
                return False
            self._unlink(there)
            return True

    def _unlink(self, there: Object) -> None:
        """Take away what goes with the object, and the object last: who is killed in between finds it again."""
        uid, kind, name = there["metadata"]["uid"], str(there["kind"]), str(there["metadata"]["name"])
        for owned in _DEPENDENTS.get(kind, ()):
            for each in (*self.own(owned), *self.all_of(owned)):
                if _is_owned(each, uid):
                    self._unlink(each)
        if kind == "PipelineRun":
            self._clear_run(uid, uid)
        for folder in self._folders(kind):
            (folder / f"{name}.json").unlink(missing_ok=True)
        maker = (there["metadata"].get("labels") or {}).get(RUN_UID)
        if kind == "Model" and maker is not None and not self._is_run(maker):
            self._clear_run(maker, uid)

    def _clear_run(self, run: str, gone: str) -> None:
        """Empty the folder of a run that goes, or went; what it is stays as long as a Model that it made is there."""
        if not _NAME.fullmatch(run):
            return  # a uid that somebody wrote by hand, which may be the way to another folder
        folder = self.home.run(run)
        revisions = self._all(self._folder("ControllerRevision", run))[0]
        is_kept = any(self._has_owner_but(each, gone) for each in revisions)
        for path in (*_entries(folder), *_entries(folder / "objects")):
            if path.name != "objects" and not (is_kept and path.name == _REVISIONS):
                _remove_tree(path)
        for emptied in (folder / "objects", folder):
            with suppress(OSError):  # there is something in it, or it is not there
                emptied.rmdir()

    def _has_owner_but(self, there: Object, uid: str) -> bool:
        owners = there["metadata"].get("ownerReferences") or ()
        return any(owner["uid"] != uid and self._is_there(owner) for owner in owners)

    def _is_there(self, owner: Mapping[str, str]) -> bool:
        try:
            found = self.find(owner["kind"], owner["name"])
        except CannotBeRead:
            return True  # as far as anybody knows
        return found is not None and found["metadata"]["uid"] == owner["uid"]

    def _is_run(self, uid: str) -> bool:
        found, unreadable = self._all(self._folder("PipelineRun"))
        return bool(unreadable) or any(each["metadata"]["uid"] == uid for each in found)

    def _write(self, made: Object) -> Object:
        kind, metadata = str(made["kind"]), made["metadata"]
        name = str(metadata.get("name") or "")
        if not _NAME.fullmatch(name):
            raise Refused(f"metadata.name is {name!r}: a name has lower-case letters, digits, - and . only.")
        content = {**made, "metadata": {key: value for key, value in metadata.items() if key != "namespace"}}
        path = self._folder(kind, _maker_of(made)) / f"{name}.json"
        document = msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"
        write_atomically(path, document, flush=kind not in _NOT_FLUSHED)
        return with_namespace(content)

    def _folder(self, kind: str, run: str | None = None) -> Path:
        folder = f"{kind.lower()}s"
        return self.home.resources / folder if run is None else self.home.run(run) / "objects" / folder

    def _folders(self, kind: str) -> Iterator[Path]:
        if self.run is not None:
            yield self._folder(kind, self.run)
        yield self._folder(kind)

    def _all(self, folder: Path) -> tuple[list[Object], dict[str, CannotBeRead]]:
        """Return the objects in the folder, oldest first, and why the others, by name, cannot be read."""
        found: list[Object] = []
        unreadable = {}
        for path in _files(folder):
            try:
                loaded = self._load(path)
                found.extend([] if loaded is None else [loaded])
            except CannotBeRead as error:
                unreadable[path.stem] = error
        return sorted(found, key=_age), unreadable

    def _load(self, path: Path) -> Object | None:
        try:
            state = path.stat()
            stamp = (state.st_mtime_ns, state.st_size, state.st_ino)
            if path not in self._read or self._read[path][0] != stamp:
                self._read[path] = stamp, read_object(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise refusal(path, str(error.strerror)) from error
        return self._read[path][1]


def merge(there: Any, content: Any) -> Any:
    """Return the JSON merge patch of what is there."""
    if not isinstance(content, Mapping):
        return content
    merged = {**there} if isinstance(there, Mapping) else {}
    for name, value in content.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), value)
    return merged


def _replace_content(there: Object, made: ApiObject) -> Object:
    labels = {**(there["metadata"].get("labels") or {}), **(made["metadata"].get("labels") or {})}
    kept = {name: there[name] for name in ("status",) if name in there}
    return {**made, **kept, "metadata": {**there["metadata"], "labels": labels}}


def _maker_of(made: ApiObject) -> str | None:
    """Return the uid of the run, or Trigger, whose own object it is: Models outlive their runs, and are nobody's."""
    labels = made["metadata"].get("labels") or {}
    said = labels.get(RUN_UID) or labels.get(LOOK)
    return None if said is None or made["kind"] == "Model" else str(said)


def _age(found: Object) -> tuple[str, str]:
    return found["metadata"].get("creationTimestamp") or "", found["metadata"]["name"]


def _is_owned(there: Object, uid: str) -> bool:
    return any(owner.get("uid") == uid for owner in there["metadata"].get("ownerReferences") or ())


def _remove_tree(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except FileNotFoundError:
        return []


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in _entries(folder) if path.suffix == ".json" and path.name[0] != ".")
