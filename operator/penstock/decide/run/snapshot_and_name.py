"""How a run begins: what it is is recorded before anything is made of it, and its name before the first Job."""

from penstock.api.pipeline import Pipeline
from penstock.api.run import Step
from penstock.api.schema import JobName
from penstock.api.unimplemented import refuse_unimplemented
from penstock.decide import messages, reasons
from penstock.decide.cleaning.record import record_name
from penstock.decide.decision import Create
from penstock.decide.execution_name import first_free, with_index
from penstock.decide.objects.children import revision_name
from penstock.decide.objects.revision import Snapshot, revision, snapshot_of
from penstock.decide.observed.pods import Wait
from penstock.decide.overriding import override_pipeline
from penstock.decide.parameters import run_parameters
from penstock.decide.run.draft import RunDraft
from penstock.decide.run.facts import RunFacts
from penstock.decide.run.record_results import figures_of
from penstock.decide.run.rerun import snapshot_of_rerun
from penstock.decide.run.reuse import reuse_results
from penstock.decide.run_state import pending_steps, select_jobs, status_of
from penstock.decide.summaries import address, parameters_in_words
from penstock_jobs.contract.errors import Refused

MOST_INDEXES = 100  # names of one wish that are tried in a storage that another cluster has used too


def begin_run(facts: RunFacts, draft: RunDraft) -> RunDraft | Wait:
    """Return the draft in which the run has a snapshot, a name and its steps, or why it does not begin.

    Raises:
        Refused: what is asked for cannot be done.
    """
    refuse_unimplemented("PipelineRun", facts.observation.run)
    snapshot = facts.snapshot
    if snapshot is None:
        pipeline = facts.pipeline
        if pipeline is None or facts.observation.pipeline is None:
            return Wait(reasons.PIPELINE_NOT_FOUND, messages.pipeline_not_found(facts.pipeline_name))
        refuse_unimplemented("Pipeline", facts.observation.pipeline)
        taken = _take_snapshot(facts, pipeline)
        if isinstance(taken, Wait):
            return taken
        snapshot = taken
        draft = draft.with_writes(Create(revision(facts.owner, snapshot)))
    jobs = jobs_of(facts, snapshot)
    ready = reuse_results(facts, draft, snapshot, jobs)
    if isinstance(ready, Wait):
        return ready if facts.snapshot is not None else draft  # what it is is recorded all the same
    return _name_run(facts, ready, snapshot, jobs)


def _take_snapshot(facts: RunFacts, pipeline: Pipeline) -> Snapshot | Wait:
    """Return what the run is: the Pipeline as it is now, or what the run was that it repeats."""
    asked = facts.run.spec
    if asked.rerun_of is not None:
        return snapshot_of_rerun(facts, asked.rerun_of, pipeline)
    rights_checked = facts.observation.settings.rights_checked
    pipeline = override_pipeline(pipeline, asked.overrides, rights_checked=rights_checked)
    facts.observation.site.refuse_inputs(pipeline.spec)
    parameters = run_parameters(pipeline.spec, asked, asked.trigger.scheduled_time if asked.trigger else None)
    return snapshot_of(pipeline, asked, facts.observation.settings, parameters)


def jobs_of(facts: RunFacts, snapshot: Snapshot) -> tuple[JobName, ...]:
    """Return the jobs that the run does, in their order; there is at least one."""
    if snapshot.repetition is not None:
        return snapshot.repetition.jobs
    jobs = select_jobs(snapshot.pipeline.spec, tuple(request.name for request in facts.run.spec.jobs))
    if not jobs:
        raise Refused(messages.no_job(facts.pipeline_name))
    return jobs


def take_next_name(facts: RunFacts, draft: RunDraft, snapshot: Snapshot) -> RunDraft:
    """Return the draft with the next name: the storage has files of another run under the one it has."""
    wish, taken, index = _wish(facts), facts.observation.runs.execution_names(), facts.index
    if index >= MOST_INDEXES:
        raise Refused(messages.names_taken(wish, index))
    name, index = first_free(wish, taken, index + 1)
    storage = address(facts.places(snapshot, name).run().uri)
    for step in status_of(draft.run).steps:
        draft = draft.about(step.name, tries=None)  # those of Jobs under the name that was taken
    return draft.status(execution_name=name, run_index=index, storage=storage)


def _name_run(facts: RunFacts, draft: RunDraft, snapshot: Snapshot, jobs: tuple[JobName, ...]) -> RunDraft:
    status = status_of(draft.run)
    name, index = status.execution_name, status.run_index
    if name is None:
        name, index = _recorded_name(facts) or first_free(_wish(facts), facts.observation.runs.execution_names())
    return draft.status(
        execution_name=name,
        run_index=index,
        revision=revision_name(facts.owner),
        parameters=parameters_in_words(snapshot.parameters),
        pipeline_uid=snapshot.pipeline.metadata.uid,
        storage=address(facts.places(snapshot, name).run().uri),
        start_time=status.start_time or facts.time,
        steps=status.steps or (*_reused_steps(draft, snapshot), *pending_steps(jobs)),
    )


def _reused_steps(draft: RunDraft, snapshot: Snapshot) -> tuple[Step, ...]:
    repeated = snapshot.repetition
    if repeated is None:
        return ()
    said = messages.reused_step(repeated.run)
    return tuple(
        Step(name=job, state="Reused", message=said, **figures_of(draft.results[job].result)) for job in repeated.reused
    )


def _recorded_name(facts: RunFacts) -> tuple[str, int] | None:
    """Return the name that the run has, and its index, by the records of its files: its status was lost."""
    recorded = facts.observation.files
    found = [index for index in range(1, MOST_INDEXES + 1) if record_name(facts.owner, index) in recorded]
    return (with_index(_wish(facts), found[-1]), found[-1]) if found else None


def _wish(facts: RunFacts) -> str:
    return facts.run.spec.execution_name or facts.name
