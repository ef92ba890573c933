"""Servers that are replaced though neither Model nor Pipeline changed: the operator's settings did, as its image.

That is so for all Pipelines at once, after an upgrade, and each has twice its servers until it is done. So a few have a
place at a time. Who holds one is said by its Deployment, and the rest wait; a new Model or spec waits for nobody.
"""

from datetime import datetime, timedelta

from penstock.decide.decision import ApiObject
from penstock.decide.objects.children import MODEL
from penstock.decide.objects.rollout import SPEC_HASH, rollout_of
from penstock.decide.objects.serving import STARTING, Serving
from penstock.decide.ownership import controller_uid
from penstock.decide.pipeline.facts import PipelineFacts, revision_of
from penstock.decide.times import read_time, write_time

PLACE = timedelta(seconds=STARTING)  # how long servers that do not start keep their place
# Of whoever does not come to give its place back, as its Pipeline cannot be read any more, nobody waits for ever.
LONGEST_PLACE = 2 * PLACE


def is_upgrade(facts: PipelineFacts, serving: Serving) -> bool:
    """Return whether these servers are other ones than those that answer for what the operator's settings say alone."""
    revision = facts.service_revision
    there = facts.deployment_of(revision) if revision != serving.revision else None
    return there is not None and _is_of_same_spec(there, serving)


def is_decided_by_later_leader(facts: PipelineFacts, serving: Serving) -> bool:
    """Return whether an operator that led after this one gave the Pipeline other servers of the same Model and spec.

    Its settings are others, of another version maybe. Were they put back, and it were still there, neither would end.
    """
    since = facts.observation.leader_since
    others = (each for each in facts.own_deployments if revision_of(each) != serving.revision)
    return since is not None and any(
        each["spec"].get("replicas") and _is_of_same_spec(each, serving) and _since(each) > write_time(since)
        for each in others
    )


def has_place(facts: PipelineFacts) -> bool:
    """Return whether this Pipeline has one of the places, or one is free."""
    seen = facts.observation
    holders = {controller_uid(each) for each in seen.upgrades if _holds_place(each, facts.now)} | seen.starting_upgrades
    return facts.owner.uid in holders or len(holders) < seen.settings.concurrent_rollouts


def _holds_place(deployment: ApiObject, now: datetime) -> bool:
    since = rollout_of(deployment).upgrade_time
    return since is not None and now < read_time(since) + LONGEST_PLACE


def _is_of_same_spec(deployment: ApiObject, serving: Serving) -> bool:
    metadata = deployment["metadata"]
    # Versions that wrote no hash are all older ones, and it is an upgrade that makes the difference.
    said = (metadata.get("annotations") or {}).get(SPEC_HASH, serving.spec_hash)
    return said == serving.spec_hash and (metadata.get("labels") or {}).get(MODEL) == serving.model.metadata.name


def _since(deployment: ApiObject) -> str:
    return rollout_of(deployment).leader_since or ""
