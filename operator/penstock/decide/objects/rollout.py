"""What a Deployment of servers remembers of how it came up: an annotation of it, since a status can be lost.

It is of one revision, and goes with it. Versions of Penstock read each other's: what one does not know it passes over.
"""

import msgspec

from penstock.api.schema import GROUP
from penstock.decide.decision import ApiObject, Create, Patch, Write

ROLLOUT = f"{GROUP}/rollout"  # an annotation of a Deployment: a `Rollout`, as JSON
SPEC_HASH = f"{GROUP}/spec-hash"  # an annotation of a Deployment: what its Pipeline and Model say of its servers


class Rollout(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """How servers came up, or are to.

    Attributes:
        start_time: when they were started last; None of those that were started when they were made.
        tries: how often they were given up since they last served.
        retry_time: when they are tried again; None where that would not help, and where they were not given up.
        upgrade_time: since when this Pipeline has one of the places for servers that only the operator's own settings
            have changed; None of all other servers.
        leader_since: since when the operator led for whose settings they were started; None of all other servers.
    """

    start_time: str | None = None
    tries: int = 0
    retry_time: str | None = None
    upgrade_time: str | None = None
    leader_since: str | None = None


def rollout_of(deployment: ApiObject) -> Rollout:
    """Return what the Deployment remembers; nothing where it is not there, or somebody has written something else."""
    text = ((deployment.get("metadata") or {}).get("annotations") or {}).get(ROLLOUT)
    if not isinstance(text, str):
        return Rollout()
    try:
        return msgspec.json.decode(text, type=Rollout)
    except msgspec.MsgspecError:
        return Rollout()


def rollout_annotations(rollout: Rollout) -> dict[str, str | None]:
    """Return the annotation that remembers this, for a patch: none where there is nothing to remember."""
    return {ROLLOUT: msgspec.json.encode(rollout).decode() if rollout != Rollout() else None}


def starts_upgrade(write: Write) -> bool:
    """Return whether the write takes one of the places for Pipelines whose servers the operator's settings change."""
    match write:
        case Create(object=made):
            content = made
        case Patch(kind="Deployment"):
            content = write.content
        case _:
            return False
    return rollout_of(content).upgrade_time is not None
