"""What a person deletes from a home: the object with what it owns, and then, from its record, its files.

Who is killed in between finds the object again, or where that is gone the record: the same command goes on from there.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any

from penstock.api.decoding import Unreadable
from penstock.api.model import Model
from penstock.api.pipeline import Pipeline
from penstock.decide.cleaning.record import Record, read
from penstock.decide.commands.delete import (
    LAPTOP,
    Deletion,
    Surroundings,
    deletion_of,
    unfinished_deletion,
)
from penstock.decide.objects.children import PIPELINE
from penstock.local.containers import LineSink
from penstock.local.locks import hold_lock, is_free, try_lock
from penstock.local.objects import Object
from penstock.local.observe import Observer
from penstock.local.places import LaptopPlaces
from penstock.local.reading import find_run
from penstock.local.reconcile import Reconciler
from penstock.local.resources import Resources
from penstock.local.site import Laptop
from penstock.local.tidying import tidy
from penstock_jobs.contract.errors import JobError, Refused

_KINDS: dict[str, Any] = {"Model": Model, "Pipeline": Pipeline}
_PATIENCE = 0.3  # seconds: somebody who only looks whether a run is worked on holds its lock for a moment


@dataclass(frozen=True)
class Deleter:
    """Deletes objects of a home."""

    resources: Resources

    def plan(self, kind: str, names: Iterable[str]) -> list[Deletion]:
        """Return what the deletion of these objects takes along, each once.

        Whether the files of a Model go with it is recorded by then.

        Raises:
            Refused: there is none of such a name; a run is at work; a Model is served, or pinned.
        """
        found = [self._find(kind, name) for name in names]
        for there in found:
            if kind == "Model" and not isinstance(there, Deletion):
                self._record_files(there)
        seen = self._surroundings()
        told = [each if isinstance(each, Deletion) else deletion_of(each, seen) for each in found]
        return list({each.uid: each for each in told}.values())

    def delete(self, deletions: Sequence[Deletion], tell: LineSink) -> list[str]:
        """Delete these objects, and the files that go along; return a sentence for each whose files are still there.

        Args:
            deletions: as they were found.
            tell: who is told each line that the jobs log which delete files.

        Raises:
            Refused: one of them must not go now; none was deleted.
        """
        with ExitStack() as held:
            self._hold(deletions, held)
            for each in deletions:
                self.resources.objects.remove(each.kind, each.name, each.uid)
        for pipeline in sorted({each.pipeline for each in deletions}):
            with suppress(JobError):
                tidy(self._observer(pipeline), self._places(pipeline), pipeline, tell)
        uids = {each.uid for each in deletions}
        return [
            f"The files of {record.name} in {record.folder.location.uri} are not all deleted yet. It is tried again at "
            f"the end of each run of {pipeline}, and when this is said again."
            for record, pipeline in self._unfinished()
            if record.uid in uids
        ]

    def _find(self, kind: str, name: str) -> Object | Deletion:
        try:
            own = find_run(self.resources, name) if kind == "PipelineRun" else self.resources.get(_KINDS[kind], name)
        except Refused:
            for record, pipeline in self._unfinished():
                names = (record.name, record.folder.location.uri.rpartition("/")[2])
                if record.kind == kind and name.rpartition("/")[2] in names:
                    return unfinished_deletion(record, pipeline)
            raise
        there = self.resources.objects.find(kind, own.metadata.name or "")
        if there is None:
            raise Refused(f"The {kind} {name} was deleted in the meantime.")
        return there

    def _record_files(self, model: Object) -> None:
        pipeline = (model["metadata"].get("labels") or {}).get(PIPELINE)
        if pipeline is not None:  # one that somebody made by hand keeps its files
            Reconciler(self._observer(pipeline)).model(model)

    def _hold(self, deletions: Sequence[Deletion], held: ExitStack) -> None:
        """Hold what nobody may work on meanwhile, and look once more whether all of it may go."""
        home, objects = self.resources.home, self.resources.objects
        for each in (each for each in deletions if each.kind == "PipelineRun"):
            locks = (home.run_lock(each.uid), home.jobs_lock(each.uid))
            if any(held.enter_context(try_lock(lock, _PATIENCE)) is None for lock in locks):
                raise Refused(f"The run {each.name} is at work by now; {LAPTOP.ending}. Nothing is deleted.")
        if all(each.kind == "PipelineRun" for each in deletions):
            return
        for name in self.resources.names(Pipeline):
            held.enter_context(hold_lock(home.lock(f"deployment-{name}")))
        for each in (each for each in deletions if each.kind == "Model"):
            there = objects.find("Model", each.name)
            if there is not None:
                deletion_of(there, self._surroundings())

    def _surroundings(self) -> Surroundings:
        objects, home = self.resources.objects, self.resources.home
        runs = objects.all_of("PipelineRun")
        uids = (str(each["metadata"]["uid"]) for each in runs)
        return Surroundings(
            words=LAPTOP,
            runs=runs,
            models=objects.all_of("Model"),
            pipelines=objects.all_of("Pipeline"),
            triggers=objects.all_of("Trigger"),
            records=objects.all_of("ControllerRevision"),
            at_work=frozenset(
                uid for uid in uids if not (is_free(home.run_lock(uid)) and is_free(home.jobs_lock(uid)))
            ),
        )

    def _unfinished(self) -> Iterator[tuple[Record, str]]:
        """Yield the records of what is gone and whose files are not, each with the name of its Pipeline."""
        observer = self._observer(None)
        for there in observer.records():
            record, metadata = read(there), there["metadata"]
            if isinstance(record, Unreadable):
                continue
            seen = observer.record(there)
            if seen.subject is None and seen.identity is not None:
                yield record, str(metadata["labels"].get(PIPELINE, ""))

    def _observer(self, pipeline: str | None) -> Observer:
        return Observer(self.resources.objects, Laptop(self._places(pipeline)))

    def _places(self, pipeline: str | None) -> LaptopPlaces:
        found = self.resources.find(Pipeline, pipeline) if pipeline else None
        return LaptopPlaces.of(self.resources.home, found)
