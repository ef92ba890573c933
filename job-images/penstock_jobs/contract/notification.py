"""What the job that notifies is asked: which event it posts, in which form, and which file holds the URL.

No secret is in it, no credential, and no sentence that a job or a server said: that one may quote a row of the data.
"""

from typing import ClassVar, Literal

from penstock_jobs.contract.document import Document, Form, VersionedDocument, format_of

NOTIFICATION = Form("notification", 1, since="0.1.0")


class OutboundData(Document, frozen=True):
    """What is known of an event; `step` is where a run failed, `message` what was decided of its Model, and why.

    `trigger` is the one that has stopped.
    """

    namespace: str
    pipeline: str
    run: str | None = None
    model: str | None = None
    reason: str | None = None
    step: str | None = None
    verdict: str | None = None
    message: str | None = None
    trigger: str | None = None


class OutboundEvent(Document, frozen=True):
    """Something that happened.

    `id` is a function of it, so that who is told twice can know; `source` and `subject` are as CloudEvents have them.
    `sentence` is for people.
    """

    id: str
    event: str
    source: str
    subject: str
    time: str
    sentence: str
    data: OutboundData


class NotificationRequest(VersionedDocument, frozen=True, kw_only=True):
    """Post this event to the URL that the file holds; `secret` is what the file is of, for sentences."""

    form: ClassVar[Form] = NOTIFICATION

    event: OutboundEvent
    style: Literal["CloudEvent", "Slack"]
    url_file: str
    secret: str
    format: str = format_of(NOTIFICATION)
