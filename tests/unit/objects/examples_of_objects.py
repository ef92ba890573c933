"""Values that the tests of objects share: a run, a Pipeline with everything, and what its steps made."""

from penstock.api.pipeline import PipelineSpec
from penstock.api.run import JobRequest, PipelineRunSpec
from penstock.api.validation import check_text
from penstock.decide.job_specification import PastDecisions, dataset_job, testing_job, training_job
from penstock.decide.objects.children import Owner
from penstock.decide.objects.places import ClusterPlaces
from penstock.decide.run_places import RunPlaces
from penstock_jobs.contract.result import Column, DatasetResult, LeakProof, ModelReference, TableVersion
from penstock_jobs.contract.specification import DatasetJob, Run, TestingJob, TrainingJob

OWNER = Owner(namespace="team", name="churn-1", uid="0f3c6a52-9d1e-4b7a-8a55-6f1f5b6d2c11", pipeline="churn")
RUN = Run(uid=OWNER.uid, execution_name="first-try", pipeline="churn", pipeline_uid="p")
IMAGE = "penstock/jobs:0.1.0"
CHURN = """
apiVersion: penstock.dev/v1alpha1
kind: Pipeline
metadata: {name: churn}
spec:
  storage:
    s3: {bucket: ml-team, prefix: churn, endpoint: "http://s3.data:9000"}
    credentials: {read: {secretName: churn-read}, write: {secretName: churn-write, keys: {accessKeyId: id}}}
  dataset:
    inputs:
    - {name: big_customers, uri: "s3://lake/customers/*.parquet", credentials: {secretName: lake-readonly}}
    - {name: calls, uri: "pvc://calls/2026/*.csv"}
    query: SELECT * FROM big_customers JOIN calls USING (customer_id)
    target: {column: left, positive: "yes"}
    key: [customer_id]
  training:
    scoring: {name: roc_auc}
    algorithms:
    - name: linear
      estimator: sklearn.linear_model.LogisticRegression
      parameters: [{name: C, values: ["0.1", "1.0"]}]
  testing: {}
  jobs:
    - {name: dataset, resources: {requests: {cpu: "1", memory: 2Gi}}, timeout: 1h}
    - name: training
      parallelism: 4
      threads: 2
      gpu: {count: 1}
      resources: {requests: {cpu: "4", memory: 8Gi}, limits: {memory: 8Gi}}
      timeout: 2h
      pendingLimit: 24h
      retries: {limit: 3, backoff: 30s}
      nodeSelector: {nvidia.com/gpu.product: NVIDIA-A100-SXM4-80GB}
      tolerations: [{key: team, value: ml, effect: NoSchedule}]
      runtimeClassName: nvidia
      priorityClassName: nightly
      queueName: team-gpu
      serviceAccountName: trainer
      image: registry.example/churn@sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881
      imagePullSecrets: [{name: registry}]
      env: [{name: OPENBLAS_CORETYPE, value: Haswell}]
      podTemplate:
        metadata: {labels: {team: ml}}
        spec:
          affinity:
            nodeAffinity:
              requiredDuringSchedulingIgnoredDuringExecution:
                nodeSelectorTerms: [{matchExpressions: [{key: disk, operator: In, values: [ssd]}]}]
          volumes: [{name: cache, emptyDir: {sizeLimit: 10Gi}}]
          containers:
          - name: job
            volumeMounts: [{name: cache, mountPath: /cache}]
"""
TABLE = TableVersion(uri="s3://ml-team/churn/datasets/training", version=3, rows=10, digest="d")
MADE = DatasetResult(
    training=TABLE,
    validation=TABLE,
    testing=TABLE,
    columns=(Column(name="age", type="Integer"),),
    task="Classification",
    epoch=1,
    generation=1,
    rows_read=30,
    duplicates=0,
    new=0,
    changed=0,
    vanished=0,
    retired=0,
    left_out=0,
    leak_proof=LeakProof(points_in_common=0, groups_in_common=0, compared_training=1, compared_testing=1),
)
MODEL = ModelReference(name="churn-1-linear", uri="s3://ml-team/churn/models/churn-1-linear", digest="sha256:1")


def spec_of(text: str = CHURN) -> PipelineSpec:
    checked = check_text(text, "churn.yaml")
    assert checked.findings == ()
    spec = checked.resources[0].spec
    assert isinstance(spec, PipelineSpec)
    return spec


def places_of(spec: PipelineSpec, run: PipelineRunSpec | None = None) -> RunPlaces:
    run = run or PipelineRunSpec(pipeline_ref={"name": "churn"})  # type: ignore[arg-type]
    return RunPlaces(ClusterPlaces("team"), "churn", spec, run, RUN.execution_name)


def for_dataset(spec: PipelineSpec, places: RunPlaces | None = None) -> DatasetJob:
    return dataset_job(spec, RUN, places or places_of(spec), JobRequest(name="dataset"))


def for_training(spec: PipelineSpec, places: RunPlaces | None = None) -> TrainingJob:
    return training_job(spec, RUN, places or places_of(spec), JobRequest(name="training"), MADE, 4)


def for_testing(spec: PipelineSpec, places: RunPlaces | None = None) -> TestingJob:
    request = JobRequest(name="testing")
    return testing_job(spec, RUN, places or places_of(spec), request, MADE, None, (MODEL,), PastDecisions(), None)
