"""A Pipeline, a run of it, and what its jobs report, as the API server and the pods have them."""

import copy
from datetime import UTC, datetime
from typing import Any

import yaml

from manifest_changes import named
from penstock_jobs.contract.manifest import Lineage, ModelManifest, Origin, ServedFile
from penstock_jobs.contract.result import (
    CandidateScore,
    Column,
    Comparison,
    DatasetResult,
    JobResult,
    LeakProof,
    ModelReference,
    ModelScores,
    ScoreResult,
    TableVersion,
    TestingResult,
    TrainingResult,
)
from penstock_jobs.contract.termination_message import TerminationMessage

BEGINNING = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
NAMESPACE = "team"
RUN_UID = "0f3c6a52-9d1e-4b7a-8a55-6f1f5b6d2c11"
PIPELINE_UID = "aa0e5a3a-53f1-4e68-9d77-0de4b9f6f0c0"

PIPELINE = yaml.safe_load("""
apiVersion: penstock.dev/v1alpha1
kind: Pipeline
metadata: {name: churn, namespace: team}
spec:
  storage: {s3: {bucket: ml-team, prefix: churn}}
  dataset:
    inputs: [{name: customers, uri: "s3://lake/customers.parquet"}]
    target: {column: left}
    task: Classification
    key: [customer_id]
  training:
    scoring: {name: roc_auc}
    algorithms: [{name: linear, estimator: sklearn.linear_model.LogisticRegression}]
  testing: {}
  deployment: {}
  jobs:
  - {name: dataset, retries: {limit: 1}, pendingLimit: 1h}
  - {name: training, retries: {limit: 1}, pendingLimit: 1h}
  - {name: testing, retries: {limit: 1}, pendingLimit: 1h}
""")


def pipeline(workers: int = 1, **spec: Any) -> dict[str, Any]:
    """Return the Pipeline, with another spec where one is given; None removes a field."""
    made = copy.deepcopy(PIPELINE)
    made["metadata"] |= {"uid": PIPELINE_UID, "generation": 1, "creationTimestamp": "2026-03-01T11:00:00Z"}
    made["spec"] = {name: value for name, value in {**made["spec"], **spec}.items() if value is not None}
    if workers > 1:
        named(made["spec"]["jobs"], "training")["parallelism"] = workers
    return made


def run(
    name: str = "churn-1", uid: str = RUN_UID, created: str = "2026-03-01T12:00:00Z", **spec: Any
) -> dict[str, Any]:
    """Return a run of it that has just been applied."""
    return {
        "apiVersion": "penstock.dev/v1alpha1",
        "kind": "PipelineRun",
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "uid": uid,
            "generation": 1,
            "creationTimestamp": created,
            "resourceVersion": "1",
        },
        "spec": {"pipelineRef": {"name": "churn"}, **spec},
    }


def table(name: str) -> TableVersion:
    return TableVersion(uri=f"s3://ml-team/churn/datasets/{name}", version=3, rows=10, digest=f"digest-{name}")


def dataset_result() -> DatasetResult:
    return DatasetResult(
        training=table("training"),
        validation=table("validation"),
        testing=table("testing/epoch-0"),
        columns=(Column(name="age", type="Integer"), Column(name="left", type="Boolean", role="Target")),
        task="Classification",
        epoch=0,
        generation=1,
        rows_read=30,
        duplicates=0,
        new=10,
        changed=0,
        vanished=0,
        retired=0,
        left_out=0,
        leak_proof=LeakProof(points_in_common=0, groups_in_common=0, compared_training=10, compared_testing=10),
    )


def model_name(worker: int, uid: str = RUN_UID) -> str:
    return f"churn-{uid[:8]}-{worker}"


def training_result(worker: int = 0, uid: str = RUN_UID) -> TrainingResult:
    name, score = model_name(worker, uid), 0.9 - worker / 100
    return TrainingResult(
        candidates="s3://ml-team/churn/runs/churn-1/candidates",
        total=4,
        succeeded=2,
        failed=0,
        best=(CandidateScore(candidate=f"linear-{worker}", algorithm="linear", score=score),),
        models=(
            ModelReference(
                name=name,
                uri=f"s3://ml-team/churn/models/{name}",
                digest=f"sha256:{'0' * 64}",
                candidate=f"linear-{worker}",
                algorithm="linear",
                validation=ScoreResult(name="roc_auc", value=score),
            ),
        ),
    )


def manifest(name: str, uid: str = RUN_UID) -> ModelManifest:
    return ModelManifest(
        format="penstock.dev/model/v1",
        name=name,
        created="2026-03-01T12:10:00Z",
        task="Classification",
        target="left",
        features=(),
        files={},
        serving=ServedFile(format="ONNX", file="model.onnx", reason="It converts."),
        origin=Origin(
            pipeline="churn",
            run_uid=uid,
            execution_name="churn-1",
            candidate="linear-0",
            algorithm="linear",
            estimator="sklearn.linear_model.LogisticRegression",
            parameters={"C": 1.0},
            seed=7,
        ),
        lineage=Lineage(
            storage="s3://ml-team/churn",
            strategy="Key",
            key=("customer_id",),
            salt="penstock",
            epoch=0,
            testing_share=0.2,
            generation=1,
            training_uri="s3://ml-team/churn/datasets/training",
            training_version=3,
            training_digest="digest-training",
            validation_uri="s3://ml-team/churn/datasets/validation",
            validation_version=3,
            validation_digest="digest-validation",
            testing_uri="s3://ml-team/churn/datasets/testing/epoch-0",
            testing_version=3,
        ),
        versions={},
        target_type="Boolean",
    )


def compared(challenger: str | None, other: str | None, difference: float) -> Comparison | None:
    if challenger is None or other is None:
        return None
    return Comparison(
        challenger=challenger,
        served=other,
        scoring="roc_auc",
        points=500,
        difference=difference,
        low=difference - 0.05,
        high=difference + 0.05,
        confidence=0.95,
        challenger_score=0.9,
        served_score=0.9 - difference,
    )


def outcome_of_testing(
    models: tuple[str, ...], served: str | None = None, anchor: str | None = None, difference: float = 0.1
) -> TestingResult:
    """Return a test of these Models, the first of which is the challenger, and is better than those served."""
    challenger = models[0] if models else None
    scores = (ScoreResult(name="roc_auc", value=0.9, low=0.85, high=0.95),)
    return TestingResult(
        testing_version=3,
        epoch=0,
        digest="digest-testing/epoch-0",
        points=500,
        models=tuple(ModelScores(model=name, points=500, scores=scores) for name in models),
        report="s3://ml-team/churn/runs/churn-1/report.html",
        challenger=challenger,
        comparison=compared(challenger, served, difference),
        anchor=compared(challenger, anchor, difference),
        generation=1,
    )


def whole_message(result: JobResult, uid: str = RUN_UID) -> TerminationMessage:
    """Return the whole message of a job that came to this."""
    models = result.models if isinstance(result, TrainingResult) else ()
    return TerminationMessage(result=result, manifests=tuple(manifest(model.name, uid) for model in models))
