"""A run that repeats another: what that one was, which of its jobs are done again, and what is taken over from it.

With mode Snapshot nothing is asked of the Pipeline as it is now but whether it is still there: whoever may start its
runs may repeat those that were made of it. With mode Debug one's own operations are those of now.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from penstock.api.parameters import GivenParameter
from penstock.api.pipeline import Pipeline, PipelineSpec
from penstock.api.run import Override, PipelineRunSpec, RerunOf
from penstock.api.schema import JOBS, JobName
from penstock.decide import messages, reasons
from penstock.decide.decision import ApiObject
from penstock.decide.job_specification import settings_of
from penstock.decide.objects import results
from penstock.decide.objects.revision import Repetition, Snapshot, read
from penstock.decide.observed.listers import RunLister, is_live, pipeline_of, steps_of
from penstock.decide.observed.pods import Wait
from penstock.decide.overriding import override_pipeline
from penstock.decide.parameters import run_parameters
from penstock.decide.run.facts import RunFacts
from penstock.decide.run_state import SUCCEEDED_STATES
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.parameters import ParameterValue
from penstock_jobs.contract.result import DatasetResult
from penstock_jobs.contract.specification import RepeatedTables


class _Jobs(NamedTuple):
    """The jobs of a run that repeats another: those whose results it takes over, and those that it does again."""

    reused: tuple[JobName, ...]
    again: tuple[JobName, ...]


def find_repeated_run(run: ApiObject, runs: RunLister) -> ApiObject | None:
    """Return the run that this one repeats, where it does and that one is there."""
    asked = (run.get("spec") or {}).get("rerunOf") or {}
    found = runs.get(str(asked["name"])) if "name" in asked else None
    return None if found is None or found["metadata"]["uid"] == run["metadata"]["uid"] else found


def snapshot_of_rerun(facts: RunFacts, asked: RerunOf, pipeline: Pipeline) -> Snapshot | Wait:
    """Return what a run is that repeats another, or why it is to wait.

    Args:
        facts: what is known of the run.
        asked: which run it repeats, and what of it.
        pipeline: the Pipeline as it is now.

    Raises:
        Refused: what is asked for cannot be done.
    """
    if asked.name == facts.name:
        raise Refused("spec.rerunOf.name is the run's own name, and a run cannot repeat itself; name another run.")
    repeated = find_repeated_run(facts.observation.run, facts.observation.runs)
    if repeated is None:
        return Wait(reasons.EARLIER_RUN, messages.no_run_to_repeat(asked.name))
    if pipeline_of(repeated) != facts.pipeline_name:
        raise Refused(
            f"spec.rerunOf.name is {asked.name}, which is a run of the Pipeline {pipeline_of(repeated)}; name one of "
            f"{facts.pipeline_name}, or set spec.pipelineRef.name to {pipeline_of(repeated)}."
        )
    if is_live(repeated):
        return Wait(reasons.EARLIER_RUN, messages.repeated_run_lives(asked.name))
    if not steps_of(repeated):
        raise Refused(f"spec.rerunOf.name is {asked.name}, which never began; apply a new run.")
    if facts.observation.repeated is None:
        if facts.is_long_past(repeated):
            raise Refused(messages.snapshot_gone(asked.name))
        return Wait(reasons.EARLIER_RUN, messages.repeated_run_unseen(asked.name))
    before = read(facts.observation.repeated)
    jobs = _choose_jobs(repeated, asked, deploys=facts.run.spec.mode == "Snapshot")
    _refuse_changes_of_reused(asked.name, jobs, facts.run.spec)
    return _with_changes(facts, before, repeated, jobs, pipeline.metadata.uid)


def _choose_jobs(repeated: ApiObject, asked: RerunOf, *, deploys: bool) -> _Jobs:
    states = {step.get("name"): step.get("state") for step in steps_of(repeated)}
    there = [job for job in JOBS if job in states]
    for field, job in (("from", asked.from_), ("until", asked.until)):
        if job is not None and job not in there:
            raise Refused(
                f"spec.rerunOf.{field} is {job}, and the run {asked.name} had {', '.join(there)}; name one of these."
            )
    undone = [job for job in there if states[job] not in SUCCEEDED_STATES]
    first = there.index(asked.from_ or (undone or there)[0])
    last = there.index(asked.until or there[-1])
    again = [job for job in there[first : last + 1] if deploys or job != "deployment"]
    if not again:
        raise Refused(
            f"There is nothing to do again of the run {asked.name}: "
            + ("spec.rerunOf.until comes before its first job to repeat." if deploys else "mode Debug never deploys.")
        )
    for job in there[:first]:
        if states[job] not in SUCCEEDED_STATES:
            raise Refused(messages.results_gone(asked.name, job))
    return _Jobs(tuple(there[:first]), tuple(again))


def _refuse_changes_of_reused(name: str, jobs: _Jobs, asked: PipelineRunSpec) -> None:
    """Refuse to change what is not done again: nothing would come of it."""
    for index, override in enumerate(asked.overrides):
        job = _job_of(override)
        if job in jobs.reused:
            raise Refused(
                f"spec.overrides[{index}].path is {override.path}, and this run takes its {job} step over from {name}; "
                f"begin with {job}, or remove it."
            )
    for index, request in enumerate(asked.jobs):
        if request.name not in jobs.again:
            raise Refused(
                f"spec.jobs[{index}].name is {request.name}, and of the run {name} only "
                f"{', '.join(jobs.again)} is done again; remove it, or change spec.rerunOf."
            )
    if asked.parameters and "dataset" not in jobs.again:
        raise Refused(
            f"spec.parameters gives {asked.parameters[0].name}, and only the dataset job reads with parameters, which "
            f"this run takes over from {name}; begin with dataset, or remove the parameters."
        )


def _job_of(override: Override) -> str | None:
    """Return the first job that a field of the Pipeline has to do with; None where it has to do with all."""
    first, _, rest = override.path.partition(".")
    if first == "training" and rest.partition(".")[0] == "validation":
        return "dataset"  # which takes the validation set out of the training set
    job = rest.partition(".")[0] if first == "jobs" else first
    return job if job in JOBS else None


def _with_changes(
    facts: RunFacts, before: Snapshot, repeated: ApiObject, jobs: _Jobs, pipeline_uid: str | None
) -> Snapshot:
    """Return what the earlier run was, with what this one changes of it."""
    asked, settings, name = facts.run.spec, facts.observation.settings, str(repeated["metadata"]["name"])
    was = before.pipeline
    # The storage is claimed for the Pipeline that is there now, which may have come back from a backup.
    taken = msgspec.structs.replace(was, metadata=msgspec.structs.replace(was.metadata, uid=pipeline_uid))
    made = override_pipeline(taken, asked.overrides, rights_checked=settings.rights_checked)
    facts.observation.site.refuse_inputs(made.spec)
    requests = {request.name: request for request in asked.jobs}
    spec = msgspec.structs.replace(
        made.spec, jobs=tuple(settings_of(made.spec, job, requests.get(job)) for job in JOBS)
    )
    parameters = before.parameters
    if "dataset" in jobs.again:
        parameters = _parameters(spec, asked, before.parameters)
    made_before = next(iter(facts.observation.earlier), None)
    commit = (repeated.get("status") or {}).get("commit")
    same = parameters == before.parameters and _makes_same_tables(spec, was.spec)
    return msgspec.structs.replace(
        before,
        pipeline=msgspec.structs.replace(made, spec=spec),
        parameters=parameters,
        repetition=Repetition(
            run=name,
            uid=str(repeated["metadata"]["uid"]),
            jobs=jobs.again,
            reused=jobs.reused,
            commit=None if commit is None or asked.mode == "Debug" else str(commit),
            images={} if made_before is None else results.images(made_before),
            tables=_tables(name, made_before) if same and "dataset" in jobs.again else None,
        ),
    )


def _parameters(
    spec: PipelineSpec, asked: PipelineRunSpec, before: Sequence[ParameterValue]
) -> tuple[ParameterValue, ...]:
    given = {each.name: GivenParameter(name=each.name, value=each.value) for each in before}
    given |= {each.name: each for each in asked.parameters}
    as_asked = msgspec.structs.replace(asked, jobs=(), parameters=tuple(given.values()))
    return run_parameters(spec, as_asked, asked.trigger.scheduled_time if asked.trigger else None)


def _makes_same_tables(spec: PipelineSpec, before: PipelineSpec) -> bool:
    validation = [each.training.validation if each.training else None for each in (spec, before)]
    return spec.dataset == before.dataset and validation[0] == validation[1]


def _tables(run: str, there: ApiObject | None) -> RepeatedTables | None:
    """Return the tables that the earlier run made, where its results are there; a failed one may have made none."""
    reported = None if there is None else results.read(there).get("dataset")
    made = None if reported is None else reported.result
    if not isinstance(made, DatasetResult):
        return None
    return RepeatedTables(
        run=run, training=made.training.digest, validation=made.validation.digest, testing=made.testing.digest
    )
