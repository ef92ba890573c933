"""A run that was executed before, as another object: what its first pod found of it in storage becomes its status.

It comes back from a backup without its status, or is applied in a new cluster. Nothing of it is done again, and nothing
is decided again: its Model may have been served and sent back since.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from penstock.decide import messages, reasons
from penstock.decide.decision import Apply
from penstock.decide.execution_name import index_of
from penstock.decide.objects.results import results
from penstock.decide.objects.revision import Snapshot
from penstock.decide.observed.pods import LONGEST_ENDING
from penstock.decide.observed.results import merge_training
from penstock.decide.run.deploying import latest_test, summarise_earlier_decision
from penstock.decide.run.draft import RunDraft
from penstock.decide.run.facts import RunFacts
from penstock.decide.run.plan import SOURCE, PlannedPart, plan
from penstock.decide.run.record_results import summarise_step
from penstock.decide.run.termination import deletions, live_objects
from penstock.decide.run_state import status_of
from penstock.decide.summaries import address
from penstock_jobs.contract.result import EarlierRun, JobResult, TrainingResult
from penstock_jobs.contract.termination_message import TerminationMessage

EARLIER: Final = "earlier-run"  # beside the parts, in the results of the run


def earlier_run(draft: RunDraft) -> EarlierRun | None:
    """Return what came of the run when it was another object, where that is known."""
    found = draft.results.get(EARLIER)
    return found.result if found is not None and isinstance(found.result, EarlierRun) else None


def take_over(facts: RunFacts, draft: RunDraft, snapshot: Snapshot, found: EarlierRun) -> RunDraft:
    """Return the draft of the run as it ended then, as far as its storage knows that."""
    training = snapshot.pipeline.spec.training
    told: dict[str, JobResult] = {EARLIER: found, **_results(found, training.keep if training else 1)}
    known = {**draft.results, **{part: TerminationMessage(result=each) for part, each in told.items()}}
    made = results(facts.owner, known, draft.images, facts.observation.results)
    draft = replace(draft.with_writes(Apply(made)), results=known)
    times = {each.part: each.time for each in found.results}
    as_then = _with_steps(facts, draft, snapshot, times)
    lacking = next((step.name for step in status_of(as_then.run).steps if step.state == "Failed"), None)
    message = messages.begun_before(found.storage, lacking)
    if still := live_objects(facts):  # other pods may be about to look for it too
        message = f"{message} {messages.still_ending(len(still))}"
        draft = draft.with_writes(*deletions(facts)).requeue_at(facts.now + LONGEST_ENDING)
        return draft.outcome("Unknown", reasons.BEGUN_BEFORE, message, facts.time)
    draft = as_then.outcome("True" if lacking is None else "False", reasons.BEGUN_BEFORE, message, facts.time)
    wish = facts.run.spec.execution_name or facts.name
    return draft.status(
        execution_name=found.execution_name,
        run_index=index_of(wish, found.execution_name),
        storage=address(found.storage),
        start_time=min(times.values(), default=facts.time),
        completion_time=max(times.values(), default=facts.time),
    )


def _with_steps(facts: RunFacts, draft: RunDraft, snapshot: Snapshot, times: Mapping[str, str]) -> RunDraft:
    """Return the draft whose steps are as far as there are results; the first that has none is where it ended."""
    steps = status_of(draft.run).steps
    planned: dict[str, PlannedPart] = {part.name: part for part in plan(snapshot, tuple(each.name for each in steps))}
    if SOURCE in times and SOURCE in planned:
        draft = summarise_step(draft, planned[SOURCE], None, None, facts.time)
    lacking = False
    for step in steps:
        if step.state == "Reused":
            continue  # of another run, in whose storage it is
        time = times.get(step.name)
        if step.name == "deployment" and not lacking:
            draft = _with_decision(draft, snapshot, max(times.values(), default=facts.time))
        elif time is not None and not lacking:
            draft = summarise_step(draft, planned[step.name], time, time, facts.time)
        elif lacking:
            draft = draft.step(step.name, "Skipped", reasons.BEGUN_BEFORE, job_name=None)
        else:
            lacking = True
            draft = draft.step(step.name, "Failed", reasons.BEGUN_BEFORE, messages.no_result_of_before(), job_name=None)
    return draft


def _with_decision(draft: RunDraft, snapshot: Snapshot, time: str) -> RunDraft:
    """Return the draft that says what the run decided then; it proposes nothing."""
    tested = latest_test(draft)
    if tested is None:
        return draft.step("deployment", "Skipped", reasons.BEGUN_BEFORE)
    summary = summarise_earlier_decision(snapshot.pipeline.spec, tested)
    return draft.step("deployment", "Succeeded", start_time=time, completion_time=time, deployment=summary)


def _results(found: EarlierRun, keep: int) -> dict[str, JobResult]:
    """Return the result of each part; that of training is put together of those of its workers."""
    trained = [each.result for each in found.results if isinstance(each.result, TrainingResult)]
    told: dict[str, JobResult] = {each.part: each.result for each in found.results}
    return told | ({"training": merge_training(trained, keep)} if trained else {})
