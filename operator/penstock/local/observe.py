"""What decisions may know, out of the files of a home: of a run, a Pipeline, a Model, a Trigger, a record of files.

A run that has not ended and that no process works on is live for nobody: others do not wait for it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from penstock.api.cluster_only import without_cluster_only
from penstock.api.decoding import CannotBeRead, Unreadable
from penstock.api.schema import API_VERSION
from penstock.decide.cleaning.observation import ModelObservation, RecordObservation
from penstock.decide.cleaning.record import Identity, Record, is_record, read
from penstock.decide.decision import ApiObject
from penstock.decide.objects.children import PIPELINE, RECORD, REVISION, results_name
from penstock.decide.observed.listers import ModelLister, RunLister, is_live, pipeline_of, watched_pipeline
from penstock.decide.ownership import controller_uid, run_owner
from penstock.decide.pipeline.observation import PipelineObservation
from penstock.decide.run import reuse
from penstock.decide.run.gathering import living, maps_of
from penstock.decide.run.observation import RunObservation
from penstock.decide.run.reconcile import pending_logs
from penstock.decide.run.rerun import find_repeated_run
from penstock.decide.settings import Settings
from penstock.decide.site import Site
from penstock.decide.trigger.observation import Looks, TriggerObservation
from penstock.decide.trigger.own_runs import trigger_of
from penstock.local.containers import Mounts
from penstock.local.locks import is_free
from penstock.local.object_files import NAMESPACE
from penstock.local.objects import Object, Objects
from penstock.local.old_homes import results_of_old
from penstock_jobs.contract.termination_message import find_in_log

# Nobody runs an operator here who could say otherwise; and whoever runs a Pipeline on this machine may change it.
SETTINGS = Settings(rights_checked=True)
IDENTITY = Identity(definition="home", namespace="home")  # a kind is never deleted from a home


class RunsAtWork(RunLister):
    """The runs of a Pipeline; live are those that a process works on."""

    def __init__(self, objects: Objects, runs: Sequence[ApiObject]) -> None:
        super().__init__(runs)
        self._objects = objects

    @property
    def live(self) -> Sequence[ApiObject]:
        """Those that have not ended, and that somebody works on."""
        home = self._objects.home
        return [run for run in self._runs if is_live(run) and not is_free(home.run_lock(str(run["metadata"]["uid"])))]


class ModelsOfHome(ModelLister):
    """The Models of the home; one that is named is read by itself."""

    def __init__(self, objects: Objects) -> None:
        super().__init__(Listed(objects, "Model"))
        self._objects = objects

    def get(self, name: str) -> ApiObject | None:
        """Return the Model of that name."""
        try:
            return self._objects.find("Model", name)
        except CannotBeRead as error:
            self._objects.pass_over(str(error))
            return _unknown_model(name)

    def of_storage(self, storage: str) -> Iterable[ApiObject]:
        """Return those that were made of the tables in that storage, or may be: those that cannot be read."""
        unknown = map(_unknown_model, self._objects.unreadable("Model"))
        return [*super().of_storage(storage), *unknown]


class Listed(Sequence[ApiObject]):
    """All objects of a kind, listed when they are first asked for."""

    def __init__(self, objects: Objects, kind: str) -> None:
        self._objects = objects
        self._kind = kind
        self._found: list[Object] | None = None

    def __len__(self) -> int:
        return len(self._all)

    def __getitem__(self, index: Any) -> Any:
        return self._all[index]

    @property
    def _all(self) -> list[Object]:
        if self._found is None:
            self._found = self._objects.all_of(self._kind)
        return self._found


@dataclass(frozen=True)
class Observer:
    """Observes what is in a home; `site` is this machine."""

    objects: Objects
    site: Site

    def run(self, run: ApiObject) -> RunObservation:
        """Return what is to be known of a run, which need not be there yet."""
        uid, pipeline = run["metadata"]["uid"], pipeline_of(run)
        own = self.objects.of_run(uid)
        others = [each for each in self._runs(pipeline) if each["metadata"]["uid"] != uid]
        maps = maps_of(own.own("ConfigMap"))
        observation = RunObservation(
            run=without_cluster_only(dict(run)),
            settings=SETTINGS,
            pipeline=self._pipeline(pipeline),
            revision=next(iter(own.own("ControllerRevision")), None),
            results=maps.results,
            specifications=maps.specifications,
            jobs=tuple(own.own("Job")),
            pods=tuple(own.own("Pod")),
            repeated=self._repeated(run, others),
            earlier=self._earlier(run, others),
            runs=RunsAtWork(self.objects, others),
            models=ModelsOfHome(self.objects),
            deployments=self._of_pipeline("Deployment", pipeline),
            files=frozenset(self.objects.names("ControllerRevision")),
            identity=IDENTITY,
            site=self.site,
        )
        return replace(observation, whole=self._whole(observation))

    def pipeline(self, pipeline: ApiObject) -> PipelineObservation:
        """Return what is to be known of a Pipeline."""
        name = pipeline["metadata"]["name"]
        return PipelineObservation(
            pipeline=without_cluster_only(dict(pipeline)),
            settings=SETTINGS,
            runs=RunsAtWork(self.objects, self._runs(name)),
            models=ModelsOfHome(self.objects),
            deployments=self._of_pipeline("Deployment", name),
            serving_files=tuple(
                each for each in self._of_pipeline("ConfigMap", name) if REVISION in each["metadata"]["labels"]
            ),
            service=self.objects.find("Service", name),
            pipelines=Listed(self.objects, "Pipeline"),
            records=Listed(self.objects, "ControllerRevision"),
            is_complete=not any(self.objects.unreadable(each) for each in ("Pipeline", "PipelineRun")),
            site=self.site,
        )

    def model(self, model: ApiObject) -> ModelObservation:
        """Return what is to be known of a Model."""
        uid = model["metadata"]["uid"]
        return ModelObservation(
            model=model,
            settings=SETTINGS,
            record=next((each for each in self.records() if each["metadata"]["labels"][RECORD] == uid), None),
            pipeline=self._pipeline(model["metadata"]["labels"][PIPELINE]),
            identity=None if self.objects.unreadable("ControllerRevision") else IDENTITY,  # its record may be there
            site=self.site,
        )

    def trigger(self, trigger: ApiObject) -> TriggerObservation:
        """Return what is to be known of a Trigger. Its runs are live, also those that wait for a process."""
        uid, pipeline, watched = trigger["metadata"]["uid"], pipeline_of(trigger), watched_pipeline(trigger)
        runs, own = self.objects.all_of("PipelineRun"), self.objects.of_trigger(uid)
        return TriggerObservation(
            trigger=trigger,
            pipeline=self._pipeline(pipeline),
            own_runs=tuple(run for run in runs if trigger_of(run) == uid),
            runs=RunLister([run for run in runs if pipeline_of(run) == pipeline]),
            watched=RunLister([run for run in runs if watched and pipeline_of(run) == watched]),
            triggers=Listed(self.objects, "Trigger"),
            looks=Looks(own.own("Job"), own.own("Pod"), own.own("ConfigMap")),
            settings=SETTINGS,
            site=self.site,
        )

    def record(self, there: ApiObject) -> RecordObservation:
        """Return what is to be known of a record of files."""
        record = read(there)
        unknown = RecordObservation(record=there, settings=SETTINGS)
        if record is None or isinstance(record, Unreadable):
            return unknown
        try:
            return self._files_of(there, record)
        except CannotBeRead as error:
            self.objects.pass_over(str(error))
            return unknown  # nobody knows whether the files are still wanted: they stay

    def _files_of(self, there: ApiObject, record: Record) -> RecordObservation:
        found = self.objects.find(record.kind, record.name)
        subject = found if found is not None and found["metadata"]["uid"] == record.uid else None
        run = self.objects.of_run(record.uid) if record.kind == "PipelineRun" else None
        jobs = [job for job in self.objects.own("Job") if _is_owned(job, there)]
        uids = {job["metadata"]["uid"] for job in jobs}
        may_be_taken = record.kind == "Model" and bool(self.objects.unreadable("Model"))
        return RecordObservation(
            record=there,
            settings=SETTINGS,
            subject=subject,
            identity=None if may_be_taken else IDENTITY,
            jobs=tuple(jobs),
            pods=tuple(pod for pod in self.objects.own("Pod") if controller_uid(pod) in uids),
            others=() if run is None else (*run.own("Job"), *run.own("Pod")),
            models=Listed(self.objects, "Model") if record.kind == "Model" and subject is None else (),
        )

    def records(self) -> list[Object]:
        """Return the records of files."""
        return [each for each in self.objects.all_of("ControllerRevision") if is_record(each)]

    def _pipeline(self, name: str) -> ApiObject | None:
        found = living(self.objects.find("Pipeline", name))
        return None if found is None else without_cluster_only(dict(found))

    def _runs(self, pipeline: str) -> list[Object]:
        return [each for each in self.objects.all_of("PipelineRun") if pipeline_of(each) == pipeline]

    def _of_pipeline(self, kind: str, pipeline: str) -> tuple[Object, ...]:
        found = self.objects.all_of(kind)
        return tuple(each for each in found if each["metadata"]["labels"].get(PIPELINE) == pipeline)

    def _repeated(self, run: ApiObject, others: Sequence[Object]) -> ApiObject | None:
        """Return the ControllerRevision of the run that this one repeats."""
        found = find_repeated_run(run, RunLister(others)) if is_live(run) else None
        own = self.objects.of_run(found["metadata"]["uid"]).own("ControllerRevision") if found is not None else ()
        return next(iter(own), None)

    def _earlier(self, run: ApiObject, others: Sequence[Object]) -> tuple[ApiObject, ...]:
        wanted = reuse.results_to_reuse(run, RunLister(others)) if is_live(run) else frozenset()
        found = []
        for other in others if wanted else ():
            name = results_name(run_owner(other))
            if name in wanted:
                own = self.objects.of_run(other["metadata"]["uid"])
                found.append(own.find("ConfigMap", name) or results_of_old(self.objects.home, other))
        return tuple(each for each in found if each is not None)

    def _whole(self, observation: RunObservation) -> Mapping[str, bytes | None]:
        """Return the whole messages of those pods whose status had no room for them."""
        found: dict[str, bytes | None] = {}
        folder = self.objects.home.run(observation.run["metadata"]["uid"])
        for each in pending_logs(observation):
            path = Mounts.beneath(folder, "", each.uid).whole
            lines = path.read_text("utf-8", "replace") if path.exists() else ""
            found[each.uid] = find_in_log(lines, each.digest)
        return found


def _unknown_model(name: str) -> ApiObject:
    """Return what stands for a Model whose file cannot be read: one that cannot be decoded."""
    metadata = {"namespace": NAMESPACE, "name": name, "uid": "", "resourceVersion": ""}
    return {"apiVersion": API_VERSION, "kind": "Model", "metadata": metadata, "spec": None}


def _is_owned(child: ApiObject, owner: ApiObject) -> bool:
    return controller_uid(child) == str(owner["metadata"]["uid"])
