"""Servers that do not become ready: given up, so that they hold no room, and tried again where that may help.

Another try helps where there was no room, or nothing answered; servers that refuse what they are to serve refuse it
again. A new Model that was not ready in its time is the failure of its run, which has ended. So it is other servers of
the Model that is served already that are tried again: after a change of the spec, or of the operator's settings.
"""

from datetime import timedelta

import msgspec

from penstock.decide import messages, reasons
from penstock.decide.backoff import wait_before
from penstock.decide.decision import ApiObject, Patch
from penstock.decide.objects.rollout import rollout_annotations, rollout_of
from penstock.decide.objects.serving import ROLLOUT_FAILED, Serving
from penstock.decide.pipeline import messages as pipeline_messages
from penstock.decide.pipeline.draft import PipelineDraft
from penstock.decide.pipeline.facts import PipelineFacts, revision_of
from penstock.decide.pipeline.selected_servers import keep_selected, unless_none_answers
from penstock.decide.pipeline.servers import Failure, Servers
from penstock.decide.serving import pinned_model, served_model
from penstock.decide.times import read_time, write_time

FIRST_WAIT = 600.0  # seconds before servers are tried again that were given up once


def rollout_failure(facts: PipelineFacts, there: Servers | None, target: str) -> Failure | None:
    """Return why these servers do not become ready, or None where they may yet, or are to be tried again now."""
    if there is None or facts.service_revision == revision_of(there.deployment):
        return None
    is_served = served_model(facts.pipeline) == target
    if is_served and facts.deployment_of(facts.service_revision) is None:
        return None  # what the Service selects is gone, or the Service is: there is nothing to go back to
    marked = failure_annotation(there.deployment)
    if marked is None:
        return there.failure(facts.now) if there.deployment["spec"].get("replicas") else None
    if is_served:
        retry = rollout_of(there.deployment).retry_time
        is_due = retry is not None and facts.now >= read_time(retry)
        return None if is_due else Failure(marked, is_final=retry is None)
    return Failure(marked) if pinned_model(facts.pipeline) != target else None  # pinned by hand, it goes on trying


def fail_rollout(
    facts: PipelineFacts, draft: PipelineDraft, serving: Serving, there: ApiObject, failure: Failure
) -> PipelineDraft:
    """Return the draft in which these servers are given up, and those that answer are kept."""
    target, kept = serving.model.metadata.name or "", served_model(facts.pipeline)
    is_pinned = pinned_model(facts.pipeline) == target
    draft = keep_selected(facts, draft, serving)
    if not is_pinned:
        draft = draft.status(selected_model=kept)
    if kept == target:
        return _try_again(facts, draft, target, there, failure)
    if not is_pinned and failure_annotation(there) is None:
        draft = draft.with_writes(_give_up(facts, there, failure, None))
    # Who pins a Model wants that one: the old one that still answers is not what the spec says.
    message = messages.model_not_ready(target, kept, failure.message)
    stalled = kept is None or is_pinned
    draft = draft.ready("True" if kept else "False", reasons.ROLLOUT_FAILED, message, stalled=stalled)
    return unless_none_answers(facts, draft, kept)


def failure_annotation(there: ApiObject) -> str | None:
    """Return why these servers were given up, where they were."""
    said = (there["metadata"].get("annotations") or {}).get(ROLLOUT_FAILED)
    return None if said is None else str(said)


def _try_again(
    facts: PipelineFacts, draft: PipelineDraft, target: str, there: ApiObject, failure: Failure
) -> PipelineDraft:
    """Return the draft in which other servers of the served Model were given up: for a while, or for good."""
    retry = rollout_of(there).retry_time
    if failure_annotation(there) is None:
        wait = wait_before(rollout_of(there).tries + 1, FIRST_WAIT)
        retry = None if failure.is_final else write_time(facts.now + timedelta(seconds=wait))
        draft = draft.with_writes(_give_up(facts, there, failure, retry))
    message = pipeline_messages.servers_not_replaced(target, failure.message)
    if retry is not None:
        draft, message = draft.requeue_at(read_time(retry)), pipeline_messages.next_rollout(message, retry)
    # Somebody has to mend what would be refused again; the rest may mend itself.
    draft = draft.ready("True", reasons.ROLLOUT_FAILED, message, stalled=failure.is_final)
    return unless_none_answers(facts, draft, target)


def _give_up(facts: PipelineFacts, there: ApiObject, failure: Failure, retry: str | None) -> Patch:
    before = rollout_of(there)
    after = msgspec.structs.replace(
        before, start_time=None, tries=before.tries + 1, retry_time=retry, upgrade_time=None
    )
    annotations = {ROLLOUT_FAILED: failure.message[:512], **rollout_annotations(after)}
    return Patch.of(there, {"metadata": {"annotations": annotations}, "spec": {"replicas": 0}})
