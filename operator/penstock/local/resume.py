"""How a run begins, or is taken up again.

The rule: the same command, while a run of it is unfinished, takes that run up where it was, under the same uid. It is
the same command when the Pipeline, the run's spec and the name asked for are equal to what the run took. A finished run
is never taken up: the next gets an index (`test_2`). Nor is a run that another process is working on. An unfinished one
whose manifest has changed since is ended as `Superseded`.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count

import msgspec

from penstock.api.cluster_only import without_cluster_only
from penstock.api.pipeline import Pipeline, PipelineSpec
from penstock.api.run import PipelineRun, PipelineRunSpec
from penstock.decide.commands.new_run import is_same_request, new_run
from penstock.decide.conditions import find
from penstock.decide.execution_name import with_index
from penstock.decide.names import run_name
from penstock.decide.objects.children import as_json
from penstock.decide.objects.revision import snapshot_of
from penstock.decide.overriding import override_pipeline
from penstock.decide.run.leaving import superseded
from penstock.decide.run.reconcile import decide
from penstock.decide.run_state import is_finished, status_of
from penstock.decide.serving import is_same_but_for_pin, with_manifest
from penstock.local.locks import hold_lock, try_lock
from penstock.local.object_files import NAMESPACE
from penstock.local.objects import Object
from penstock.local.observe import SETTINGS, Observer
from penstock.local.places import MANIFEST
from penstock.local.reading import read_revision, runs_of
from penstock.local.resources import Resources
from penstock_jobs.contract.errors import Refused

DEFAULT_NAME = "run"
_PATIENCE = 0.3  # seconds: somebody who only looks whether a run is worked on holds its lock for a moment


@dataclass(frozen=True)
class Start:
    """A run that is ready to go on, and whether it had begun before."""

    run: PipelineRun
    taken_up: bool


def apply_pipeline(resources: Resources, manifest: Pipeline, folder: str) -> Pipeline:
    """Make the Pipeline of the home as the manifest says; without a Model in it, a pin of `penstock deploy` stays."""
    name, metadata = manifest.metadata.name or "", manifest.metadata
    annotations = metadata.annotations | {MANIFEST: folder}
    made = msgspec.structs.replace(manifest, metadata=msgspec.structs.replace(metadata, annotations=annotations))

    def merge(there: Pipeline) -> Pipeline:
        kept = there.metadata.annotations | annotations
        changed = msgspec.structs.replace(there.metadata, labels=metadata.labels, annotations=kept)
        return with_manifest(msgspec.structs.replace(there, metadata=changed), manifest.spec)

    resources.create(made)
    return resources.change(Pipeline, name, merge)


@contextmanager
def begin(resources: Resources, observer: Observer, pipeline: Pipeline, spec: PipelineRunSpec) -> Iterator[Start]:
    """Yield the run to go on with, an unfinished one of the same command or a new one, and hold it for this process.

    Raises:
        Refused: what is asked for cannot be done; no run is made of it.
    """
    name = pipeline.metadata.name or ""
    if spec.rerun_of is not None:
        _refuse_unfinished(resources, spec.rerun_of.name)
    spec = msgspec.structs.replace(spec, execution_name=spec.execution_name or DEFAULT_NAME)
    with ExitStack() as stack:
        with hold_lock(resources.home.lock(f"pipeline-{name}")):
            # Held from before others can see the run: nobody may find it unfinished and free in between.
            found = _take_up(resources, pipeline, spec, stack) or _create(resources, observer, spec, stack)
        yield found


def _refuse_unfinished(resources: Resources, name: str) -> None:
    """Refuse to repeat a run that is not there or has not ended: here nobody would end it while this one waits."""
    if not is_finished(resources.get(PipelineRun, name)):
        raise Refused(f"The run {name} has not ended; the command that began it takes it up where it was.")


@contextmanager
def take_up(resources: Resources, name: str) -> Iterator[Start | None]:
    """Yield a run that is there, and hold it for this process; None where it has ended, or another process holds it."""
    run = resources.get(PipelineRun, name)
    with try_lock(resources.home.run_lock(run.metadata.uid or ""), _PATIENCE) as lock:
        run = resources.get(PipelineRun, name)  # whoever held it before may have ended it
        has_begun = status_of(run).execution_name is not None
        yield None if lock is None or is_finished(run) else Start(run, taken_up=has_begun)


def _take_up(resources: Resources, pipeline: Pipeline, spec: PipelineRunSpec, stack: ExitStack) -> Start | None:
    """Return the unfinished run of the same command; end those of its name whose manifest has changed since."""
    same = None
    for run in runs_of(resources, pipeline.metadata.name or ""):
        if is_finished(run) or (run.spec.execution_name or DEFAULT_NAME) != spec.execution_name:
            continue
        if (run.spec.rerun_of is None) != (spec.rerun_of is None):
            continue  # one that repeats another has nothing to do with the manifest
        with ExitStack() as tried:
            lock = resources.home.run_lock(run.metadata.uid or "")
            if tried.enter_context(try_lock(lock, _PATIENCE)) is None:
                continue
            if same is None and is_same_request(run.spec, spec) and _has_taken(resources, run, pipeline, spec):
                same = Start(run, taken_up=True)
                stack.push(tried.pop_all())
            else:
                given_up = partial(superseded, now=resources.objects.now())
                resources.change(PipelineRun, run.metadata.name or "", given_up)
    return same


def _has_taken(resources: Resources, run: PipelineRun, pipeline: Pipeline, spec: PipelineRunSpec) -> bool:
    """Return whether what the run took is the Pipeline as it is now; one that has not come so far will take that."""
    if spec.rerun_of is not None:
        return True
    revision = read_revision(resources, run)
    return revision is None or is_same_but_for_pin(revision.spec, _as_taken(pipeline, spec))


def _as_taken(pipeline: Pipeline, spec: PipelineRunSpec) -> PipelineSpec:
    seen = msgspec.convert(without_cluster_only(as_json(pipeline)), Pipeline)
    made = override_pipeline(seen, spec.overrides, rights_checked=SETTINGS.rights_checked)
    return snapshot_of(made, spec, SETTINGS).pipeline.spec


def _create(resources: Resources, observer: Observer, spec: PipelineRunSpec, stack: ExitStack) -> Start:
    wanted = new_run(spec, None)
    pipeline, wish = spec.pipeline_ref.name, spec.execution_name or DEFAULT_NAME
    names = resources.names(PipelineRun)
    free = (each for index in count(1) if (each := run_name(pipeline, with_index(wish, index), ())) not in names)
    uid = resources.objects.new_uid()
    made = {**wanted, "metadata": {**wanted["metadata"], "name": next(free), "uid": uid}}
    _refuse_at_once(observer, made)
    stack.enter_context(hold_lock(resources.home.run_lock(uid)))
    created, _ = resources.objects.create(made)
    return Start(resources.get(PipelineRun, str(created["metadata"]["name"])), taken_up=False)


def _refuse_at_once(observer: Observer, made: Object) -> None:
    """Refuse a run that would fail as soon as it is there."""
    objects = observer.objects
    given = {"namespace": NAMESPACE, "creationTimestamp": objects.now(), "generation": 1, "resourceVersion": "1"}
    run = {**made, "metadata": {**given, **made["metadata"]}}
    decision = decide(observer.run(run), objects.clock())
    ended = msgspec.convert({**run, "status": msgspec.to_builtins(decision.status)}, PipelineRun)
    succeeded = find(status_of(ended).conditions, "Succeeded")
    if succeeded is not None and succeeded.status == "False":
        raise Refused(succeeded.message)
