"""What a run's reconcile knows: the observation, decoded as far as it is needed, and questions to it as properties."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

from penstock.api.decoding import require
from penstock.api.pipeline import Pipeline
from penstock.api.quantities import read_duration
from penstock.api.run import JobRequest, PipelineRun
from penstock.api.schema import JobName
from penstock.decide.decision import ApiObject
from penstock.decide.job_specification import settings_of
from penstock.decide.objects import results
from penstock.decide.objects.children import Owner
from penstock.decide.objects.revision import Snapshot, read
from penstock.decide.run.observation import RunObservation
from penstock.decide.run_places import Reach, RunPlaces
from penstock.decide.run_state import status_of
from penstock.decide.times import read_time, write_time
from penstock_jobs.contract.result import SourceResult
from penstock_jobs.contract.specification import Run
from penstock_jobs.contract.termination_message import TerminationMessage

UNSEEN = timedelta(minutes=1)  # for so long a watch may be behind another


@dataclass(frozen=True)
class RunFacts:
    """A run that could be decoded, and what is observed of it now."""

    observation: RunObservation
    run: PipelineRun
    now: datetime

    @property
    def name(self) -> str:
        """The run's name."""
        return self.run.metadata.name or ""

    @property
    def pipeline_name(self) -> str:
        """The name of the Pipeline."""
        return self.run.spec.pipeline_ref.name

    @property
    def owner(self) -> Owner:
        """The run, as the owner of its children."""
        metadata = self.run.metadata
        return Owner(metadata.namespace or "", metadata.name or "", metadata.uid or "", self.pipeline_name)

    @property
    def time(self) -> str:
        """The moment, as a status keeps it."""
        return write_time(self.now)

    @property
    def creation_time(self) -> datetime:
        """When the run was applied."""
        return read_time(self.run.metadata.creation_timestamp or self.time)

    @property
    def index(self) -> int:
        """The index in the execution name."""
        return status_of(self.run).run_index or 1

    @cached_property
    def pipeline(self) -> Pipeline | None:
        """The Pipeline as it is now; None where it is not there, or is not the one that the run began with.

        Raises:
            Refused: it cannot be decoded.
        """
        there = self.observation.pipeline
        if there is None or there["metadata"].get("deletionTimestamp"):
            return None
        uid = status_of(self.run).pipeline_uid
        if uid is not None and there["metadata"].get("uid") != uid:
            return None
        return require(there, Pipeline)

    @cached_property
    def snapshot(self) -> Snapshot | None:
        """What the run is, once that is recorded."""
        revision = self.observation.revision
        return None if revision is None else read(revision)

    @cached_property
    def results(self) -> dict[str, TerminationMessage]:
        """The results that are recorded, by the part of the run."""
        return {} if self.observation.results is None else results.read(self.observation.results)

    @cached_property
    def images(self) -> dict[str, str]:
        """The images that are known by their digest, under the references that pods were given."""
        repetition = self.snapshot.repetition if self.snapshot is not None else None
        before = repetition.images if repetition is not None else {}
        return before if self.observation.results is None else before | results.images(self.observation.results)

    def places(self, snapshot: Snapshot, execution: str, source: SourceResult | None = None) -> RunPlaces:
        """Return where the artifacts of the run are when it has that execution name, and its own operations."""
        spec, site = snapshot.pipeline.spec, self.observation.site
        places = RunPlaces(self.reach(snapshot), self.pipeline_name, spec, self.run.spec, execution)
        return places if source is None else replace(places, operations=site.operations(source, places.run()))

    def reach(self, snapshot: Snapshot) -> Reach:
        """Return how the artifacts of the run are reached from where its jobs are at work."""
        return self.observation.site.reach(self.owner.namespace, snapshot.storage)

    def job_run(self, snapshot: Snapshot) -> Run:
        """Return whose jobs these are, as the jobs are told."""
        return Run(
            uid=self.owner.uid,
            execution_name=status_of(self.run).execution_name or "",
            pipeline=self.pipeline_name,
            pipeline_uid=snapshot.pipeline.metadata.uid or "",
            identity=self.observation.site.identity(self.run),
        )

    def is_long_past(self, run: ApiObject) -> bool:
        """Return whether a run ended so long ago that what is written before its end would have been seen."""
        ended = (run.get("status") or {}).get("completionTime")
        return bool(ended) and self.now >= read_time(str(ended)) + UNSEEN

    def request(self, job: JobName) -> JobRequest:
        """Return what the run asks of a job."""
        return next((request for request in self.run.spec.jobs if request.name == job), JobRequest(name=job))

    def pending_limit(self, job: JobName | None, snapshot: Snapshot | None) -> tuple[str, timedelta]:
        """Return how long a job may wait, as it was written and as it is meant."""
        said = (
            settings_of(snapshot.pipeline.spec, job).pending_limit if snapshot is not None and job is not None else None
        )
        text = said or self.observation.settings.pending_limit
        return text, timedelta(seconds=read_duration(text, "pendingLimit"))
