"""The Jobs that tell somebody of a run or Pipeline, and their pods: no part of a run, and nothing waits for them."""

from dataclasses import dataclass

from penstock.decide.decision import ApiObject


@dataclass(frozen=True)
class Senders:
    """Those whose label `penstock.dev/notification` is the uid of the run or Pipeline."""

    jobs: tuple[ApiObject, ...] = ()
    pods: tuple[ApiObject, ...] = ()
