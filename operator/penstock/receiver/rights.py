"""What the receiver asks of the API server. A test compares the roles of the chart with it."""

from penstock.kubernetes.kinds import ACCESS_REVIEW, EVENT, RUN, TOKEN_REVIEW, TRIGGER
from penstock.kubernetes.rights import FOLLOW, Rights

_CREATE = frozenset({"create"})

RIGHTS: Rights = {
    (TRIGGER, None): FOLLOW,
    (RUN, None): FOLLOW | _CREATE | {"get"},  # an event is a run; those that wait are counted
    (EVENT, None): _CREATE,  # why an event starts no run
    (TOKEN_REVIEW, None): _CREATE,  # whose a token is
    (ACCESS_REVIEW, None): _CREATE,  # what they may do
}
