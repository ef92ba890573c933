"""The Jobs that tell somebody of a run, Pipeline or Trigger, and their pods: nothing waits for them."""

from dataclasses import dataclass

from penstock.decide.decision import ApiObject


@dataclass(frozen=True)
class Senders:
    """Those whose label `penstock.dev/notification` is the uid of that object."""

    jobs: tuple[ApiObject, ...] = ()
    pods: tuple[ApiObject, ...] = ()
