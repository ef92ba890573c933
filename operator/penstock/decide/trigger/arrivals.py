"""The source `objects`: files that arrived, or changed, for an input are an event. A Job looks at them now and then.

What a look announces it announces again until it is told that this was dealt with, which the status says. So it makes
no difference where whoever decides is killed: the run for it is made once, under a name that is a function of it. The
run is made at once, and waits until the Trigger lets it begin (`delivery.py`), as one for an event by HTTP does.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from penstock.api.decoding import require
from penstock.api.pipeline import Pipeline
from penstock.api.quantities import read_duration
from penstock.api.run import TriggeringEvent
from penstock.api.trigger import LookStatus
from penstock.api.trigger_sources import ObjectsSource
from penstock.decide import reasons
from penstock.decide.conditions import shorten
from penstock.decide.decision import ApiObject, Create, Delete
from penstock.decide.messages import job_failed
from penstock.decide.observed import jobs as job_views
from penstock.decide.observed import pods as pod_views
from penstock.decide.observed.results import failure_of_pods, look_in
from penstock.decide.times import read_time
from penstock.decide.trigger import messages
from penstock.decide.trigger.begin import has_begun
from penstock.decide.trigger.draft import TriggerDraft, firing_at
from penstock.decide.trigger.facts import TriggerFacts
from penstock.decide.trigger.look_job import LookPlace, LookRequest, look_objects, look_specification
from penstock.decide.trigger.occasion import FILES_ARRIVED, Occasion, on_event
from penstock.decide.trigger.run_ends import make_waiting_run
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import Arrival, LookResult

PATIENCE = timedelta(minutes=1)  # after which it is said why the pod of a look does not begin
_LONGEST_MESSAGE = 512


def follow_files(facts: TriggerFacts, draft: TriggerDraft, source: ObjectsSource) -> TriggerDraft:
    """Return the draft in which the next look is made when it is due, and what the last one announced has its run."""
    request, last = next_look(facts), facts.status.look
    job = next((each for each in facts.observation.looks.jobs if job_views.name(each) == request.job_name), None)
    if job is not None:
        if _is_over(facts, job):
            return _take_in(facts, draft, source, job)
        return _requeue_while_at_work(facts, draft, job)
    due = facts.now if last is None or last.time is None else read_time(last.time) + _interval(source)
    if facts.now < due:
        return draft.requeue_at(due)
    try:
        place = _place(facts)
        made = () if place is None else look_objects(request, source, place)
    except Refused:
        return draft  # `look_problem` says why
    return draft.with_writes(*(Create(each) for each in made))


def remove_old_looks(facts: TriggerFacts, draft: TriggerDraft) -> TriggerDraft:
    """Return the draft in which no Job is left of a look but of the one that is due, or at work."""
    wanted: set[str] = set()
    if facts.spec.objects is not None and not facts.spec.suspend and has_begun(facts):
        request = next_look(facts)
        wanted = {request.job_name, request.specification_name}
    return draft.with_writes(*(Delete.of(each) for each in _unwanted(facts, wanted)))


def look_problem(facts: TriggerFacts, draft: TriggerDraft, source: ObjectsSource) -> tuple[str, bool] | None:
    """Return why nobody knows whether files have arrived, and whether that stays so until a person does something."""
    pipeline, request = facts.spec.pipeline_ref.name, next_look(facts)
    try:
        place = _place(facts)
        if place is None:
            return messages.input_awaited(pipeline, source.input), False
        look_specification(request, source, place)
    except Refused as error:
        return str(error), True
    waits = _why_it_waits(facts, request)
    if waits is not None:
        return messages.look_waits(waits), False
    said = None if draft.current.look is None else draft.current.look.message
    return None if said is None else (messages.look_failed(said), False)


def occasion_of(arrival: Arrival, source: ObjectsSource) -> Occasion:
    """Return the event that files that arrived are."""
    event = TriggeringEvent(id=arrival.id, source=source.input, type=FILES_ARRIVED, time=arrival.time)
    seen = {"count": arrival.count, "bytes": arrival.bytes, "names": list(arrival.names)}
    return on_event(event, read_time(arrival.time), data=seen)


def _take_in(facts: TriggerFacts, draft: TriggerDraft, source: ObjectsSource, job: ApiObject) -> TriggerDraft:
    """Return the draft in which all is done that follows from a look that is over."""
    pods = _pods_of(facts, job)
    before = facts.status.look or LookStatus()
    after = msgspec.structs.replace(before, number=before.number + 1, time=facts.time, message=None)
    found = _result_in(pods)
    if found is None:
        # A pod that went before anybody heard it: the next look announces the same.
        return draft.status(look=msgspec.structs.replace(after, message=_why_it_failed(job, pods)))
    after = msgspec.structs.replace(after, files=found.files, unsettled=found.unsettled)
    if found.first and before.files is not None:
        draft = draft.record(firing_at(facts.time, "Missed", reasons.MEMORY_LOST, messages.memory_lost()))
    if found.arrival is not None and found.arrival.id != before.event:
        draft = make_waiting_run(facts, draft, occasion_of(found.arrival, source))
        after = msgspec.structs.replace(after, event=found.arrival.id)
    return draft.status(look=after)


def next_look(facts: TriggerFacts) -> LookRequest:
    """Return the look that is due next, or at work."""
    last = (facts.status.look if has_begun(facts) else None) or LookStatus()
    return LookRequest(facts.trigger, last.number + 1, last.event)


def _place(facts: TriggerFacts) -> LookPlace | None:
    """Return where is looked; None where there is no Pipeline to say so.

    Raises:
        Refused: the Pipeline cannot be read.
    """
    found, observation = facts.observation.pipeline, facts.observation
    if found is None:
        return None
    return LookPlace(require(found, Pipeline), observation.settings, observation.site)


def _result_in(pods: list[ApiObject]) -> LookResult | None:
    ends = (end for pod in pods if (end := pod_views.exit_of(pod)) is not None and end.code == 0)
    return next((result for end in ends if (result := look_in(end.message)) is not None), None)


def _why_it_failed(job: ApiObject, pods: list[ApiObject]) -> str | None:
    if not job_views.is_failed(job):
        return None
    why = failure_of_pods(pods) or job_failed(*job_views.failure_of(job))
    return shorten(why, _LONGEST_MESSAGE)


def _why_it_waits(facts: TriggerFacts, request: LookRequest) -> str | None:
    """Return why the pod of the look does not begin, where it should have by now."""
    for job in facts.observation.looks.jobs:
        if job_views.name(job) != request.job_name or facts.now < _patience_ends(job):
            continue
        for pod in _pods_of(facts, job):
            if not pod_views.is_over(pod) and pod_views.running_since(pod) is None:
                return pod_views.waits_for(pod, ()).message
    return None


def _is_over(facts: TriggerFacts, job: ApiObject) -> bool:
    """Return whether the look is over, and what its pods said is known: now and then they are seen later."""
    late = (pod for pod in _pods_of(facts, job) if not pod["metadata"].get("deletionTimestamp"))
    return job_views.is_over(job) and not job_views.is_going(job) and all(map(pod_views.is_over, late))


def _pods_of(facts: TriggerFacts, job: ApiObject) -> list[ApiObject]:
    return [pod for pod in facts.observation.looks.pods if pod_views.belongs_to(pod, job_views.uid(job))]


def _requeue_while_at_work(facts: TriggerFacts, draft: TriggerDraft, job: ApiObject) -> TriggerDraft:
    patient_until = _patience_ends(job)
    return draft.requeue_at(patient_until) if facts.now < patient_until else draft


def _patience_ends(job: ApiObject) -> datetime:
    return job_views.creation_time(job) + PATIENCE


def _interval(source: ObjectsSource) -> timedelta:
    return timedelta(seconds=read_duration(source.interval, "spec.objects.interval"))


def _unwanted(facts: TriggerFacts, wanted: set[str]) -> Iterator[ApiObject]:
    looks = facts.observation.looks
    for each in (*looks.jobs, *looks.specifications):
        if each["metadata"]["name"] not in wanted and not each["metadata"].get("deletionTimestamp"):
            yield each
