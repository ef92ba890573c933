"""What a run writes down before its first file: where its files are, so that they can be deleted when it is."""

from penstock.decide.cleaning.record import RunFiles, record_name, record_object, record_of_run
from penstock.decide.decision import Create
from penstock.decide.objects.revision import Snapshot
from penstock.decide.run.draft import RunDraft
from penstock.decide.run.facts import RunFacts
from penstock.decide.run.plan import PlannedPart
from penstock.decide.run_state import status_of


def record_files(facts: RunFacts, draft: RunDraft, snapshot: Snapshot, parts: tuple[PlannedPart, ...]) -> RunDraft:
    """Return the draft in which the files of the run, under the execution name that it has, are recorded."""
    identity, index = facts.observation.identity, status_of(draft.run).run_index or 1
    if identity is None or record_name(facts.owner, index) in facts.observation.files:
        return draft
    places = facts.places(snapshot, status_of(draft.run).execution_name or "")
    workers = next((part.workers for part in parts if part.name == "training"), 0)
    record = record_of_run(facts.owner, RunFiles(places, workers), identity)
    return draft.with_writes(Create(record_object(facts.owner, record, index)))
