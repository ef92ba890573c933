"""One part of a run, a step further: begun when it can be, told as it goes, recorded when it is done."""

from dataclasses import replace

from penstock.api.schema import JobName
from penstock.decide import reasons
from penstock.decide.decision import Create
from penstock.decide.objects.children import INDEX, specification_name
from penstock.decide.objects.images import pinned
from penstock.decide.objects.revision import Snapshot
from penstock.decide.run import beginning, ending, retrying
from penstock.decide.run import jobs as job_views
from penstock.decide.run import outcome as outcomes
from penstock.decide.run import pods as pod_views
from penstock.decide.run.draft import Draft
from penstock.decide.run.facts import Facts
from penstock.decide.run.outcome import Absent, Done, Failed, Going, Held, Lost, Part
from penstock.decide.run.plan import SOURCE, Planned
from penstock.decide.run.pods import Wait
from penstock.decide.run.recording import recorded, summarised
from penstock.decide.run.starting import image_of_part, objects_of, started
from penstock.decide.run.told import Awaited, merged
from penstock.decide.run.turn import turn_of
from penstock.decide.run_state import status_of, step_of

MOST_ATTEMPTS = 3  # at a part that is done, and whose result nobody could read


def progressed(facts: Facts, draft: Draft, snapshot: Snapshot, part: Planned) -> Draft:
    """Return the draft with this part as far as it has come."""
    if part.name in draft.reported:
        return _known(facts, draft, part)
    if any(needed not in draft.reported for needed in part.needs):
        return draft
    observed = observed_part(facts, part)
    draft = _with_image(draft, snapshot, part, observed)
    if observed.current is not None and part.name != SOURCE:
        # Whoever made it may have been killed before the status said so.
        draft = draft.about(part.step, job_name=job_views.name(observed.current))
    outcome = outcomes.outcome_of(observed, facts.now)
    match outcome:
        case Done():
            return _done(facts, draft, snapshot, part, observed, outcome)
        case Failed():
            return _failed(facts, draft, snapshot, part, observed, outcome)
        case Lost():
            return _found_again(facts, draft, snapshot, part, observed)
        case Absent():
            return _begun(facts, draft, snapshot, part)
        case Held():
            return _held(facts, _with_specification(facts, draft, snapshot, part), snapshot, part, outcome, observed)
        case Going():
            return _going(facts, _with_specification(facts, draft, snapshot, part), part, outcome)


def observed_part(facts: Facts, part: Planned) -> Part:
    """Return what is observed of the part under the execution name that the run has now."""
    seen = facts.observation
    jobs, pods = (
        tuple(each for each in found if (each["metadata"].get("labels") or {}).get(INDEX, "1") == str(facts.index))
        for found in (seen.jobs, seen.pods)
    )
    return outcomes.part_of_run(part.name, part.workers, jobs, pods, seen.events, seen.whole)


def awaited_of(facts: Facts, parts: tuple[Planned, ...]) -> tuple[Awaited, ...]:
    """Return the logs that are to be read for these parts."""
    found: list[Awaited] = []
    for part in parts:
        if part.name not in facts.reported:
            outcome = outcomes.outcome_of(observed_part(facts, part), facts.created)
            found += outcome.awaited if isinstance(outcome, Going) else ()
    return tuple(found)


def _known(facts: Facts, draft: Draft, part: Planned) -> Draft:
    """Return the draft whose step says what its part came to; whoever recorded it may have been killed before that."""
    if part.name != SOURCE and draft.state_of(part.step) in ("Succeeded", "Skipped"):
        return draft
    return summarised(draft, part, None, None, facts.time)


def _done(facts: Facts, draft: Draft, snapshot: Snapshot, part: Planned, observed: Part, done: Done) -> Draft:
    training = snapshot.pipeline.spec.training
    told = merged(done.told, training.keep if training else 1)
    if told is None:
        return _found_again(facts, draft, snapshot, part, observed)
    draft = _with_digest(recorded(facts, draft, snapshot, part, told), part, observed)
    return summarised(draft, part, done.started, done.finished, facts.time)


def _with_image(draft: Draft, snapshot: Snapshot, part: Planned, observed: Part) -> Draft:
    """Return the draft in which the image of this part is the one that its first pod found, for all pods to come."""
    reference = image_of_part(snapshot, part)
    found = (pinned(reference, pod_views.image_id(pod)) for pod in observed.pods)
    digest = next((each for each in found if each is not None), None)
    if digest is None or reference in draft.images:
        return draft
    return replace(draft, images={**draft.images, reference: digest})


def _with_digest(draft: Draft, part: Planned, observed: Part) -> Draft:
    """Return the draft that says which image the jobs ran in, as the first of them found it; it is written once."""
    if status_of(draft.run).image_digest is not None or part.name == SOURCE:
        return draft
    found = [digest for pod in observed.pods if (digest := pod_views.image_digest(pod)) is not None]
    return draft.status(image_digest=found[0]) if found else draft


