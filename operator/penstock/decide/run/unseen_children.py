"""A last look for children of a run that may be there although nobody sees them, since a label was taken off.

What is watched is watched by its labels, so that a child without them seems to be gone. Most are then made anew, and
found by that; but what cannot be made anew, or must not be, is looked for by its name before anything follows from its
being gone.
"""

from collections.abc import Iterator

from penstock.api.run import Step
from penstock.decide.decision import Relabel
from penstock.decide.objects.job import job_without_spec
from penstock.decide.objects.results import parts as results_parts
from penstock.decide.objects.results import results_without_data
from penstock.decide.objects.revision import revision_without_data
from penstock.decide.observed import jobs as job_views
from penstock.decide.run.facts import RunFacts
from penstock.decide.run.plan import RETEST, SOURCE
from penstock.decide.run_state import DONE, SUCCEEDED_STATES, status_of


def unseen_records(facts: RunFacts) -> Iterator[Relabel]:
    """Yield a look for what the run is, and for what its parts came to, where the status tells that there are any."""
    status = status_of(facts.run)
    if facts.snapshot is None and status.revision is not None:
        yield Relabel(revision_without_data(facts.owner))
    has_source = status.commit is not None
    if facts.observation.results is None and (has_source or any(map(_may_have_a_result, status.steps))):
        yield Relabel(results_without_data(facts.owner))


def _may_have_a_result(step: Step) -> bool:
    """Return whether a result is recorded, or may be, of a Job that was read and is gone before the status said so."""
    tries = step.tries
    return step.state in SUCCEEDED_STATES or (tries is not None and (tries.number > 1 or tries.interrupted > 0))


def unseen_jobs(facts: RunFacts) -> Iterator[Relabel]:
    """Yield a look for each Job that may be at work: a run does not end beside it.

    That is the last try at each part, by what the status tells, and the one after those that are seen: what the status
    tells of tries may be lost.
    """
    unfinished = [step for step in status_of(facts.run).steps if step.state not in DONE]
    parts = {(SOURCE, 1)} if unfinished else set()
    for step in unfinished:
        parts.add((RETEST if step.name == "deployment" else step.name, 1))
        if step.tries is not None:
            parts.add((step.tries.part, step.tries.number))
    seen = {(job_views.part_of(job), job_views.attempt_of(job)) for job in facts.observation.jobs}
    recorded = frozenset() if facts.observation.results is None else results_parts(facts.observation.results)
    following = {(part, number + 1) for part, number in seen if part not in recorded}
    for part, number in sorted((parts | following) - seen):
        yield Relabel(job_without_spec(facts.owner, part, number, facts.index))
