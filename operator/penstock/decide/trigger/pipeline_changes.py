"""The source `pipeline`: a run for each change of the Pipeline's spec that matters to a job of the run.

What matters is a digest of what the jobs read. The first that is seen is no change, so that it makes no difference
which of the two was applied first. While a run is live under `Forbid`, a change waits for its end: the digest stays as
it was, and what has changed back by then starts nothing.
"""

from collections.abc import Iterator

from penstock.api.pipeline import Pipeline
from penstock.api.run import TriggeringEvent
from penstock.decide.decision import ApiObject
from penstock.decide.job_inputs import inputs_digest
from penstock.decide.times import write_time
from penstock.decide.trigger import own_runs
from penstock.decide.trigger.concurrency import room_for_run
from penstock.decide.trigger.draft import TriggerDraft
from penstock.decide.trigger.facts import TriggerFacts
from penstock.decide.trigger.firing_words import fired
from penstock.decide.trigger.occasion import PIPELINE_CHANGED, Occasion, on_event
from penstock.decide.trigger.start import start_run


def follow_pipeline(facts: TriggerFacts, draft: TriggerDraft) -> TriggerDraft:
    """Return the draft in which a change that matters has its run, or it is said why not.

    Raises:
        Refused: the Pipeline does not describe a job that the runs do.
    """
    for run in _unrecorded(facts):
        draft = draft.record(fired(run)).status(
            pipeline_digest=digest_of(run), last_schedule_time=own_runs.scheduled_time(run)
        )
    pipeline = facts.pipeline
    if pipeline is None:
        return draft  # what it is now is nobody's to say
    digest = inputs_digest(pipeline.spec, [job.name for job in facts.spec.run.jobs])
    if digest == draft.current.pipeline_digest:
        return draft
    if draft.current.pipeline_digest is None:
        return draft.status(pipeline_digest=digest)
    occasion = _occasion(facts, pipeline, digest)
    if facts.run_for(occasion) is None:
        if room_for_run(facts).held_by is not None:
            return draft
        draft, said = start_run(facts, draft, occasion)
        draft = draft.record(said)
    return draft.status(pipeline_digest=digest, last_schedule_time=write_time(occasion.time))


def digest_of(run: ApiObject) -> str | None:
    """Return the digest of what the run was made for, where it was made for a change of the Pipeline."""
    event = own_runs.event_of(run) or {}
    return str(event.get("id")).partition("-")[2] if event.get("type") == PIPELINE_CHANGED else None


def _occasion(facts: TriggerFacts, pipeline: Pipeline, digest: str) -> Occasion:
    event = TriggeringEvent(
        # With the generation: a spec that is as it was once before has changed all the same.
        id=f"{pipeline.metadata.generation or 0}-{digest}",
        source=pipeline.metadata.name,
        type=PIPELINE_CHANGED,
        time=facts.time,
    )
    return on_event(event, facts.now)


def _unrecorded(facts: TriggerFacts) -> Iterator[ApiObject]:
    """Yield the runs that were made, and of which the status was not written."""
    status, known = facts.status, {each.run for each in facts.status.history}
    last = status.last_schedule_time or status.start_time or ""
    for run in facts.own_runs:
        new = own_runs.scheduled_time(run) >= last and run["metadata"]["name"] not in known
        if new and digest_of(run) is not None and own_runs.has_generation(run, facts.generation):
            yield run
