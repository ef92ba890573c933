"""Whose an object is that has the name of one that is to be made."""

from penstock.decide.decision import ApiObject, Refusal
from penstock.decide.objects.children import RECORD, RUN_UID, Owner
from penstock.decide.observed.listers import pipeline_of


def controller_uid(child: ApiObject) -> str | None:
    """Return the uid of the controller of an object, where it has one."""
    references = child["metadata"].get("ownerReferences") or ()
    return next((str(each["uid"]) for each in references if each.get("controller")), None)


def is_ours(found: ApiObject, made: ApiObject) -> bool:
    """Return whether the object that is there is the one that was to be made: of the same owner, or the same run."""
    wanted = controller_uid(made)
    if wanted is not None:
        return any(each.get("uid") == wanted for each in found["metadata"].get("ownerReferences") or ())
    asked, there = made["metadata"].get("labels") or {}, found["metadata"].get("labels") or {}
    # The uid of its run, or of what it is a record of.
    said = [label for label in (RUN_UID, RECORD) if label in asked]
    return bool(said) and all(there.get(label) == asked[label] for label in said)


def run_owner(run: ApiObject) -> Owner:
    """Return a run as the owner of its children."""
    metadata = run["metadata"]
    return Owner(metadata["namespace"], metadata["name"], metadata["uid"], pipeline_of(run))


def name_taken(made: ApiObject) -> Refusal:
    """Return what is said of an object whose name a stranger's has."""
    kind, metadata = str(made["kind"]), made["metadata"]
    place = f"{metadata.get('namespace') or ''}/{metadata['name']}"
    sentence = f"{kind} {place} is there already and belongs to something else; rename it or delete it."
    return Refusal(kind, str(metadata["name"]), 409, "NameConflict", sentence)
