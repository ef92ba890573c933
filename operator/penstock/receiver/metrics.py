"""What the receiver counts, with labels that are bounded: outcomes and words; never a Trigger's name."""

from collections.abc import Callable

from penstock.daemon.metrics import QUICK, DefinedMetrics


class ReceiverMetrics(DefinedMetrics):
    """All metrics of one receiver."""

    def __init__(self) -> None:
        super().__init__()
        self._events = self._counter(
            "receiver_events",
            "Events that were taken: accepted, of which a run was made; duplicate, of which there is one; skipped, "
            "which the Trigger does not wait for.",
            ["outcome"],
        )
        self._refused = self._counter("receiver_requests_refused", "Requests that were refused, by why.", ["reason"])
        self._closed = self._counter(
            "receiver_connections_closed",
            "Connections closed to make room: new ones that found none, or what the slowest was at.",
            ["state"],
        )
        self._reviews = self._counter(
            "receiver_reviews", "Questions to the API server about callers: tokens, and rights.", ["kind"]
        )
        self._writes = self._counter("receiver_api_writes", "Writes that the API server accepted.", ["verb", "kind"])
        self._seconds = self._histogram("receiver_request_seconds", "How long a request took.", [], QUICK)

    def watch(
        self, connections: Callable[[], float], pending: Callable[[], float], bodies: Callable[[], float]
    ) -> None:
        """Show what is there now."""
        self._gauge("receiver_connections", "Connections that are open.", []).set_function(connections)
        self._gauge("receiver_runs_pending", "Runs that wait for their Trigger to decide.", []).set_function(pending)
        self._gauge("receiver_body_bytes", "Bytes of the bodies that are held.", []).set_function(bodies)

    def count_event(self, outcome: str) -> None:
        """Count an event that was taken."""
        self._events.labels(outcome).inc()

    def count_refusal(self, reason: str) -> None:
        """Count a request that was refused."""
        self._refused.labels(reason).inc()

    def count_closed(self, state: str) -> None:
        """Count a connection that was closed to make room."""
        self._closed.labels(state).inc()

    def count_review(self, kind: str) -> None:
        """Count a question about a caller."""
        self._reviews.labels(kind).inc()

    def count_write(self, verb: str, kind: str) -> None:
        """Count a write."""
        self._writes.labels(verb, kind).inc()

    def observe_request(self, seconds: float) -> None:
        """Count how long a request took."""
        self._seconds.observe(seconds)
