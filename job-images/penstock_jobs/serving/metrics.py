"""What the server counts, for Prometheus. The labels are bounded: routes, statuses, and the one Model."""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

disable_created_metrics()  # type: ignore[no-untyped-call]  # prometheus-client types all but this one


class Metrics:
    """What happened since the start, in a registry of its own.

    Attributes:
        in_flight: requests being answered now.
        rows: answered.
    """

    def __init__(self, information: dict[str, str], runs: Callable[[], int]) -> None:
        """Take the labels of the Model that is served, and what tells how many times it was run."""
        self._registry = registry = CollectorRegistry()
        model = Gauge("penstock_model_info", "The Model that is served.", list(information), registry=registry)
        model.labels(**information).set(1)
        self.in_flight = Gauge("penstock_requests_in_flight", "Requests being answered.", registry=registry)
        self.rows = Counter("penstock_rows", "Rows answered.", registry=registry)
        self._requests = Counter(
            "penstock_requests", "Requests, by route and HTTP status.", ["route", "code"], registry=registry
        )
        self._seconds = Histogram(
            "penstock_inference_seconds",
            "From a request's headers to its answer, inference only.",
            buckets=BUCKETS,
            registry=registry,
        )
        registry.register(_ModelRuns(runs))

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count a request to a route, its status, and how long it took from its headers to its answer."""
        self._requests.labels(route, str(status)).inc()
        if route == "infer":
            self._seconds.observe(seconds)

    def text(self) -> bytes:
        """Return the metrics in Prometheus' text format."""
        return generate_latest(self._registry)


class _ModelRuns(Collector):
    def __init__(self, runs: Callable[[], int]) -> None:
        self._runs = runs

    def collect(self) -> Iterable[CounterMetricFamily]:
        words = "Runs of the Model; each answers the rows that wait."
        yield CounterMetricFamily("penstock_model_runs", words, value=self._runs())
