"""How much of a request is taken at most. What is beyond is refused before it costs anything."""

from typing import Annotated

from msgspec import Meta

from penstock_jobs.contract.document import Document

AUDIENCE = "penstock.dev/receiver"
"""Whom the tokens of callers are for, where the chart says nobody else."""


class Limits(Document, frozen=True, kw_only=True):
    """The bounds of requests; what they allow together bounds the memory of the receiver.

    `body` is bytes of one request, and `bodies` of all that are held at once; `batch` is events of one request, `depth`
    how deep JSON may be nested, and `values` how many values an event may have in all. `seconds` is how long the
    headers, and then the body, may take to arrive; `connections` how many may be open at once, and `requests` of how
    many the events are dealt with at once. `pending` is how many runs of one Trigger may wait to begin.
    """

    body: Annotated[int, Meta(ge=1024, le=32 << 20)] = 1 << 20
    bodies: Annotated[int, Meta(ge=1 << 20, le=1 << 30)] = 32 << 20
    batch: Annotated[int, Meta(ge=1, le=1000)] = 100
    depth: Annotated[int, Meta(ge=4, le=200)] = 64
    values: Annotated[int, Meta(ge=100, le=1_000_000)] = 100_000
    seconds: Annotated[int, Meta(ge=1, le=120)] = 10
    connections: Annotated[int, Meta(ge=8, le=10_000)] = 256
    requests: Annotated[int, Meta(ge=1, le=64)] = 8
    pending: Annotated[int, Meta(ge=1, le=100_000)] = 1000
