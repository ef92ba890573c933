"""One part of a run, a step further: begun when it can be, told as it goes, recorded when it is done."""

from dataclasses import replace

import msgspec

from penstock.api.run import StepTries
from penstock.api.schema import JobName
from penstock.decide import messages, reasons
from penstock.decide.decision import Create
from penstock.decide.objects.children import INDEX, specification_name
from penstock.decide.objects.images import pin_image
from penstock.decide.objects.revision import Snapshot
from penstock.decide.observed import jobs as job_views
from penstock.decide.observed import pods as pod_views
from penstock.decide.observed.pods import Wait
from penstock.decide.observed.results import PendingLog, merge_results
from penstock.decide.run import begun_before, retries, snapshot_and_name, termination
from penstock.decide.run import outcome as outcomes
from penstock.decide.run.create_job import create_job, image_of_part, objects_of, step_of_part
from penstock.decide.run.dataset_order import preceding_run
from penstock.decide.run.draft import RunDraft
from penstock.decide.run.facts import RunFacts
from penstock.decide.run.outcome import Absent, Done, Failed, Going, Held, Lost, ObservedPart, Stranded
from penstock.decide.run.plan import SOURCE, PlannedPart
from penstock.decide.run.record_results import record_results, summarise_step
from penstock.decide.run.retries import GivenUp
from penstock.decide.run_state import DONE, status_of, step_of
from penstock.decide.times import read_time
from penstock_jobs.contract.result import EarlierRun

MOST_ATTEMPTS = 3  # at a part that is done, and whose result nobody could read


def advance_step(facts: RunFacts, draft: RunDraft, snapshot: Snapshot, part: PlannedPart) -> RunDraft:
    """Return the draft with this part as far as it has come."""
    if part.name in draft.results:
        return _report_known_result(facts, draft, part)
    if any(needed not in draft.results for needed in part.needs):
        return draft
    observed = observe_part(facts, part)
    tries = retries.known_tries(draft.run, part, observed)
    draft = _with_job(_with_image(draft, snapshot, part, observed), part, observed, tries)
    outcome = outcomes.outcome_of(observed, facts.now)
    match outcome:
        case Done():
            return _record_done(facts, draft, snapshot, part, observed, outcome)
        case Failed():
            return _handle_failure(facts, draft, snapshot, part, observed, outcome)
        case Lost():
            return _recover_lost_result(facts, draft, snapshot, part, tries)
        case Stranded():
            return _begin_elsewhere(facts, draft, part, tries, outcome)
        case Absent():
            return _begin(facts, draft, snapshot, part, tries)
        case Held():
            return _report_held(
                facts, _with_specification(facts, draft, snapshot, part, tries), snapshot, part, outcome, observed
            )
        case Going():
            return _report_going(facts, _with_specification(facts, draft, snapshot, part, tries), part, outcome)


def _with_job(draft: RunDraft, part: PlannedPart, observed: ObservedPart, tries: StepTries) -> RunDraft:
    """Return the draft that names the Job that is there: whoever made it may have been killed before it was said."""
    if observed.current is None:
        return draft
    draft = draft.about(part.step, tries=tries)
    return draft if part.name == SOURCE else draft.about(part.step, job_name=job_views.name(observed.current))


def observe_part(facts: RunFacts, part: PlannedPart) -> ObservedPart:
    """Return what is observed of the part under the execution name that the run has now."""
    seen = facts.observation
    jobs, pods = (
        tuple(each for each in found if (each["metadata"].get("labels") or {}).get(INDEX, "1") == str(facts.index))
        for found in (seen.jobs, seen.pods)
    )
    return outcomes.part_of_run(part.name, part.workers, jobs, pods, seen.events, seen.whole)


def pending_logs_of(facts: RunFacts, parts: tuple[PlannedPart, ...]) -> tuple[PendingLog, ...]:
    """Return the logs that are to be read for these parts."""
    found: list[PendingLog] = []
    for part in parts:
        if part.name not in facts.results:
            outcome = outcomes.outcome_of(observe_part(facts, part), facts.creation_time)
            found += outcome.awaited if isinstance(outcome, Going) else ()
    return tuple(found)


def _report_known_result(facts: RunFacts, draft: RunDraft, part: PlannedPart) -> RunDraft:
    """Return the draft whose step says what its part came to; whoever recorded it may have been killed before that."""
    if part.name != SOURCE and draft.state_of(part.step) in DONE:
        return draft
    return summarise_step(draft, part, None, None, facts.time)


