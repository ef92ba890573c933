"""What is kept of a run, and how long: its revision as long as one of its Models, its Jobs for a while.

What its Jobs were asked to do goes with its end: nobody reads it again, and it is most of what a run would leave.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from penstock.api.quantities import read_duration
from penstock.api.schema import API_VERSION
from penstock.decide.decision import ApiObject, Delete, Patch
from penstock.decide.objects.results import parts
from penstock.decide.observed import jobs as job_views
from penstock.decide.observed import pods as pod_views
from penstock.decide.run.draft import RunDraft
from penstock.decide.run.facts import RunFacts
from penstock.decide.run_state import status_of
from penstock.decide.times import read_time


def apply_retention(facts: RunFacts, draft: RunDraft) -> RunDraft:
    """Return the draft that also keeps what is to be kept, and lets go what is not."""
    draft = _end_what_goes_on(facts, draft.with_writes(*_patch_revision_owners(facts)))
    finished = status_of(facts.run).completion_time
    if finished is None:
        return draft
    draft = draft.with_writes(*_delete_specifications(facts))
    until = read_time(finished) + _job_retention(facts)
    if facts.now < until:
        return draft.requeue_at(until) if facts.observation.jobs else draft
    return draft.with_writes(
        *(job_views.deletion(job) for job in facts.observation.jobs if not job_views.is_going(job))
    )


def _delete_specifications(facts: RunFacts) -> Iterator[Delete]:
    """Yield the deletions of the specifications, once no Job is left whose pod may be made again and ask for them."""
    if all(job_views.is_over(job) for job in facts.observation.jobs):
        for there in facts.observation.specifications:
            if not there["metadata"].get("deletionTimestamp"):
                yield Delete.of(there)


def _end_what_goes_on(facts: RunFacts, draft: RunDraft) -> RunDraft:
    """Return the draft that ends the Jobs whose result is recorded and whose pods go on: of a sidecar, say.

    Penstock puts none into its pods, but a mesh may; the node, and its GPUs, would be held as long as Jobs are kept.
    One whose pod is gone would have another, for what is recorded already.
    """
    recorded = set() if facts.observation.results is None else set(parts(facts.observation.results))
    for job in facts.observation.jobs:
        if job_views.part_of(job) not in recorded or job_views.is_over(job) or job_views.is_going(job):
            continue
        own = [pod for pod in facts.observation.pods if pod_views.belongs_to(pod, job_views.uid(job))]
        if not own:
            draft = draft.with_writes(job_views.deletion(job))
            continue
        ends = [pod_views.exit_of(pod) for pod in own if not pod_views.has_ended(pod)]
        if not ends or not all(end is not None and end.finished for end in ends):
            continue
        until = (
            max(read_time(end.finished) for end in ends if end is not None and end.finished) + pod_views.SIDECAR_GRACE
        )
        draft = draft.requeue_at(until) if facts.now < until else draft.with_writes(job_views.deletion(job))
    return draft


def _job_retention(facts: RunFacts) -> timedelta:
    return timedelta(seconds=read_duration(facts.observation.settings.jobs_kept, "jobsKept"))


def _patch_revision_owners(facts: RunFacts) -> Iterator[Patch]:
    """Yield the write that makes the run's Models owners of its revision, which is then there as long as they are."""
    revision = facts.observation.revision
    if revision is None or revision["metadata"].get("deletionTimestamp"):
        return
    metadata = revision["metadata"]
    owners = list(metadata.get("ownerReferences") or ())
    known = {owner["uid"] for owner in owners}
    new = [_reference(model) for model in _models_of_run(facts) if model["metadata"]["uid"] not in known]
    if new:
        yield Patch(
            api_version="apps/v1",
            kind="ControllerRevision",
            namespace=metadata["namespace"],
            name=metadata["name"],
            uid=metadata["uid"],
            content={"metadata": {"ownerReferences": [*owners, *new]}},
            resource_version=metadata["resourceVersion"],
        )


def _models_of_run(facts: RunFacts) -> Iterable[ApiObject]:
    results = facts.observation.results
    # Whether its result can be read is no matter here.
    trained = results is not None and "training" in parts(results)
    return facts.observation.models.of_run(facts.owner.uid) if trained else ()


def _reference(model: ApiObject) -> dict[str, str]:
    metadata = model["metadata"]
    return {"apiVersion": API_VERSION, "kind": "Model", "name": metadata["name"], "uid": metadata["uid"]}
