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
_TABLE: Object = {"uri": "s3://ml-team/churn/datasets/training", "version": 0}
MODEL: Object = {
    "apiVersion": "penstock.dev/v1alpha1",
    "kind": "Model",
    "metadata": {"name": "churn-1"},
    "spec": {
        "uri": "s3://models/churn/models/churn-1",
        "digest": "sha256:" + "0" * 64,
        "task": "Regression",
        "target": {"column": "left", "type": "Float"},
        "features": [{"name": "age", "type": "Float"}],
        "serving": {"format": "ONNX", "file": "model.onnx"},
        "origin": {
            "pipelineRef": {"name": "churn"},
            "runRef": {"uid": "6c4a1e9e"},
            "executionName": "churn-1",
            "candidate": "f5ca20ce",
            "algorithm": "linear",
            "estimator": "sklearn.linear_model.Ridge",
            "seed": 0,
        },
        "lineage": {
            "storage": "s3://ml-team/churn",
            "strategy": "Key",
            "salt": "churn",
            "epoch": 0,
            "generation": 0,
            "training": _TABLE,
            "validation": _TABLE,
            "testing": _TABLE,
        },
        "creationTime": "2026-01-31T03:00:00Z",
    },
}
