"""A decision, carried out: its writes in their order, the status once and only if it differs, then the events.

Each answer goes into the cache at once, so that the next look is never older than what was written here. Whoever is
killed in between begins again: each write may be repeated.
"""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import msgspec

from penstock.act.cache import version_of
from penstock.act.view import View
from penstock.decide.decision import Apply, Create, Decision, Delete, Patch, Refusal, Relabel, Write
from penstock.decide.ownership import is_ours, name_taken
from penstock.decide.status import status_to_write
from penstock.kubernetes.client import Client
from penstock.kubernetes.errors import AlreadyExists, ApiError, Conflict, NotFound, Rejected
from penstock.kubernetes.event import event_object
from penstock.kubernetes.kinds import BY_NAME, Key, Object, key_of, kind_of

log = logging.getLogger(__name__)


class WriteRefused(Exception):
    """A write that the API server refused, for a reason that a decision can name."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"{refusal.kind} {refusal.name}: {refusal.message}")
        self.refusal = refusal


@dataclass
class Applier:
    """Carries decisions out.

    Args:
        client: what writes.
        view: what is told of each answer.
        instance: which operator it is, for the events.
        now: the time, for the events.
    """

    client: Client
    view: View
    instance: str
    now: Callable[[], datetime]

    async def carry_out(self, subject: Object, decision: Decision) -> bool:
        """Carry out what was decided about the subject, and return whether anything was written.

        Raises:
            WriteRefused: one of the writes; those before it are done, nothing after it.
            ApiError: of any other class; the same.
        """
        wrote = False
        for write in decision.writes:
            done = await self._write(write)
            if done and isinstance(write, Relabel):
                return True
            wrote = done or wrote
        if decision.status is not None:
            wrote = await self._write_status(subject, decision.status) or wrote
        for told in decision.events:
            await self._tell(event_object(subject, told, self.instance, self.now()))
        return wrote

    async def _write(self, write: Write) -> bool:
        try:
            match write:
                case Create(object=made):
                    return await self._create(dict(made))
                case Relabel(object=made):
                    return await self._relabel(dict(made))
                case Apply(object=made):
                    return await self._apply(dict(made))
                case Patch():
                    return await self._patch(write)
                case Delete():
                    return await self._delete(write)
        except Rejected as error:
            raise WriteRefused(_refusal(write, error)) from error

    async def _create(self, made: Object) -> bool:
        key = key_of(made)
        known = self.view.cache.get(key)
        if known is not None and is_ours(known, made) and not _missing_labels(known, made):
            return False
        try:
            self.view.on_update(await self.client.create(made))
        except AlreadyExists:
            found = await self.client.get(kind_of(made), key.namespace, key.name)
            if found is None:
                raise Conflict(409, "Conflict", f"{key} was there and is gone.") from None
            if not is_ours(found, made):
                raise WriteRefused(name_taken(made)) from None
            return await self._take_in(found, made)
        return True

    async def _relabel(self, made: Object) -> bool:
        key = key_of(made)
        found = await self.client.get(kind_of(made), key.namespace, key.name)
        return found is not None and is_ours(found, made) and await self._take_in(found, made)

    async def _take_in(self, found: Object, made: Object) -> bool:
        """Take in a child that was made before, and put back the labels by which it is found where they were taken off.

        Where that is no news nothing was written, so that nobody looks again at once, over and over.
        """
        missing = _missing_labels(found, made)
        if missing:
            content = {"metadata": {"labels": missing, "uid": found["metadata"]["uid"]}}
            found = await self.client.patch(kind_of(made), key_of(made).namespace, key_of(made).name, content)
        return self.view.on_update(found)

    async def _apply(self, made: Object) -> bool:
        key, digest = key_of(made), _digest(made)
        known = self.view.cache.get(key)
        if self.view.cache.is_as_applied(key, digest):
            return False  # it is as we left it
        found = await self.client.apply(made)
        wrote = self._take_note(known, found)
        self.view.cache.note_applied(key, digest, version_of(found))
        return wrote

    async def _patch(self, write: Patch) -> bool:
        kind = BY_NAME[write.kind]
        metadata = {**write.content.get("metadata", {}), "uid": write.uid}
        if write.resource_version is not None:
            metadata["resourceVersion"] = write.resource_version
        content = {**write.content, "metadata": metadata}
        known = self.view.cache.get(Key(write.kind, write.namespace, write.name))
        try:
            found = await self.client.patch(kind, write.namespace, write.name, content, write.subresource)
        except NotFound:
            return False
        except Conflict:
            there = await self.client.get(kind, write.namespace, write.name)
            if there is None or there["metadata"]["uid"] != write.uid:
                return False
            self.view.on_update(there)
            raise
        return self._take_note(known, found)

    async def _delete(self, write: Delete) -> bool:
        key = Key(write.kind, write.namespace, write.name)
        try:
            found = await self.client.delete(BY_NAME[write.kind], write.namespace, write.name, write.uid)
        except Conflict:
            found = None  # another object has its name by now, so that one is gone
        if found is None:
            self.view.on_delete(key, write.uid)
        else:
            self.view.on_update(found)
        return True

    async def _write_status(self, subject: Object, status: msgspec.Struct) -> bool:
        content = status_to_write(subject, status)
        if content is None:
            return False
        metadata = subject["metadata"]
        asked = {name: metadata[name] for name in ("name", "namespace", "resourceVersion")}
        made = {
            "apiVersion": subject["apiVersion"],
            "kind": subject["kind"],
            "metadata": asked,
            "status": content,
        }
        try:
            found = await self.client.apply(made, "status")
        except NotFound:
            return False  # deleted meanwhile: there is nobody to tell
        except Conflict:
            await self.refresh(key_of(subject))
            raise
        return self._take_note(subject, found)

    def _take_note(self, before: Object | None, found: Object) -> bool:
        """Take in what a write came to; return whether it changed the object, as far as that was known.

        Definitions of another version may take away what is written: to write it again at once would be for ever.
        """
        self.view.on_update(found)
        return before is None or version_of(before) != version_of(found)

    async def refresh(self, key: Key) -> None:
        """Look at the object itself, where the cache was found to be behind."""
        found = await self.client.get(BY_NAME[key.kind], key.namespace, key.name)
        if found is not None:
            self.view.on_update(found)
        elif (known := self.view.cache.get(key)) is not None:
            self.view.on_delete(key, known["metadata"]["uid"])

    async def _tell(self, made: Object) -> None:
        """Make an event. It is told once at most: nothing is tried again for one that is lost."""
        try:
            await self.client.create(made)
        except AlreadyExists:
            pass
        except ApiError as error:
            log.warning("An event could not be written: %s", error)


def _refusal(write: Write, error: Rejected) -> Refusal:
    kind, name = (
        (write.object["kind"], write.object["metadata"]["name"])
        if isinstance(write, Create | Relabel | Apply)
        else (write.kind, write.name)
    )
    reason: Literal["Invalid", "Forbidden", "QuotaExceeded"] = "Invalid"
    if error.status == 403:
        # A quota has no reason of its own on the wire.
        reason = "QuotaExceeded" if "exceeded quota" in str(error) else "Forbidden"
    return Refusal(kind, name, error.status, reason, str(error))


def _missing_labels(found: Object, made: Object) -> dict[str, str]:
    """Return those of the labels that it was made with which the object has not, or has otherwise."""
    there = found["metadata"].get("labels") or {}
    return {name: value for name, value in (made["metadata"].get("labels") or {}).items() if there.get(name) != value}


def _digest(made: Object) -> bytes:
    return hashlib.sha256(msgspec.json.encode(made)).digest()
