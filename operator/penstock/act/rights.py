"""What the operator asks of the API server. A test compares the roles of the chart with it, and others what it asks."""

from penstock.act.kueue import WORKLOADS
from penstock.kubernetes.kinds import (
    CONFIG_MAP,
    CONTROLLER_REVISION,
    CORE_EVENT,
    DEFINITION,
    DEPLOYMENT,
    EVENT,
    JOB,
    LEASE,
    MODEL,
    NAMESPACE,
    PIPELINE,
    POD,
    RUN,
    SERVICE,
    TRIGGER,
)
from penstock.kubernetes.rights import FOLLOW, WRITE, Rights

_LOOK_AGAIN = frozenset({"get"})  # at one object, where the cache was found to be behind
_PATCH = frozenset({"patch"})

RIGHTS: Rights = {
    (PIPELINE, None): FOLLOW | _LOOK_AGAIN,
    (TRIGGER, None): FOLLOW | _LOOK_AGAIN,
    (RUN, None): FOLLOW | _LOOK_AGAIN | WRITE,  # those of Triggers are made; may begin, or are cancelled; retention
    (MODEL, None): FOLLOW | _LOOK_AGAIN | WRITE,
    **{(kind, "status"): _PATCH for kind in (PIPELINE, RUN, MODEL, TRIGGER)},
    **{
        (kind, None): FOLLOW | _LOOK_AGAIN | WRITE
        for kind in (JOB, CONTROLLER_REVISION, DEPLOYMENT, CONFIG_MAP, SERVICE)
    },
    (POD, None): FOLLOW,  # Jobs and Deployments make them
    (POD, "log"): frozenset({"get"}),  # its end has what a result was too long for
    (NAMESPACE, None): frozenset({"get"}),  # whether it is being deleted: that deletes no file
    (DEFINITION, None): frozenset({"get"}),  # the same
    (CORE_EVENT, None): frozenset({"list"}),  # why a pod waits
    (EVENT, None): frozenset({"create"}),
    **{(kind, None): FOLLOW for kind in WORKLOADS},  # why a Job waits in a queue of Kueue
    (LEASE, None): frozenset({"get", "create", "patch"}),
}
