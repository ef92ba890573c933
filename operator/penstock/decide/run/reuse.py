"""Results that a run takes over from earlier runs of its Pipeline, because it does not do the jobs that make them.

One that repeats another takes all of them from that one; any other takes each from the run that made it last.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from penstock.api.schema import JOBS, JobName
from penstock.decide import messages, reasons
from penstock.decide.decision import ApiObject, Apply
from penstock.decide.objects import results
from penstock.decide.objects.children import results_name
from penstock.decide.objects.revision import Repetition, Snapshot
from penstock.decide.observed.listers import RunLister, has_ended, steps_of
from penstock.decide.observed.pods import Wait
from penstock.decide.ownership import run_owner
from penstock.decide.run.draft import RunDraft
from penstock.decide.run.facts import RunFacts
from penstock.decide.run.plan import missing_results
from penstock.decide.run.rerun import find_repeated_run
from penstock.decide.run_state import status_of
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import TrainingResult
from penstock_jobs.contract.termination_message import TerminationMessage


def results_to_reuse(run: ApiObject, runs: RunLister) -> frozenset[str]:
    """Return the names of the ConfigMaps, of other runs, that hold what this run needs and does not make."""
    if (run.get("spec") or {}).get("rerunOf"):
        repeated = find_repeated_run(run, runs)
        return frozenset() if repeated is None else frozenset({_results_of(repeated)})
    return frozenset(
        _results_of(source) for source in _sources(tuple(_needs(_jobs_of(run))), runs).values() if source is not None
    )


def reuse_results(facts: RunFacts, draft: RunDraft, snapshot: Snapshot, jobs: tuple[JobName, ...]) -> RunDraft | Wait:
    """Return the draft that has all that these jobs need of earlier runs, or why it is to wait.

    Raises:
        Refused: nobody has made, or is about to make, what a job needs.
    """
    repeated = snapshot.repetition
    if repeated is not None:
        return _take_over(facts, draft, repeated)
    missing = {needed: job for needed, job in _needs(jobs).items() if needed not in draft.results}
    known: dict[str, TerminationMessage] = {}
    there = {each["metadata"]["name"]: each for each in facts.observation.earlier}
    for needed, source in _sources(tuple(missing), facts.observation.runs).items():
        if source is None:
            if needed == "testing" and missing[needed] == "deployment":
                continue  # nothing was tested: then a person's pin is all that can be served
            if any(_is_about_to(run, needed) for run in facts.observation.runs.live):
                return Wait(reasons.EARLIER_RUN, messages.earlier_result(missing[needed], needed))
            raise Refused(messages.missing_result(missing[needed], needed))
        found = there.get(_results_of(source))
        reported = {} if found is None else results.read(found)
        if needed not in reported:
            if facts.is_long_past(source):
                raise Refused(messages.lost_result(missing[needed], needed, source["metadata"]["name"]))
            return Wait(reasons.EARLIER_RUN, messages.earlier_result(missing[needed], needed))
        known[needed] = reported[needed]
    if not known:
        return draft
    return _with_results(facts, draft, known)


def _take_over(facts: RunFacts, draft: RunDraft, repeated: Repetition) -> RunDraft | Wait:
    """Return the draft that has the results of the run that is repeated."""
    wanted = {*repeated.reused, *_needs(repeated.jobs)} - draft.results.keys()
    if not wanted:
        return draft
    owner = replace(facts.owner, name=repeated.run, uid=repeated.uid)
    found = next((each for each in facts.observation.earlier if each["metadata"]["name"] == results_name(owner)), None)
    reported = {} if found is None else results.read(found)
    optional = {"testing"} - set(repeated.reused)  # where it tested nothing either, a pin is all that can be served
    lacking = sorted(wanted - reported.keys() - optional)
    why = messages.results_gone(repeated.run, lacking[0]) if lacking else _model_that_is_gone(facts, repeated, reported)
    source = facts.observation.runs.get(repeated.run)
    is_behind = source is not None and not facts.is_long_past(source)
    if is_behind and (why is not None or found is None):
        return Wait(reasons.EARLIER_RUN, messages.repeated_run_unseen(repeated.run))
    if why is not None and facts.observation.results is None and status_of(facts.run).steps:
        return Wait(reasons.EARLIER_RUN, why)  # they are its own already, and somebody took their label off
    if why is not None:
        raise Refused(why)
    taken: dict[str, TerminationMessage] = {name: reported[name] for name in wanted & reported.keys()}
    return _with_results(facts, draft, taken) if taken else draft


def _model_that_is_gone(
    facts: RunFacts, repeated: Repetition, reported: Mapping[str, TerminationMessage]
) -> str | None:
    """Return what is said where a Model is needed that is not there any more."""
    trained = reported["training"].result if "training" in reported else None
    if "training" in repeated.jobs or not isinstance(trained, TrainingResult):
        return None
    gone = (each.name for each in trained.models if facts.observation.models.get(each.name) is None)
    name = next(gone, None)
    return None if name is None else messages.model_gone(repeated.run, name)


def _with_results(facts: RunFacts, draft: RunDraft, found: Mapping[str, TerminationMessage]) -> RunDraft:
    """Return the draft in which these results are the run's own, before anything is built on them."""
    known = {**draft.results, **found}
    made = results.results(facts.owner, known, draft.images, facts.observation.results)
    return replace(draft.with_writes(Apply(made)), results=known)


def _needs(jobs: tuple[JobName, ...]) -> dict[JobName, JobName]:
    """Return the results that these jobs take from elsewhere, each with the first job that needs it."""
    needs = {needed: job for job, needed in missing_results(jobs)}
    return needs | {"testing": "deployment"} if "deployment" in jobs and "testing" not in jobs else needs


def _sources(needed: tuple[JobName, ...], runs: Iterable[ApiObject]) -> dict[JobName, ApiObject | None]:
    """Return, for each result that is needed, the run that made it last."""
    if not needed:
        return {}
    found: dict[JobName, tuple[str, ApiObject]] = {}
    for run in runs:
        for step in steps_of(run):
            name, finished = step.get("name"), str(step.get("completionTime") or "")
            if step.get("state") == "Succeeded" and name in needed and finished >= found.get(name, ("", run))[0]:
                found[name] = finished, run
    return {each: found[each][1] if each in found else None for each in needed}


def _is_about_to(run: ApiObject, job: JobName) -> bool:
    """Return whether a live run has yet to do that job."""
    if has_ended(run) or run["metadata"].get("deletionTimestamp"):
        return False
    steps = steps_of(run)
    if not steps:
        asked = _jobs_of(run)
        return not asked or job in asked
    return any(step.get("name") == job and step.get("state") in ("Pending", "Waiting", "Running") for step in steps)


def _jobs_of(run: ApiObject) -> tuple[JobName, ...]:
    asked = {each.get("name") for each in (run.get("spec") or {}).get("jobs") or ()}
    return tuple(job for job in JOBS if job in asked)


def _results_of(run: ApiObject) -> str:
    return results_name(run_owner(run))