def _failed(facts: Facts, draft: Draft, snapshot: Snapshot, part: Planned, observed: Part, failed: Failed) -> Draft:
    if failed.reason == reasons.EXECUTION_NAME_TAKEN:
        return beginning.renamed(facts, draft, snapshot).looking_at(facts.now)
    again = retrying.next_try(snapshot, part, observed, failed)
    if again is None:
        return ending.failed(facts, draft, part.step, failed.reason, failed.message)
    at, wait = again
    if facts.now < at:
        return _waiting(facts, draft, part.step, wait).looking_at(at)
    if facts.run.spec.suspend:
        return suspended(facts, draft, part.step)
    draft = started(facts, draft, snapshot, part, failed.attempt + 1, wait)
    return _said_to_run(facts, draft, part.step)


def _found_again(facts: Facts, draft: Draft, snapshot: Snapshot, part: Planned, observed: Part) -> Draft:
    attempt = outcomes.attempt_of(observed)
    lost = attempt - retrying.failed_tries(observed)
    if lost >= MOST_ATTEMPTS:
        return ending.failed(facts, draft, part.step, reasons.RESULT_LOST, reasons.result_lost(lost))
    why = Wait(reasons.RESULT_LOST, reasons.refinding(attempt + 1))
    return started(facts, draft, snapshot, part, attempt + 1, why)


def _begun(facts: Facts, draft: Draft, snapshot: Snapshot, part: Planned) -> Draft:
    if facts.run.spec.suspend:
        return suspended(facts, draft, part.step)
    first = turn_of(facts) if part.name == "dataset" else None
    if first is not None:
        return _waiting(facts, draft, part.step, Wait(reasons.EARLIER_RUN, reasons.earlier_run(first)))
    return _said_to_run(facts, started(facts, draft, snapshot, part), part.step)


def _with_specification(facts: Facts, draft: Draft, snapshot: Snapshot, part: Planned) -> Draft:
    """Return the draft that makes the specification again, where somebody deleted it before the job could read it."""
    name = specification_name(facts.owner, part.name, facts.index)
    if name in facts.observation.specifications:
        return draft
    return draft.writing(Create(objects_of(facts, draft, snapshot, part, 1)[0]))


def _held(facts: Facts, draft: Draft, snapshot: Snapshot, part: Planned, held: Held, observed: Part) -> Draft:
    job = observed.current
    if facts.run.spec.suspend and job is not None and held.wait.reason == reasons.QUEUED:
        # The queue would let it go whenever there is room. It is made again, and queued, when the run goes on.
        return suspended(facts, draft.writing(job_views.deletion(job)), part.step)
    if held.since is not None:
        said, limit = facts.pending_limit("testing" if part.step == "deployment" else part.step, snapshot)
        if facts.now >= held.since + limit:
            message = reasons.pending_limit_exceeded(said, held.wait.message)
            return ending.failed(facts, draft, part.step, reasons.PENDING_LIMIT_EXCEEDED, message)
        draft = draft.looking_at(held.since + limit)
    return _waiting(facts, draft, part.step, _steady(draft, part, held.wait))


def _steady(draft: Draft, part: Planned, wait: Wait) -> Wait:
    """Return the wait in the words it had, where the kubelet says by turns that it failed and that it waits."""
    step = step_of(draft.run, part.step)
    if step is not None and step.reason == wait.reason == reasons.IMAGE_NOT_PULLED and step.message:
        return Wait(wait.reason, step.message)
    return wait


def suspended(facts: Facts, draft: Draft, step: JobName) -> Draft:
    """Return the draft whose step waits for a person; without a Job it is not one that others have to wait for."""
    draft = _waiting(facts, draft, step, Wait(reasons.SUSPENDED, reasons.suspended(step)))
    return draft.about(step, job_name=None)


def _waiting(facts: Facts, draft: Draft, step: JobName, wait: Wait) -> Draft:
    if not _is_current(draft, step):
        return draft
    draft = draft.step(step, "Waiting", wait.reason, wait.message)
    return draft.outcome("Unknown", wait.reason, reasons.step_waits(step, wait.message), facts.time)


def _going(facts: Facts, draft: Draft, part: Planned, going: Going) -> Draft:
    draft = draft.looking_at(going.until)
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
    return _said_to_run(facts, draft, part.step)


def _said_to_run(facts: Facts, draft: Draft, step: JobName) -> Draft:
    if not _is_current(draft, step):
        return draft
    names = [each.name for each in status_of(draft.run).steps]
    message = reasons.step_runs(step, names.index(step) + 1, len(names))
    return draft.outcome("Unknown", reasons.RUNNING, message, facts.time)


def _is_current(draft: Draft, step: JobName) -> bool:
    """Return whether the step is the first that is not done: the one that the run is told by."""
    steps = status_of(draft.run).steps
    first = next((each.name for each in steps if each.state not in ("Succeeded", "Reused", "Skipped")), None)
    return first == step
