"""Results that a run takes over from earlier runs of its Pipeline, because it does not do the jobs that make them."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from penstock.api.schema import JOBS, JobName
from penstock.decide import messages, reasons
from penstock.decide.decision import ApiObject, Apply
from penstock.decide.objects import results
from penstock.decide.objects.children import results_name
from penstock.decide.observed.listers import has_ended, steps_of
from penstock.decide.observed.pods import Wait
from penstock.decide.ownership import run_owner
from penstock.decide.run.draft import RunDraft
from penstock.decide.run.facts import RunFacts
from penstock.decide.run.plan import missing_results
from penstock.decide.times import read_time
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.termination_message import TerminationMessage

UNSEEN = timedelta(minutes=1)  # for so long a watch may be behind another


def results_to_reuse(run: ApiObject, runs: Iterable[ApiObject]) -> frozenset[str]:
    """Return the names of the ConfigMaps, of other runs, that hold what this run needs and does not make."""
    return frozenset(_results_of(source) for _, source in _sources(_jobs_of(run), runs).items() if source is not None)


def reuse_results(facts: RunFacts, draft: RunDraft, jobs: tuple[JobName, ...]) -> RunDraft | Wait:
    """Return the draft that has all that these jobs need of earlier runs, or why it is to wait.

    Raises:
        Refused: nobody has made, or is about to make, what a job needs.
    """
    missing = {needed: job for job, needed in missing_results(jobs) if needed not in draft.results}
    if "deployment" in jobs and "testing" not in jobs and "testing" not in draft.results:
        missing.setdefault("testing", "deployment")
    known: dict[str, TerminationMessage] = {}
    there = {each["metadata"]["name"]: each for each in facts.observation.earlier}
    for needed, source in _sources(tuple(missing), facts.observation.runs, needed_only=True).items():
        if source is None:
            if needed == "testing" and missing[needed] == "deployment":
                continue  # nothing was tested: then a person's pin is all that can be served
            if any(_is_about_to(run, needed) for run in facts.observation.runs.live):
                return Wait(reasons.EARLIER_RUN, messages.earlier_result(missing[needed], needed))
            raise Refused(messages.missing_result(missing[needed], needed))
        found = there.get(_results_of(source))
        reported = {} if found is None else results.read(found)
        if needed not in reported:
            if _has_long_ended(source, facts.now):
                raise Refused(messages.lost_result(missing[needed], needed, source["metadata"]["name"]))
            return Wait(reasons.EARLIER_RUN, messages.earlier_result(missing[needed], needed))
        known[needed] = reported[needed]
    if not known:
        return draft
    known = {**draft.results, **known}
    made = results.results(facts.owner, known, draft.images, facts.observation.results)
    return replace(draft.with_writes(Apply(made)), results=known)


def _sources(
    jobs: tuple[JobName, ...], runs: Iterable[ApiObject], *, needed_only: bool = False
) -> dict[JobName, ApiObject | None]:
    """Return, for each result that is needed, the run that made it last."""
    needed = jobs if needed_only else tuple(each for _, each in missing_results(jobs))
    if not needed_only and "deployment" in jobs and "testing" not in jobs:
        needed = (*needed, "testing")
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


def _has_long_ended(run: ApiObject, now: datetime) -> bool:
    """Return whether a run ended so long ago that its results, which are written first, would have been seen."""
    ended = (run.get("status") or {}).get("completionTime")
    return bool(ended) and now >= read_time(str(ended)) + UNSEEN


def _jobs_of(run: ApiObject) -> tuple[JobName, ...]:
    asked = {each.get("name") for each in (run.get("spec") or {}).get("jobs") or ()}
    return tuple(job for job in JOBS if job in asked)


def _results_of(run: ApiObject) -> str:
    return results_name(run_owner(run))
