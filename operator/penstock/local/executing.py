"""A run, from its first job to its last. Each step is recorded when it is done; what is recorded is not done again."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from penstock.api.model import Model
from penstock.api.pipeline import Pipeline
from penstock.api.run import DeploymentSummary, JobRequest, PipelineRun, PipelineRunSpec, StepState
from penstock.api.schema import JobName
from penstock.decide import job_specification as asking
from penstock.decide.conditions import shortened
from penstock.decide.model_resource import model_resource, reference_to, with_testing_scores
from penstock.decide.reasons import INTERRUPTED, RUNNING
from penstock.decide.run_places import RunPlaces, child
from penstock.decide.run_state import ended_well, status_of, with_outcome, with_step
from penstock.decide.serving import served_model, testing_uses
from penstock.decide.summaries import dataset_summary, testing_summary, training_summary
from penstock.local.beginning import Begun, begun, claim_name, latest_result, runs_of
from penstock.local.deploying import deploy
from penstock.local.home import write_atomically
from penstock.local.jobs import Job, Result, run_job
from penstock.local.locks import held
from penstock.local.places import Places
from penstock.local.process import Stopped
from penstock.local.resources import Resources
from penstock.local.retention import tidy
from penstock.local.snapshot import with_tables
from penstock.local.sources import operations_of
from penstock.local.watcher import Watcher
from penstock_jobs import document
from penstock_jobs.errors import JobError, Unavailable
from penstock_jobs.manifest import ModelManifest
from penstock_jobs.result import DatasetResult, ModelReference, TestingResult, TrainingResult
from penstock_jobs.specification import JobSpecification, Location, Run, Source
from penstock_jobs.storage import open_store


def execute(
    resources: Resources, places: Places, pipeline: Pipeline, spec: PipelineRunSpec, watcher: Watcher
) -> PipelineRun:
    """Run the Pipeline's jobs to their end; return the run as it ended.

    Raises:
        JobError: a job ended otherwise than well; the run says so too.
        Stopped: a signal came; nothing of the run is running any more, and the same command takes it up again.
    """
    with begun(resources, pipeline, spec) as start, _at_work(resources, start, watcher) as lock:
        name = start.run.metadata.name or ""
        with explaining(resources, name, watcher):
            run, source = operations_of(resources, places.mapped, start.revision.spec, start.run, watcher.say)
            execution = Execution(resources, places, start.revision, name, watcher, lock, source)
            return execution.go(replace(start, run=run))


@contextmanager
def _at_work(resources: Resources, start: Begun, watcher: Watcher) -> Iterator[int]:
    """Hold the lock that the jobs inherit: it is free only when no process of the run is left from before."""
    path = resources.home.lock(f"jobs-{start.run.metadata.uid}")
    with held(path, lambda: watcher.say("Waiting for a job of this run that is still ending.")) as lock:
        yield lock


@dataclass(frozen=True)
class Execution:
    """A run at work."""

    resources: Resources
    places: Places
    revision: Pipeline
    name: str
    watcher: Watcher
    lock: int
    source: Source | None

    @property
    def run(self) -> PipelineRun:
        """The run as it is recorded now."""
        return self.resources.get(PipelineRun, self.name)

    @property
    def uid(self) -> str:
        """The run's uid."""
        return self.run.metadata.uid or ""

    @property
    def pipeline(self) -> str:
        """The name of the Pipeline."""
        return self.revision.metadata.name or ""

    def go(self, start: Begun) -> PipelineRun:
        """Do the steps that are not done yet."""
        run = claim_name(self.resources, start, lambda name: self.at(name).run())
        storage = self.at(status_of(run).execution_name or "").run().uri
        self._record(lambda before: _running(before, storage, self._now()))
        self.watcher.say(_greeting(run, taken_up=start.taken_up))
        for step in status_of(self.run).steps:
            if step.state != "Succeeded":
                self._step(step.name)
        ended = self._record(lambda before: ended_well(before, self._now()))
        tidy(self.resources, self.places, self.pipeline)
        return ended

    def at(self, execution: str) -> RunPlaces:
        """Return where the artifacts of the run are when it has that execution name."""
        return RunPlaces(self.places, self.pipeline, self.revision.spec, self.run.spec, execution, self.source)

    def _step(self, job: JobName) -> None:
        self.watcher.started(job)
        self._record(lambda run: with_step(run, job, "Running", start_time=self._now(), reason=None, message=None))
        match job:
            case "dataset":
                said = self._dataset()
            case "training":
                said = self._training()
            case "testing":
                said = self._testing()
            case "deployment":
                said = self._deployment()
        self._record(lambda run: with_step(run, job, "Succeeded", completion_time=self._now()))
        self.watcher.ended(job, said)

    def _dataset(self) -> str:
        def waiting() -> None:
            self.watcher.say("Waiting for the dataset step of another run of this Pipeline.")
            self._record(lambda run: with_step(run, "dataset", "Waiting", reason="Waiting"))

        with held(self.resources.home.lock(f"dataset-{self.pipeline}"), waiting):
            self._job("dataset", self._ask_dataset, DatasetResult)
        result = self._tables()
        self._record(lambda run: with_step(run, "dataset", "Running", dataset=dataset_summary(result)))
        tables = (("training", result.training), ("validation", result.validation), ("testing", result.testing))
        return f"{', '.join(f'{table.rows:,} {name}' for name, table in tables)} points"

    def _ask_dataset(self) -> JobSpecification:
        return asking.dataset_job(
            self.revision.spec,
            self._job_run(),
            self._places(),
            self._request("dataset"),
            self.resources.list(Model),
        )

    def _training(self) -> str:
        made = self._tables()
        processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

        def ask() -> JobSpecification:
            return asking.training_job(
                self.revision.spec, self._job_run(), self._places(), self._request("training"), made, processors
            )

        result = self._job("training", ask, TrainingResult)
        for reference in result.models:
            self._keep_model(reference)
        self._record(lambda run: with_step(run, "training", "Running", training=training_summary(result)))
        failed = f", {result.failed:,} failed" if result.failed else ""
        return f"{_counted(result.total, 'candidate')}{failed}, {_counted(len(result.models), 'Model')} kept"

    def _keep_model(self, reference: ModelReference) -> None:
        models = self._places().models(write=False)
        where = Location(
            uri=reference.uri, endpoint=models.endpoint, region=models.region, credentials=models.credentials
        )
        content = open_store(where).read("manifest.json")
        storage = self.revision.spec.models.storage or self.revision.spec.storage
        secrets = storage.credentials if storage else None
        model = model_resource(
            reference,
            document.decode(content, ModelManifest, f"{reference.uri}/manifest.json"),
            run=self.name,
            pipeline_uid=self.revision.metadata.uid,
            endpoint=storage.s3.endpoint if storage and storage.s3 else None,
            region=storage.s3.region if storage and storage.s3 else None,
            credentials=(secrets.read or secrets.write) if secrets else None,
            deletion_policy=self.revision.spec.models.deletion_policy,
        )
        self.resources.create(model)

    def _testing(self) -> str:
        result = self.test("testing", self.earlier("training", TrainingResult).models)
        self._record(lambda run: with_step(run, "testing", "Running", testing=testing_summary(result)))
        return f"{_counted(len(result.models), 'Model')} on {_counted(result.points, 'point')}"

    def test(self, name: str, models: tuple[ModelReference, ...], beneath: str | None = None) -> TestingResult:
        """Run the testing job for these Models and the served one; `beneath` moves its files in the run's storage."""
        made = self._tables()
        trained = self.earlier("training", TrainingResult)

        def ask() -> JobSpecification:
            job = asking.testing_job(
                self.revision.spec,
                self._job_run(),
                self._places(),
                self._request("testing"),
                made,
                trained,
                models,
                self._served(),
                self._decisions(made),
                self.run.metadata.creation_timestamp,
            )
            moved = job.run_storage if beneath is None else child(job.run_storage, beneath)
            return msgspec.structs.replace(job, run_storage=moved)

        result = self._job(name, ask, TestingResult)
        for tested in result.models:
            if self.resources.find(Model, tested.model) is not None:
                self.resources.change(Model, tested.model, lambda model: with_testing_scores(model, result))
        return result

    def _deployment(self) -> str:
        def again(names: tuple[str, ...]) -> TestingResult:
            served = served_model(self.resources.get(Pipeline, self.pipeline))
            models = tuple(reference_to(self.resources.get(Model, name)) for name in names if name != served)
            return self.test("testing-again", models, beneath="testing-again")

        def remember(summary: DeploymentSummary) -> None:
            self._record(lambda run: with_step(run, "deployment", "Running", deployment=summary))

        summary = deploy(self.resources, self.revision, self.run, self._tested(), again, remember)
        return summary.message or ""

    def _tested(self) -> TestingResult | None:
        if latest_result(self.resources, runs_of(self.resources, self.pipeline), "testing") is None:
            return None
        return self.earlier("testing", TestingResult)

    def _served(self) -> ModelReference | None:
        name = served_model(self.resources.get(Pipeline, self.pipeline))
        return None if name is None else reference_to(self.resources.get(Model, name))

    def _decisions(self, made: DatasetResult) -> int:
        uses = testing_uses(runs_of(self.resources, self.pipeline))
        return sum(each.decisions for each in uses if each.epoch == made.epoch and each.digest == made.testing.digest)

    def _tables(self) -> DatasetResult:
        """Return the tables of the run, which its snapshot then names."""
        made = self.earlier("dataset", DatasetResult)
        with_tables(open_store(self._places().run()), self.revision, self.run, made)
        return made

    def earlier(self, job: JobName, kind: type[Result]) -> Result:
        """Return the result of a job of this run, or the last of an earlier one, which this run keeps as its own."""
        path = self.resources.home.result(self.uid, job)
        if not path.exists():
            source = latest_result(self.resources, runs_of(self.resources, self.pipeline), job)
            assert source is not None, "a run that lacks a job it needs does not begin"
            write_atomically(path, source.read_bytes())
        return document.read(path, kind)

    def _job(self, name: str, ask: Callable[[], JobSpecification], kind: type[Result]) -> Result:
        job_name: JobName = "testing" if name not in ("dataset", "training") else name  # type: ignore[assignment]
        folder = self.resources.home.run(self.uid)
        log = self._log(name)
        job = Job(
            name=name,
            specification=folder / "specifications" / f"{name}.json",
            result=self.resources.home.result(self.uid, name),
            log=log,
            settings=asking.settings_of(self.revision.spec, job_name, self._request(job_name)),
            logs=self.revision.spec.logs,
            secrets=self.places.mapped.variables(),
            lock=self.lock,
        )
        try:
            return run_job(job, ask, kind, lambda line: self.watcher.line(job_name, line))
        finally:
            self._upload(name, log)

    def _log(self, name: str) -> Path:
        key = f"logs/{name}.log"
        return open_store(self._places().run()).local_path(key) or self.resources.home.run(self.uid) / key

    def _upload(self, name: str, log: Path) -> None:
        """Put the log into the run's storage, where that is not the folder that it was written in."""
        store = open_store(self._places().run())
        if store.local_path(f"logs/{name}.log") is None and log.exists():
            with suppress(JobError):  # the job's own end matters more, and the log is in the home
                store.upload(log, f"logs/{name}.log")

    def _places(self) -> RunPlaces:
        return self.at(status_of(self.run).execution_name or "")

    def _job_run(self) -> Run:
        return Run(
            uid=self.uid,
            execution_name=status_of(self.run).execution_name or "",
            pipeline=self.pipeline,
            pipeline_uid=self.revision.metadata.uid or "",
        )

    def _request(self, job: JobName) -> JobRequest:
        return next((request for request in self.run.spec.jobs if request.name == job), JobRequest(name=job))

    def _record(self, how: Callable[[PipelineRun], PipelineRun]) -> PipelineRun:
        return self.resources.change(PipelineRun, self.name, how)

    def _now(self) -> str:
        return self.resources.now()


