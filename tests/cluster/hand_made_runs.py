"""Runs without an operator: each Job is applied by hand. What it is asked to do comes from the code that the laptop
uses too (`penstock.decide.job_specification`), and what it looks like from the operator's own builders.

A Job made so has no owner: the garbage collector would remove what an object that does not exist is said to own.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import yaml

from cluster.buckets import BUCKET, Buckets
from cluster.kubernetes_api import JOBS, PODS, KubernetesApi, Object
from manifest_changes import set_field
from penstock.api.pipeline import Pipeline
from penstock.api.run import JobRequest, PipelineReference, PipelineRunSpec
from penstock.api.schema import JobName
from penstock.api.validation import check_text
from penstock.decide import job_specification as asking
from penstock.decide.job_specification import settings_of
from penstock.decide.objects.children import Owner, child_name
from penstock.decide.objects.images import image_of
from penstock.decide.objects.job import StepJob, job
from penstock.decide.objects.places import ClusterPlaces
from penstock.decide.objects.profiles import processors_of
from penstock.decide.objects.specification_file import specification_file
from penstock.decide.run_places import RunPlaces
from penstock.decide.settings import Images
from penstock_jobs.contract import document
from penstock_jobs.contract.result import DatasetResult, JobResult, ModelReference, TrainingResult
from penstock_jobs.contract.specification import JobSpecification, Run
from penstock_jobs.contract.termination_message import TerminationMessage
from penstock_jobs.storage import Store

ROOT = Path(__file__).parents[2]
INPUTS, READER, WRITER = "lake-read", "storage-read", "storage-write"
JOB_NAME = "batch.kubernetes.io/job-name"
SECONDS = 300  # for a job to end, on a machine that does much else
# All samples as they are, for which so many times 184 million rows have to be looked at.
_COUNTING = """
SELECT * FROM samples WHERE 0 = (
  SELECT count(*) FROM samples AS a, samples AS b, samples AS c, range({times}) AS d(n)
  WHERE (a.sample * 7 + b.sample * 11 + c.sample * 13 + d.n) % 1000003 = 1000004
)
"""
SLOW_QUERY = _COUNTING.format(times=5)  # ten seconds on two cores that have nothing else to do
ENDLESS_QUERY = _COUNTING.format(times=1_000_000)


@dataclass(frozen=True)
class ContainerEnd:
    """How a container ended: its exit code, what it left in the pod's status, and its pod."""

    code: int
    said: str
    pod: Object

    @property
    def message(self) -> TerminationMessage:
        return document.decode(self.said.encode(), TerminationMessage, "the termination message")

    @property
    def failure(self) -> tuple[str, str]:
        """The reason and the sentence of a job that ended otherwise than well."""
        result = json.loads(self.said)["result"]
        return result["reason"], result["message"]


