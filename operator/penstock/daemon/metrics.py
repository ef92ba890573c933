"""A registry of metrics that knows what each of them is, for the reference.

Labels are bounded: kinds, verbs, classes of errors, reasons; never an object's name.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest

from penstock_jobs.contract.metric_definition import MetricDefinition

disable_created_metrics()  # type: ignore[no-untyped-call]  # twice the text, for what nobody asks

QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class DefinedMetrics:
    """The metrics of one process; `definitions` say what each is."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.definitions: list[MetricDefinition] = []

    def text(self) -> bytes:
        """Return all of it, as Prometheus reads it."""
        return generate_latest(self.registry)

    def _counter(self, name: str, said: str, labels: list[str]) -> Counter:
        self.definitions.append(MetricDefinition(f"penstock_{name}_total", "counter", said, tuple(labels)))
        return Counter(f"penstock_{name}", said, labels, registry=self.registry)

    def _histogram(self, name: str, said: str, labels: list[str], buckets: tuple[float, ...]) -> Histogram:
        self.definitions.append(MetricDefinition(f"penstock_{name}", "histogram", said, tuple(labels)))
        return Histogram(f"penstock_{name}", said, labels, buckets=buckets, registry=self.registry)

    def _gauge(self, name: str, said: str, labels: list[str]) -> Gauge:
        self.definitions.append(MetricDefinition(f"penstock_{name}", "gauge", said, tuple(labels)))
        return Gauge(f"penstock_{name}", said, labels, registry=self.registry)
