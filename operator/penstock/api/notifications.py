"""Who is told what happens: at a URL that a Secret holds, as a CloudEvent or in Slack's form."""

from typing import Annotated, Literal

from penstock.api.credentials import SecretKey
from penstock.api.scalars import LABEL, ObjectName, Timestamp
from penstock.api.schema import Value, field

EventName = Literal[
    "RunSucceeded",
    "RunFailed",
    "RunCancelled",
    "ModelSelected",
    "ModelServed",
    "ModelSentBack",
    "ModelRefused",
    "TriggerStopped",
]
DeliveryState = Literal["Pending", "Delivered", "Refused", "Unavailable", "GivenUp", "Removed"]
# A status has room for what became of each event for so many: those of the Pipeline, and those of the operator.
MOST_NOTIFICATIONS, MOST_OF_OPERATOR = 4, 2
MOST_EVENTS = 5  # in the status of a Pipeline or Trigger
NotificationName = Annotated[str, field("Its name.", min_length=1, max_length=32, pattern=LABEL)]


class Notification(Value, frozen=True, kw_only=True):
    """An address that is told when something happens. What cannot be delivered holds up nothing."""

    name: NotificationName
    url: Annotated[SecretKey, field("The Secret, and the key in it, that holds the URL to which each event is posted.")]
    format: Annotated[
        Literal["CloudEvent", "Slack"],
        field(
            "What is posted: a CloudEvent (1.0, structured, JSON), or a message as incoming webhooks of Slack and "
            "Mattermost take it."
        ),
    ] = "CloudEvent"
    events: Annotated[
        tuple[EventName, ...], field("Which events it is told; all where none is named.", unique=True, max_length=16)
    ] = ()


class Delivery(Value, frozen=True, kw_only=True):
    """What became of an event for one notification."""

    name: NotificationName
    state: Annotated[
        DeliveryState,
        field(
            "How far it is. `Refused` and `Unavailable` are the receiver's doing, after which it is not asked again; "
            "`GivenUp` is a day later; `Removed` is a notification that is not there any more. An Event says more."
        ),
    ]


class NotifiedEvent(Value, frozen=True, kw_only=True):
    """Something that happened and of which somebody is told, or was."""

    id: Annotated[str, field("What the receiver knows it by: the same each time it is posted.", max_length=32)]
    event: Annotated[EventName, field("What happened.")]
    time: Annotated[Timestamp, field("When it did.")]
    model: Annotated[ObjectName, field("The Model that it happened to.")] | None = None
    run: Annotated[ObjectName, field("The run that proposed that Model, or that failed last.")] | None = None
    reason: Annotated[str, field("Why it happened, in one word.", max_length=64)] | None = None
    deliveries: Annotated[
        tuple[Delivery, ...],
        field("What became of it for each.", keys=("name",), max_length=MOST_NOTIFICATIONS + MOST_OF_OPERATOR),
    ] = ()
