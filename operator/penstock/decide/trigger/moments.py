"""The source `schedule`: a run for each moment that is due, and what is said of those that have none."""

from datetime import UTC, datetime, timedelta

import msgspec

from penstock.api.quantities import read_duration
from penstock.api.trigger import Firing, Trigger
from penstock.api.trigger_sources import ScheduleSource
from penstock.decide import reasons
from penstock.decide.decision import ApiObject
from penstock.decide.times import read_time, write_time
from penstock.decide.trigger import messages, own_runs
from penstock.decide.trigger.draft import TriggerDraft, firing
from penstock.decide.trigger.facts import TriggerFacts
from penstock.decide.trigger.firing_words import fired
from penstock.decide.trigger.missed import ON_TIME, CatchUp, DueAndMissed, due_and_missed
from penstock.decide.trigger.occasion import at_moment
from penstock.decide.trigger.schedule import Schedule, delay_within, next_moment
from penstock.decide.trigger.start import start_run


def schedule_of(trigger: Trigger, source: ScheduleSource) -> Schedule:
    """Return the schedule of a Trigger; its moments are told apart to the second, as a status keeps them."""
    jitter = timedelta(0)
    if source.jitter is not None:
        jitter = timedelta(seconds=read_duration(source.jitter, "spec.schedule.jitter"))
    return Schedule(
        expressions=source.cron,
        moments=tuple(read_time(each).astimezone(UTC).replace(microsecond=0) for each in source.moments),
        time_zone=source.time_zone,
        delay=delay_within(jitter, trigger.metadata.uid or ""),
    )


def catch_up_of(trigger: Trigger, source: ScheduleSource) -> CatchUp:
    """Return which missed moments of a Trigger still start a run."""
    deadline = read_duration(trigger.spec.starting_deadline, "spec.startingDeadline")
    return CatchUp(policy=source.catch_up, limit=source.catch_up_limit, starting_deadline=timedelta(seconds=deadline))


def fire_moments(facts: TriggerFacts, draft: TriggerDraft, source: ScheduleSource) -> TriggerDraft:
    """Return the draft in which every moment up to now is dealt with: its run is made, or it is said why not."""
    schedule = schedule_of(facts.trigger, source)
    found = due_and_missed(schedule, catch_up_of(facts.trigger, source), facts.baseline, facts.now)
    made = {
        own_runs.scheduled_time(run): run for run in _made_between(facts, write_time(facts.baseline), found.baseline)
    }
    firings = [fired(run) for run in made.values()]
    # Several at once begin one after the other, as their Trigger lets them.
    waits = len(found.due) > 1 and facts.spec.concurrency_policy != "Allow"
    for moment in found.due:
        if write_time(moment) not in made:
            late = facts.now - schedule.delay - moment >= ON_TIME
            draft, said = start_run(facts, draft, at_moment(moment), late=late, waits=waits)
            firings.append(said)
    listed = [
        firing(at_moment(each.moment), "Missed", reasons.MISSED, each.sentence)
        for each in found.last_missed
        if write_time(each.moment) not in made
    ]
    # Runs of an earlier try, which was killed before its status, may be of moments that are missed by now.
    overdue = len(made) - sum(write_time(each) in made for each in found.due)
    draft = _record(draft, sorted([*firings, *listed], key=lambda each: each.time), found, overdue, len(listed))
    dealt_with = write_time(found.baseline) if found.baseline > facts.baseline else draft.current.last_schedule_time
    following = found.next_moment
    return draft.status(
        last_schedule_time=dealt_with, next_schedule_time=None if following is None else write_time(following)
    ).requeue_at(None if following is None else following + schedule.delay)


def foresee_moment(facts: TriggerFacts, draft: TriggerDraft, source: ScheduleSource) -> TriggerDraft:
    """Return the draft of a Trigger that has just begun, which says what comes next."""
    following = next_moment(schedule_of(facts.trigger, source), facts.now)
    return draft.status(next_schedule_time=None if following is None else write_time(following))


def _made_between(facts: TriggerFacts, after: str, until: datetime) -> list[ApiObject]:
    """Return the runs that were made for moments in between, and not recorded yet."""
    return [
        run
        for run in facts.own_runs
        if own_runs.event_of(run) is None and after < own_runs.scheduled_time(run) <= write_time(until)
    ]


def _record(draft: TriggerDraft, firings: list[Firing], found: DueAndMissed, overdue: int, listed: int) -> TriggerDraft:
    unlisted = max(found.missed_count - overdue - listed, 0)
    if unlisted:
        before = messages.many_missed(unlisted, not found.is_exact)
        first = next((index for index, each in enumerate(firings) if each.outcome == "Missed"), None)
        if first is not None:
            firings[first] = _with_message(firings[first], f"{firings[first].message} {before}")
    return draft.count("Missed", unlisted).record(*firings) if firings else draft


def _with_message(said: Firing, message: str) -> Firing:
    return msgspec.structs.replace(said, message=message)