def _record_done(
    facts: RunFacts, draft: RunDraft, snapshot: Snapshot, part: PlannedPart, observed: ObservedPart, done: Done
) -> RunDraft:
    training = snapshot.pipeline.spec.training
    told = merge_results(done.told, training.keep if training else 1)
    if told is None:
        return _recover_lost_result(facts, draft, snapshot, part, retries.known_tries(draft.run, part, observed))
    if isinstance(told.result, EarlierRun):
        return begun_before.take_over(facts, draft, snapshot, told.result)
    draft = _with_digest(record_results(facts, draft, snapshot, part, told), part, observed)
    return summarise_step(draft, part, done.started, done.finished, facts.time)


def _with_image(draft: RunDraft, snapshot: Snapshot, part: PlannedPart, observed: ObservedPart) -> RunDraft:
    """Return the draft in which the image of this part is the one that its first pod found, for all pods to come."""
    reference = image_of_part(snapshot, part)
    found = (pin_image(reference, pod_views.image_id(pod)) for pod in observed.pods)
    digest = next((each for each in found if each is not None), None)
    if digest is None or reference in draft.images:
        return draft
    return replace(draft, images={**draft.images, reference: digest})


def _with_digest(draft: RunDraft, part: PlannedPart, observed: ObservedPart) -> RunDraft:
    """Return the draft that says which image the jobs ran in, as the first of them found it; it is written once."""
    if status_of(draft.run).image_digest is not None or part.name == SOURCE:
        return draft
    found = [digest for pod in observed.pods if (digest := pod_views.image_digest(pod)) is not None]
    return draft.status(image_digest=found[0]) if found else draft


def _handle_failure(
    facts: RunFacts, draft: RunDraft, snapshot: Snapshot, part: PlannedPart, observed: ObservedPart, failed: Failed
) -> RunDraft:
    if failed.reason == reasons.EXECUTION_NAME_TAKEN:
        return snapshot_and_name.take_next_name(facts, draft, snapshot).requeue_at(facts.now)
    tries = retries.known_tries(draft.run, part, observed)
    after = retries.tries_after_failure(snapshot, part, tries, failed)
    if isinstance(after, GivenUp):
        return termination.fail_run(facts, draft, part.step, after.reason, after.message)
    if failed.interrupted:
        wait = Wait(reasons.RETRYING, messages.remade_at(after.not_before or "", failed.message))
    else:
        had = retries.memory_of_last(snapshot, part, observed)
        wait = retries.wait_of(snapshot, part, after, failed.message, had)
    draft = draft.about(part.step, tries=after)
    if failed.standing is None:
        return _try_again(facts, draft, snapshot, part, after, wait)
    draft = draft.with_writes(job_views.deletion(failed.standing))
    return _report_waiting(facts, draft, part.step, wait)


def _try_again(
    facts: RunFacts, draft: RunDraft, snapshot: Snapshot, part: PlannedPart, tries: StepTries, wait: Wait | None
) -> RunDraft:
    """Return the draft in which the next try begins, or waits until it may."""
    at = None if tries.not_before is None else read_time(tries.not_before)
    if at is not None and wait is not None and facts.now < at:
        return _report_waiting(facts, draft, part.step, wait).requeue_at(at)
    if facts.run.spec.suspend:
        return suspend_step(facts, draft, part.step)
    return _report_running(facts, create_job(facts, draft, snapshot, part, tries, wait), part.step)


def _recover_lost_result(
    facts: RunFacts, draft: RunDraft, snapshot: Snapshot, part: PlannedPart, tries: StepTries
) -> RunDraft:
    after = retries.tries_after_lost_result(tries)
    if after.lost >= MOST_ATTEMPTS:
        return termination.fail_run(facts, draft, part.step, reasons.RESULT_LOST, messages.result_lost(after.lost))
    why = Wait(reasons.RESULT_LOST, messages.refinding(after.number))
    return create_job(facts, draft, snapshot, part, after, why)


def _begin_elsewhere(
    facts: RunFacts, draft: RunDraft, part: PlannedPart, tries: StepTries, stranded: Stranded
) -> RunDraft:
    # Should the node come back, what its pod still makes is refused where it is there by then.
    draft = draft.about(part.step, tries=_unmade(tries)).with_writes(job_views.deletion(stranded.job))
    return _report_waiting(facts, draft, part.step, stranded.wait)


def _begin(facts: RunFacts, draft: RunDraft, snapshot: Snapshot, part: PlannedPart, tries: StepTries) -> RunDraft:
    if facts.run.spec.suspend:
        return suspend_step(facts, draft, part.step)
    first = preceding_run(facts) if part.name == "dataset" else None
    if first is not None:
        return _report_waiting(facts, draft, part.step, Wait(reasons.EARLIER_RUN, messages.earlier_run(first)))
    after = retries.tries_after_deletion(tries)
    if isinstance(after, GivenUp):
        return termination.fail_run(facts, draft, part.step, after.reason, after.message)
    wait = None if after.not_before is None else _wait_to_begin_again(draft, part, tries, after)
    return _try_again(facts, draft.about(part.step, tries=after), snapshot, part, after, wait)


