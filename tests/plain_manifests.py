"""One of each of our kinds, with as little in it as may be; tests set what they are about."""

from typing import Any

Object = dict[str, Any]

PIPELINE: Object = {
    "apiVersion": "penstock.dev/v1alpha1",
    "kind": "Pipeline",
    "metadata": {"name": "churn"},
    "spec": {"dataset": {"inputs": [{"name": "rows", "uri": "s3://lake/rows.parquet"}], "target": {"column": "left"}}},
}
RUN: Object = {
    "apiVersion": "penstock.dev/v1alpha1",
    "kind": "PipelineRun",
    "metadata": {"name": "churn-1"},
    "spec": {"pipelineRef": {"name": "churn"}},
}
TRIGGER: Object = {
    "apiVersion": "penstock.dev/v1alpha1",
    "kind": "Trigger",
    "metadata": {"name": "nightly"},
    "spec": {"pipelineRef": {"name": "churn"}, "schedule": {"cron": ["0 3 * * *"]}},
}
MODEL: Object = {
    "apiVersion": "penstock.dev/v1alpha1",
    "kind": "Model",
    "metadata": {"name": "churn-1"},
    "spec": {"uri": "s3://models/churn/models/churn-1"},
}