@contextmanager
def explaining(resources: Resources, name: str, watcher: Watcher) -> Iterator[None]:
    """Record how the run ended when that is otherwise than well, and let it be raised."""

    def ended(reason: str, message: str, *, final: bool) -> None:
        with suppress(JobError):  # a full disk is told by the error that is on its way
            run = resources.change(
                PipelineRun, name, lambda run: _ended_badly(run, reason, message, resources.now(), final=final)
            )
            for step in status_of(run).steps:
                if step.reason == reason:
                    watcher.ended(step.name, reason)

    try:
        yield
    except Stopped as stopped:
        said = f"It was stopped by {signal.Signals(stopped.number).name}; the same command takes it up again."
        ended(INTERRUPTED, said, final=False)
        watcher.say(said)
        raise
    except Unavailable as error:
        ended(error.reason, f"{error} The same command takes the run up again.", final=False)
        raise
    except JobError as error:
        ended(error.reason, str(error), final=True)
        raise
    except Exception as error:
        ended("Bug", f"{type(error).__name__}: {error}", final=True)
        raise


def _ended_badly(run: PipelineRun, reason: str, message: str, now: str, *, final: bool) -> PipelineRun:
    for step in status_of(run).steps:
        if step.state in ("Running", "Waiting"):
            state: StepState = "Failed" if final else "Pending"
            run = with_step(run, step.name, state, reason=reason, message=shortened(message))
    return with_outcome(run, "False" if final else "Unknown", reason, message, now)


def _running(run: PipelineRun, storage: str, now: str) -> PipelineRun:
    status = status_of(run)
    changed = msgspec.structs.replace(status, start_time=status.start_time or now, storage=storage)
    return with_outcome(msgspec.structs.replace(run, status=changed), "Unknown", RUNNING, "Its jobs are running.", now)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _greeting(run: PipelineRun, *, taken_up: bool) -> str:
    name = f"{run.spec.pipeline_ref.name}, run {status_of(run).execution_name}"
    return f"{name}: taken up where it was" if taken_up else name
