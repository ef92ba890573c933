"""What is left of a run: its status, snapshot and results, and the Models it names.

Each of these may be gone, or unreadable, and what the others hold is told all the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from penstock.api.model import Model
from penstock.api.pipeline import PipelineSpec
from penstock.api.run import PipelineRun
from penstock.decide.decision import ApiObject
from penstock.decide.objects import results as results_object
from penstock.decide.objects import revision as revision_object
from penstock.decide.run_state import is_finished, status_of
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.parameters import ParameterValue
from penstock_jobs.contract.result import JobResult, TestingResult, TrainingResult

Source = Literal["snapshot", "results"]


@dataclass(frozen=True, kw_only=True)
class RunEvidence:
    """All that is left of a run.

    Attributes:
        run: the run.
        state: how far it is, in a word or two.
        spec: the Pipeline as the run took it; None where its snapshot is gone, or was never made.
        parameters: those of the snapshot.
        results: what its steps came to, by the name of the part.
        images: the images that its pods ran in by digest, each under its reference.
        models: the Models that the run names and that are still there.
        unread: why the snapshot, or the results, cannot be read where they are there, each in a sentence.
    """

    run: PipelineRun
    state: str
    spec: PipelineSpec | None = None
    parameters: tuple[ParameterValue, ...] = ()
    results: Mapping[str, JobResult] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, Model] = field(default_factory=dict)
    unread: Mapping[Source, str] = field(default_factory=dict)


def run_evidence(
    run: PipelineRun, state: str, revision: ApiObject | None, results: ApiObject | None, unread: Mapping[Source, str]
) -> RunEvidence:
    """Return what is left of a run, as far as it can be read, without its Models.

    Args:
        run: the run.
        state: how far it is, in a word or two.
        revision: its ControllerRevision, where that is there.
        results: the ConfigMap of its results, where that is there.
        unread: why one of these could not be had, though it may be there.
    """
    unread = dict(unread)
    snapshot, images, told = None, {}, {}
    try:
        snapshot = None if revision is None else revision_object.read(revision)
    except Refused as error:
        unread["snapshot"] = str(error)
    try:
        if results is not None:
            images, told = results_object.images(results), results_object.read(results)
    except Refused as error:
        unread["results"] = str(error)
    return RunEvidence(
        run=run,
        state=state,
        spec=snapshot.pipeline.spec if snapshot else None,
        parameters=snapshot.parameters if snapshot else (),
        results={part: message.result for part, message in told.items() if message.result is not None},
        images=images,
        unread=unread,
    )


def models_named(evidence: RunEvidence) -> tuple[str, ...]:
    """Return the names of the Models that a run made or tested."""
    names: list[str] = []
    for result in evidence.results.values():
        if isinstance(result, TrainingResult):
            names += [each.name for each in result.models]
        elif isinstance(result, TestingResult):
            names += [each.model for each in result.models]
    for step in status_of(evidence.run).steps:
        names += step.training.models if step.training else ()
        names += [each.name for each in step.testing.models] if step.testing else ()
    return tuple(dict.fromkeys(names))


def gaps_of(evidence: RunEvidence, label: str) -> tuple[str, ...]:
    """Return what cannot be told of the run, which is called so, and why, in sentences."""
    status, told = status_of(evidence.run), list(evidence.unread.values())
    if not status.steps and not status.conditions and (evidence.spec is not None or evidence.results):
        told.append(f"The status of {label} is lost; what its snapshot and its results hold is compared.")
    elif not is_finished(evidence.run) and status.steps:
        told.append(f"{label} has not ended ({evidence.state}): what it has come to so far is compared.")
    elif not is_finished(evidence.run):
        told.append(f"{label} has not begun ({evidence.state}), so there is nothing of it to compare.")
    begun = bool(status.steps or status.revision or evidence.results)
    if evidence.spec is None and begun and "snapshot" not in evidence.unread:
        told.append(f"The snapshot of {label} is gone, so what its Pipeline was is not compared.")
    return tuple(told)
