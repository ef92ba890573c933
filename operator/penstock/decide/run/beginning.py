"""How a run begins: what it is is recorded before anything is made of it, and its name before the first Job."""

from penstock.api.not_yet import not_yet
from penstock.api.schema import JobName
from penstock.decide import reasons
from penstock.decide.decision import ApiObject, Create
from penstock.decide.execution_name import first_free
from penstock.decide.objects.children import revision_name
from penstock.decide.objects.revision import Snapshot, revision, snapshot_of
from penstock.decide.overriding import taken
from penstock.decide.run.draft import Draft
from penstock.decide.run.earlier import taken_over
from penstock.decide.run.facts import Facts
from penstock.decide.run.pods import Wait
from penstock.decide.run_state import pending, status_of, wanted_jobs
from penstock.decide.summaries import address
from penstock_jobs.errors import Refused

MOST_INDEXES = 100  # names of one wish that are tried in a storage that another cluster has used too


def begun(facts: Facts, draft: Draft) -> Draft | Wait:
    """Return the draft in which the run has a snapshot, a name and its steps, or why it does not begin.

    Raises:
        Refused: what is asked for cannot be done.
    """
    refuse_unfinished("PipelineRun", facts.observation.run)
    snapshot = facts.snapshot
    if snapshot is None:
        pipeline = facts.pipeline
        if pipeline is None or facts.observation.pipeline is None:
            return Wait(reasons.PIPELINE_NOT_FOUND, reasons.pipeline_not_found(facts.pipeline_name))
        refuse_unfinished("Pipeline", facts.observation.pipeline)
        pipeline = taken(pipeline, facts.run.spec.overrides)
        facts.observation.site.refuse_inputs(pipeline.spec)
        snapshot = snapshot_of(pipeline, facts.run.spec, facts.observation.settings)
        draft = draft.writing(Create(revision(facts.owner, snapshot)))
    jobs = jobs_of(facts, snapshot)
    ready = taken_over(facts, draft, jobs)
    if isinstance(ready, Wait):
        return ready if facts.snapshot is not None else draft  # what it is is recorded all the same
    return _named(facts, ready, snapshot, jobs)


def jobs_of(facts: Facts, snapshot: Snapshot) -> tuple[JobName, ...]:
    """Return the jobs that the run does, in their order; there is at least one."""
    jobs = wanted_jobs(snapshot.pipeline.spec, tuple(request.name for request in facts.run.spec.jobs))
    if not jobs:
        raise Refused(reasons.no_job(facts.pipeline_name))
    return jobs


def renamed(facts: Facts, draft: Draft, snapshot: Snapshot) -> Draft:
    """Return the draft with the next name: the storage has files of another run under the one it has."""
    wish, taken, index = _wish(facts), facts.observation.runs.execution_names(), facts.index
    if index >= MOST_INDEXES:
        raise Refused(reasons.names_taken(wish, index))
    name, index = first_free(wish, taken, index + 1)
    storage = address(facts.places(snapshot, name).run().uri)
    return draft.status(execution_name=name, run_index=index, storage=storage)


def refuse_unfinished(kind: str, there: ApiObject) -> None:
    """Refuse an object that names what nothing implements yet."""
    fault = next(not_yet(kind, there, laptop=False), None)
    if fault is not None:
        raise Refused(f"{fault.field} {fault.sentence}.")


def _named(facts: Facts, draft: Draft, snapshot: Snapshot, jobs: tuple[JobName, ...]) -> Draft:
    status = status_of(draft.run)
    name, index = status.execution_name, status.run_index
    if name is None:
        name, index = first_free(_wish(facts), facts.observation.runs.execution_names())
    return draft.status(
        execution_name=name,
        run_index=index,
        revision=revision_name(facts.owner),
        pipeline_uid=snapshot.pipeline.metadata.uid,
        storage=address(facts.places(snapshot, name).run().uri),
        start_time=status.start_time or facts.time,
        steps=status.steps or pending(jobs),
    )


def _wish(facts: Facts) -> str:
    return facts.run.spec.execution_name or facts.name
