"""What the server counts, for Prometheus. The labels are bounded: routes, statuses, and the one Model."""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from penstock_jobs.contract.metric_definition import MetricDefinition

BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

INFORMATION = ("name", "model", "version")
"""The labels that tell which Model is served, and as what."""

disable_created_metrics()  # type: ignore[no-untyped-call]  # prometheus-client types all but this one


class ServerMetrics:
    """What happened since the start, in a registry of its own.

    Attributes:
        in_flight: requests being answered now.
        rows: answered.
        definitions: what each metric is.
    """

    def __init__(self, information: dict[str, str], runs: Callable[[], int]) -> None:
        """Take the labels `INFORMATION` of the Model that is served, and what tells how many times it was run."""
        self.registry = CollectorRegistry()
        self.definitions: list[MetricDefinition] = []
        self._gauge("model_info", "The Model that is served.", INFORMATION).labels(**information).set(1)
        self.in_flight = self._gauge("requests_in_flight", "Requests being answered.")
        self.rows = self._counter("rows", "Rows answered.")
        self._requests = self._counter("requests", "Requests, by route and HTTP status.", ("route", "code"))
        self._seconds = self._histogram("inference_seconds", "From a request's headers to its answer, inference only.")
        self._count_runs("model_runs", "Runs of the Model; each answers the rows that wait.", runs)

    def count_answer(self, route: str, status: int, seconds: float) -> None:
        """Count a request to a route, its status, and how long it took from its headers to its answer."""
        self._requests.labels(route, str(status)).inc()
        if route == "infer":
            self._seconds.observe(seconds)

    def text(self) -> bytes:
        """Return the metrics in Prometheus' text format."""
        return generate_latest(self.registry)

    def _counter(self, name: str, meaning: str, labels: tuple[str, ...] = ()) -> Counter:
        self.definitions.append(MetricDefinition(f"penstock_{name}_total", "counter", meaning, labels))
        return Counter(f"penstock_{name}", meaning, labels, registry=self.registry)

    def _gauge(self, name: str, meaning: str, labels: tuple[str, ...] = ()) -> Gauge:
        self.definitions.append(MetricDefinition(f"penstock_{name}", "gauge", meaning, labels))
        return Gauge(f"penstock_{name}", meaning, labels, registry=self.registry)

    def _histogram(self, name: str, meaning: str) -> Histogram:
        self.definitions.append(MetricDefinition(f"penstock_{name}", "histogram", meaning))
        return Histogram(f"penstock_{name}", meaning, buckets=BUCKETS, registry=self.registry)

    def _count_runs(self, name: str, meaning: str, runs: Callable[[], int]) -> None:
        self.definitions.append(MetricDefinition(f"penstock_{name}_total", "counter", meaning))
        self.registry.register(_ModelRuns(f"penstock_{name}", meaning, runs))


class _ModelRuns(Collector):
    def __init__(self, name: str, meaning: str, runs: Callable[[], int]) -> None:
        self._name, self._meaning, self._runs = name, meaning, runs

    def collect(self) -> Iterable[CounterMetricFamily]:
        yield CounterMetricFamily(self._name, self._meaning, value=self._runs())
