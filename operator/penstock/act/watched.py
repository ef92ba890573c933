"""What is watched and listed: our own kinds, and of the others only what runs and Pipelines made."""

from dataclasses import dataclass

from penstock.decide.objects import children
from penstock.kubernetes.kinds import (
    CONFIG_MAP,
    CONTROLLER_REVISION,
    DEPLOYMENT,
    JOB,
    MODEL,
    PIPELINE,
    POD,
    RUN,
    SERVICE,
    TRIGGER,
    Kind,
)


@dataclass(frozen=True)
class Watched:
    """A kind, and the label selector that the API server filters by."""

    kind: Kind
    selector: str | None = None


WATCHED = (
    # Children first: a run that is looked at while the rest is still being listed would seem to have none.
    *(Watched(kind, children.PIPELINE) for kind in (CONTROLLER_REVISION, POD, JOB, CONFIG_MAP, DEPLOYMENT, SERVICE)),
    Watched(MODEL),
    Watched(PIPELINE),
    Watched(RUN),
    Watched(TRIGGER),
)