def _wait_to_begin_again(draft: RunDraft, part: PlannedPart, tries: StepTries, after: StepTries) -> Wait:
    """Return what is said until the next try of a part that has no Job; what was said before, where nothing is new."""
    step, at = step_of(draft.run, part.step), after.not_before or ""
    if after is not tries:
        return Wait(reasons.RETRYING, messages.remade_at(at, messages.job_deleted()))
    if step is not None and step.reason == reasons.RETRYING and step.message:
        return Wait(step.reason, step.message)
    return Wait(reasons.RETRYING, messages.next_job_at(at))


def _unmade(tries: StepTries) -> StepTries:
    """Return the tries whose last Job Penstock itself deletes: another one of that name takes its place."""
    return msgspec.structs.replace(tries, start_time=None, not_before=None)


def _with_specification(
    facts: RunFacts, draft: RunDraft, snapshot: Snapshot, part: PlannedPart, tries: StepTries
) -> RunDraft:
    """Return the draft that makes the specification again, where somebody deleted it before the job could read it."""
    edition = 1 if tries.memory is None else tries.number
    name = specification_name(facts.owner, part.name, facts.index, edition)
    if any(each["metadata"]["name"] == name for each in facts.observation.specifications):
        return draft
    return draft.with_writes(Create(objects_of(facts, draft, snapshot, part, tries)[0]))


def _report_held(
    facts: RunFacts, draft: RunDraft, snapshot: Snapshot, part: PlannedPart, held: Held, observed: ObservedPart
) -> RunDraft:
    job = observed.current
    if facts.run.spec.suspend and job is not None and held.wait.reason == reasons.QUEUED:
        # The queue would let it go whenever there is room. It is made again, and queued, when the run goes on.
        tries = _unmade(retries.known_tries(draft.run, part, observed))
        draft = draft.about(part.step, tries=tries).with_writes(job_views.deletion(job))
        return suspend_step(facts, draft, part.step)
    if held.since is not None:
        said, limit = facts.pending_limit(step_of_part(part), snapshot)
        if facts.now >= held.since + limit:
            message = messages.pending_limit_exceeded(said, held.wait.message)
            return termination.fail_run(facts, draft, part.step, reasons.PENDING_LIMIT_EXCEEDED, message)
        draft = draft.requeue_at(held.since + limit)
    return _report_waiting(facts, draft, part.step, _keep_wording(draft, part, held.wait))


def _keep_wording(draft: RunDraft, part: PlannedPart, wait: Wait) -> Wait:
    """Return the wait in the words it had, where the kubelet says by turns that it failed and that it waits."""
    step = step_of(draft.run, part.step)
    if step is not None and step.reason == wait.reason == reasons.IMAGE_NOT_PULLED and step.message:
        return Wait(wait.reason, step.message)
    return wait


def suspend_step(facts: RunFacts, draft: RunDraft, step: JobName) -> RunDraft:
    """Return the draft whose step waits for a person; without a Job it is not one that others have to wait for."""
    draft = _report_waiting(facts, draft, step, Wait(reasons.SUSPENDED, messages.suspension_message(step)))
    return draft.about(step, job_name=None)


def _report_waiting(facts: RunFacts, draft: RunDraft, step: JobName, wait: Wait) -> RunDraft:
    if not _is_current(draft, step):
        return draft
    draft = draft.step(step, "Waiting", wait.reason, wait.message)
    return draft.outcome("Unknown", wait.reason, messages.step_waits(step, wait.message), facts.time)


def _report_going(facts: RunFacts, draft: RunDraft, part: PlannedPart, going: Going) -> RunDraft:
    draft = draft.requeue_at(going.until)
    if not _is_current(draft, part.step):
        return draft
    step = step_of(draft.run, part.step)
    started = (going.started if part.name != SOURCE else None) or (step.start_time if step else None)
    wait = going.wait
    if going.until is not None and wait is None and step is not None and step.state == "Waiting":
        return draft  # it may have begun, and is told of when that has lasted
    draft = draft.step(
        part.step, "Running", wait.reason if wait else None, wait.message if wait else None, start_time=started
    )
    return _report_running(facts, draft, part.step)


def _report_running(facts: RunFacts, draft: RunDraft, step: JobName) -> RunDraft:
    if not _is_current(draft, step):
        return draft
    names = [each.name for each in status_of(draft.run).steps]
    message = messages.step_runs(step, names.index(step) + 1, len(names))
    return draft.outcome("Unknown", reasons.RUNNING, message, facts.time)


def _is_current(draft: RunDraft, step: JobName) -> bool:
    """Return whether the step is the first that is not done: the one that the run is told by."""
    steps = status_of(draft.run).steps
    first = next((each.name for each in steps if each.state not in DONE), None)
    return first == step
