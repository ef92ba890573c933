"""What a reconcile comes to: what is to be written, and when to look again. Values; `penstock.act` carries them out.

The order is part of the meaning. `writes` come first, one after the other, and each is such that it may be repeated:
whoever is killed after any of them and begins again comes to the same end. Then the status, once and only where it
differs. Then the events. A write that fails for a while ends the reconcile, and the same key is tried again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

ApiObject = Mapping[str, Any]
"""An object of Kubernetes as the API server has it: JSON, decoded, without `managedFields`. Never changed in place."""


@dataclass(frozen=True)
class Create:
    """Make the object, once.

    That it is there already is success where it is ours: where an owner reference of it has the uid of the new object's
    controller, or, for an object without owner, where the label `penstock.dev/run-uid` is the same. Otherwise it is a
    stranger's, and the write is refused: `NameConflict`.
    """

    object: ApiObject


@dataclass(frozen=True)
class Relabel:
    """Put back the labels of an object that was made and is not seen: it is looked for by its name.

    `object` is as it was made, but for its content. That it is gone, or a stranger's, is success. Where it is found,
    the rest of the decision is left, which was made without it, and the reconcile is done again.
    """

    object: ApiObject


@dataclass(frozen=True)
class Apply:
    """Make the object as it is here, by server-side apply with our field manager, conflicts forced."""

    object: ApiObject


@dataclass(frozen=True)
class Patch:
    """Merge `content` into an object that is there (JSON merge patch), where its uid is still this one.

    With `resource_version` it is refused where the object has changed since; the reconcile is then done again. That the
    object is gone is success.
    """

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str
    content: Mapping[str, Any]
    resource_version: str | None = None
    subresource: Literal["status"] | None = None

    @classmethod
    def of(cls, there: ApiObject, content: Mapping[str, Any]) -> "Patch":
        """Return the patch of exactly the object that is there."""
        return cls(*_identity(there), content)

    @classmethod
    def status_of(cls, there: ApiObject, content: Mapping[str, Any]) -> "Patch":
        """Return the patch of the status of the object as it is there, at that version."""
        version = str(there["metadata"]["resourceVersion"])
        return cls(*_identity(there), {"status": content}, version, "status")


@dataclass(frozen=True)
class Delete:
    """Delete the object, where its uid is still this one; its own children in the background. Gone is success."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str

    @classmethod
    def of(cls, there: ApiObject) -> "Delete":
        """Return the deletion of exactly the object that is there."""
        return cls(*_identity(there))


def _identity(there: ApiObject) -> tuple[str, str, str, str, str]:
    metadata = there["metadata"]
    said = there["apiVersion"], there["kind"], metadata["namespace"], metadata["name"], metadata["uid"]
    api_version, kind, namespace, name, uid = map(str, said)
    return api_version, kind, namespace, name, uid


Write = Create | Relabel | Apply | Patch | Delete


@dataclass(frozen=True)
class Refusal:
    """A write that the API server refused, and will refuse again until a person, or time, changes something.

    `decide` is then called once more at once, with it in the observation; what it says is written but for `writes`,
    which are tried again from the next reconcile on. Errors that pass by themselves never come here.

    Attributes:
        kind: that of the object.
        name: its name.
        code: the HTTP status.
        reason: `Invalid`, `Forbidden`, `QuotaExceeded`, `NameConflict`.
        message: the sentence of the API server.
    """

    kind: str
    name: str
    code: int
    reason: Literal["Invalid", "Forbidden", "QuotaExceeded", "NameConflict"]
    message: str


@dataclass(frozen=True)
class Event:
    """What `kubectl describe` shows of a change: made after the status, never twice for one change of a condition."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


class OnlyConditions(msgspec.Struct, frozen=True):
    """The conditions, as the API server has them, of an object that cannot be read: the rest of its status stays."""

    conditions: tuple[Mapping[str, Any], ...]
    observed_generation: int | None = None


@dataclass(frozen=True)
class Decision:
    """What is to be done now.

    `status` is the whole status as it should be, a struct of `penstock.api`, or `OnlyConditions`; None leaves it alone.
    What is written is `penstock.decide.status.status_to_write` of it. `requeue_after` is in seconds from now; None is
    when something that was observed changes. `warnings` are for the log: what was passed over and is in no conditions.
    """

    writes: tuple[Write, ...] = ()
    status: msgspec.Struct | None = None
    events: tuple[Event, ...] = field(default=())
    requeue_after: float | None = None
    warnings: tuple[str, ...] = ()
