"""A decision, carried out on the files of a home: its writes in their order, then the status, only where it differs."""

from dataclasses import dataclass

import msgspec

from penstock.decide.decision import ApiObject, Apply, Create, Decision, Delete, Patch, Refusal, Relabel
from penstock.decide.ownership import is_ours, name_taken
from penstock.decide.status import status_to_write
from penstock.local.objects import Object, Objects


@dataclass(frozen=True)
class Outcome:
    """What came of a decision: whether anything was written, and the write that could not be."""

    wrote: bool
    refused: Refusal | None = None


def carry_out(objects: Objects, subject: ApiObject, decision: Decision) -> Outcome:
    """Carry out what was decided about the subject; those writes that come after a refused one are not done."""
    wrote = False
    for write in decision.writes:
        if isinstance(write, Create):
            made, new = objects.create(write.object)
            if not new and not is_ours(made, write.object):
                return Outcome(wrote, name_taken(write.object))
            wrote = wrote or new
        else:
            wrote = _write(objects, write) or wrote
    if decision.status is not None:
        wrote = _write_status(objects, subject, decision.status) or wrote
    return Outcome(wrote)


def _write(objects: Objects, write: Relabel | Apply | Patch | Delete) -> bool:
    match write:
        case Relabel():
            return False  # all that is in the home is seen
        case Apply(object=made):
            return objects.apply(made) is not None
        case Patch():
            return objects.patch(write)
        case Delete():
            return objects.remove(write.kind, write.name, write.uid)


def _write_status(objects: Objects, subject: ApiObject, status: msgspec.Struct) -> bool:
    """Write the status of the very object that was decided about; where it has changed, it is decided again."""
    metadata = subject["metadata"]

    def how(there: Object) -> Object | None:
        same = all(there["metadata"].get(name) == metadata.get(name) for name in ("uid", "resourceVersion"))
        content = status_to_write(there, status) if same else None
        return None if content is None else {**there, "status": content}

    return objects.change(str(subject["kind"]), str(metadata["name"]), how) is not None
