"""The page of metrics: of the operator, of the receiver of events and of the inference server."""

from collections.abc import Iterable

from penstock.act import metrics as of_operator
from penstock.receiver import metrics as of_receiver
from penstock.reference.markdown import code, codes, page, prose, table
from penstock_jobs.contract.metric_definition import MetricDefinition
from penstock_jobs.serving import metrics as of_server


def operator_metrics() -> tuple[MetricDefinition, ...]:
    """Return what the operator counts."""
    found = of_operator.OperatorMetrics()
    found.watch(lambda: 0.0, lambda: 0.0)
    return tuple(found.definitions)


def receiver_metrics() -> tuple[MetricDefinition, ...]:
    """Return what the receiver of events counts."""
    found = of_receiver.ReceiverMetrics()
    found.watch(lambda: 0.0, lambda: 0.0, lambda: 0.0)
    return tuple(found.definitions)


def server_metrics() -> tuple[MetricDefinition, ...]:
    """Return what an inference server counts."""
    return tuple(of_server.ServerMetrics(dict.fromkeys(of_server.INFORMATION, ""), lambda: 0).definitions)


def metrics_page() -> str:
    """Return the page."""
    return page(
        "Metrics",
        "For Prometheus, at `/metrics`. Labels are bounded: kinds, reasons, routes; never the name of an object, but "
        "for the one Model that a server serves. Of a histogram Prometheus sees `_bucket`, `_sum` and `_count`.",
        "## The operator",
        "On port 8080 of its pod.",
        _table(operator_metrics()),
        "## The receiver of events",
        "On port 8080 of its pod.",
        _table(receiver_metrics()),
        "## The inference server",
        "On the port that it answers on.",
        _table(server_metrics()),
    )


def _table(found: Iterable[MetricDefinition]) -> str:
    rows = [(code(each.name), each.type, codes(each.labels), prose(each.meaning)) for each in found]
    return table(("metric", "type", "labels", "what it counts"), rows)