@dataclass(frozen=True)
class HandMadeRun:
    """One run of a Pipeline in a namespace."""

    api: KubernetesApi
    namespace: str
    pipeline: Pipeline
    images: Images
    buckets: Buckets
    execution: str = "run"
    uid: str = field(default_factory=lambda: str(uuid4()))

    @property
    def owner(self) -> Owner:
        return Owner(namespace=self.namespace, name=self.execution, uid=self.uid, pipeline=self._name)

    @property
    def places(self) -> RunPlaces:
        run = PipelineRunSpec(pipeline_ref=PipelineReference(name=self._name))
        return RunPlaces(ClusterPlaces(self.namespace), self._name, self.pipeline.spec, run, self.execution)

    @property
    def store(self) -> Store:
        """The storage of the run, from this machine."""
        return self.buckets.store(self.places.run().uri)

    def result(self, job_name: JobName) -> Any:
        """Return the whole result that the job has put into storage."""
        return document.decode(self.store.read(f"results/{job_name}.json"), JobResult, f"the result of {job_name}")

    # --- what each job is asked to do ---------------------------------------------------------------------------------

    def for_dataset(self) -> JobSpecification:
        return asking.dataset_job(self.pipeline.spec, self._run, self.places, JobRequest(name="dataset"))

    def for_training(self, made: DatasetResult) -> JobSpecification:
        processors = processors_of(settings_of(self.pipeline.spec, "training"))
        request = JobRequest(name="training")
        return asking.training_job(self.pipeline.spec, self._run, self.places, request, made, processors)

    def for_testing(
        self, made: DatasetResult, trained: TrainingResult, models: tuple[ModelReference, ...] | None = None
    ) -> JobSpecification:
        return asking.testing_job(
            self.pipeline.spec,
            self._run,
            self.places,
            JobRequest(name="testing"),
            made,
            trained,
            trained.models if models is None else models,
            asking.PastDecisions(),
            created=None,
        )

    # --- doing it -----------------------------------------------------------------------------------------------------

    def start(self, part: JobName, specification: JobSpecification, attempt: int = 1) -> str:
        """Create the Job, and the ConfigMap that it mounts; return the Job's name."""
        settings = settings_of(self.pipeline.spec, part)
        image = image_of(part, self.pipeline.spec, settings, self.images)
        if attempt == 1:
            self.api.create(strip_owner(specification_file(self.owner, part, specification)))
        made = job(StepJob(self.owner, part, specification, settings, image, attempt=attempt))
        self.api.create(strip_owner(made))
        return child_name(self.owner, part, attempt)

    def do(self, part: JobName, specification: JobSpecification, attempt: int = 1) -> ContainerEnd:
        """Start the Job; return how its container ended, which must be well."""
        ended = self.wait_for_end(self.start(part, specification, attempt))
        assert ended.code == 0, ended.said
        return ended

    def run_all(self) -> dict[JobName, ContainerEnd]:
        """Do dataset, training and testing, each when the one before has left its result."""
        done: dict[JobName, ContainerEnd] = {"dataset": self.do("dataset", self.for_dataset())}
        made: DatasetResult = self.result("dataset")
        done["training"] = self.do("training", self.for_training(made))
        trained: TrainingResult = self.result("training")
        done["testing"] = self.do("testing", self.for_testing(made, trained))
        return done

    def wait_for_end(self, name: str) -> ContainerEnd:
        """Return how the first container of the Job that ends does so, without waiting for the Job's condition."""
        what = f"an end of a container of the Job {name}"
        selector = f"{JOB_NAME}={name}"
        return self.api.wait(
            PODS,
            self.namespace,
            lambda pods: _first_end(ends_of(pods.values())),
            what=what,
            seconds=SECONDS,
            labels=selector,
        )

    def running(self, name: str) -> str:
        """Return the pod of the Job once its container runs."""

        def find_running(pods: dict[str, Object]) -> str | None:
            states = {pod: each.get("status", {}).get("containerStatuses", []) for pod, each in pods.items()}
            return next((pod for pod, each in states.items() if any("running" in one["state"] for one in each)), None)

        what = f"a container of the Job {name} that runs"
        return self.api.wait(PODS, self.namespace, find_running, what=what, labels=f"{JOB_NAME}={name}")

    def wait_for_condition(self, name: str, condition: str) -> Object:
        """Return the Job once it is `Complete` or `Failed`, as the condition says."""
        what = f"the Job {name} {condition}"
        return self.api.wait_for(
            JOBS, name, self.namespace, lambda made: condition_of(made, condition), what=what, seconds=SECONDS
        )

    def pods(self, name: str) -> list[Object]:
        return self.api.objects(PODS, self.namespace, labels=f"{JOB_NAME}={name}")

    @property
    def _name(self) -> str:
        return self.pipeline.metadata.name or ""

    @property
    def _run(self) -> Run:
        return Run(uid=self.uid, execution_name=self.execution, pipeline=self._name, pipeline_uid="the-pipeline")


def condition_of(item: Object, kind: str) -> Object | None:
    """Return that condition of the object, where it is true."""
    found = item.get("status", {}).get("conditions", [])
    return next((each for each in found if each["type"] == kind and each["status"] == "True"), None)


def ends_of(pods: Iterable[Object]) -> list[ContainerEnd]:
    """Return how the containers of these pods ended, as far as they have."""
    return [
        ContainerEnd(end["exitCode"], end.get("message", ""), pod)
        for pod in pods
        for status in pod.get("status", {}).get("containerStatuses", [])
        if (end := status["state"].get("terminated"))
    ]


def pipeline_on_cluster(example: str, namespace: str, buckets: Buckets, **changes: Any) -> Pipeline:
    """Return an example's Pipeline with its inputs and its storage in buckets, which is all that differs.

    The example is its path in `examples`, without `.yaml`. Each change is a dotted path in the spec, with `__`.
    """
    path = ROOT / "examples" / f"{example}.yaml"
    manifest: Object = yaml.safe_load(path.read_text("utf-8"))
    endpoint = buckets.server.inside
    spec = manifest["spec"]
    spec["storage"] = {
        "s3": {"bucket": BUCKET, "prefix": f"{namespace}/{example}", "endpoint": endpoint},
        "credentials": {"read": {"secretName": READER}, "write": {"secretName": WRITER}},
    }
    for table in spec["dataset"]["inputs"]:
        uri = buckets.upload(path.parent / table["uri"], f"{namespace}/{Path(table['uri']).name}")
        table |= {"uri": uri, "endpoint": endpoint, "credentials": {"secretName": INPUTS}}
    for place, value in changes.items():
        set_field(spec, place.split("__"), value)
    checked = check_text(yaml.safe_dump(manifest), path.name)
    assert checked.findings == (), checked.findings
    (pipeline,) = checked.resources
    assert isinstance(pipeline, Pipeline)
    return pipeline


def give_credentials(api: KubernetesApi, namespace: str, buckets: Buckets) -> None:
    """Make the Secrets that the Pipelines of `on_the_cluster` name: those that only read are the reader's."""
    api.create(buckets.server.reader.secret(INPUTS, namespace))
    api.create(buckets.server.reader.secret(READER, namespace))
    api.create(buckets.server.writer.secret(WRITER, namespace))


def strip_owner(made: Object) -> Object:
    """Return the object as nobody's child."""
    return made | {"metadata": {name: value for name, value in made["metadata"].items() if name != "ownerReferences"}}


def _first_end(ends: list[ContainerEnd]) -> ContainerEnd | None:
    return ends[0] if ends else None
