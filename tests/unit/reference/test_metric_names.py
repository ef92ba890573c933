"""The names of metrics follow Prometheus' rules: https://prometheus.io/docs/practices/naming/."""

import re

import pytest

from penstock.reference.metrics import operator_metrics, receiver_metrics, server_metrics
from penstock_jobs.contract.metric_definition import MetricDefinition

METRICS = [*operator_metrics(), *receiver_metrics(), *server_metrics()]
BASE_UNITS = ("seconds", "bytes", "ratio")
OTHER_UNITS = {
    *("milliseconds", "microseconds", "nanoseconds", "minutes", "hours", "days", "ms", "us", "ns", "sec", "secs", "s"),
    *("kilobytes", "megabytes", "gigabytes", "kib", "mib", "gib", "bits", "percent", "percents", "age"),
}
TYPES = {"counter", "gauge", "histogram", "summary"}
NAME = re.compile(r"penstock(_[a-z][a-z0-9]*)+")
LABEL = re.compile(r"[a-z][a-z0-9_]*")
OF_HISTOGRAMS = ("_bucket", "_sum", "_count")


@pytest.mark.parametrize("metric", METRICS, ids=lambda each: each.name)
def test_a_name_follows_the_rules_of_prometheus(metric: MetricDefinition) -> None:
    words = metric.name.removesuffix("_total").split("_")

    assert NAME.fullmatch(metric.name), "one prefix, small letters, no colon"
    assert not OTHER_UNITS & set(words), "base units only; a moment and no age"
    assert not TYPES & set(words), "the type is not part of the name"
    assert not metric.name.endswith(OF_HISTOGRAMS)
    assert metric.name.endswith("_total") == (metric.type == "counter")
    assert not set(BASE_UNITS) & set(words[:-1]), "the unit comes last"
    assert metric.type != "histogram" or words[-1] in BASE_UNITS, "what is measured has a unit"


@pytest.mark.parametrize("metric", METRICS, ids=lambda each: each.name)
def test_a_label_is_none_of_prometheus_own_and_names_no_object(metric: MetricDefinition) -> None:
    for label in metric.labels:
        assert LABEL.fullmatch(label)
        assert label not in ("le", "quantile", "job", "instance")
        assert label not in ("namespace", "run", "pipeline", "uid", "pod")


def test_no_two_metrics_of_a_process_have_one_name() -> None:
    for found in (operator_metrics(), receiver_metrics(), server_metrics()):
        names = [each.name for each in found]
        assert len(names) == len(set(names))


@pytest.mark.parametrize("metric", METRICS, ids=lambda each: each.name)
def test_its_meaning_is_said(metric: MetricDefinition) -> None:
    assert metric.meaning.endswith(".")
