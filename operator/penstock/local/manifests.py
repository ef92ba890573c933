"""The manifests that commands are given: a Pipeline, and the run to make of it, or the Triggers that make some."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from penstock.api import Pipeline, PipelineRun, Trigger, load_file
from penstock.api.run import PipelineReference, PipelineRunSpec
from penstock_jobs.contract.errors import Refused


@dataclass(frozen=True)
class RunManifests:
    """What a file asks for: the Pipeline it describes, if it does, and the run."""

    pipeline: Pipeline | None
    run: PipelineRunSpec


@dataclass(frozen=True)
class TriggerManifests:
    """What files hold: Triggers, and Pipelines, each with the folder that its inputs are relative to."""

    triggers: tuple[Trigger, ...]
    pipelines: tuple[tuple[Pipeline, Path], ...]


def read_manifests(path: Path) -> RunManifests:
    """Return what the file asks to be run, or refuse it with what is wrong in it."""
    pipeline, run = pipeline_and_run(path)
    if run is None:
        assert pipeline is not None
        return RunManifests(pipeline, whole_run(pipeline))
    return RunManifests(pipeline, _with_name(run))


def whole_run(pipeline: Pipeline) -> PipelineRunSpec:
    """Return the run of all jobs that the Pipeline describes."""
    return PipelineRunSpec(pipeline_ref=PipelineReference(name=pipeline.metadata.name or ""))


def pipeline_and_run(path: Path) -> tuple[Pipeline | None, PipelineRun | None]:
    """Return the Pipeline and the PipelineRun of a file, one of which may be missing; refuse what is wrong in it."""
    resources = load_file(path)
    pipelines = [each for each in resources if isinstance(each, Pipeline)]
    runs = [each for each in resources if isinstance(each, PipelineRun)]
    if len(pipelines) > 1 or len(runs) > 1 or not (pipelines or runs):
        raise Refused(
            f"{path} has {len(pipelines)} Pipelines and {len(runs)} PipelineRuns; to be run, a file has one Pipeline, "
            "one PipelineRun, or one of each."
        )
    pipeline = pipelines[0] if pipelines else None
    if pipeline is not None and not pipeline.metadata.name:
        raise Refused(f"{path} does not name its Pipeline; add metadata.name.")
    run = runs[0] if runs else None
    if pipeline is not None and run is not None and run.spec.pipeline_ref.name != pipeline.metadata.name:
        raise Refused(
            f"{path} has a run of the Pipeline {run.spec.pipeline_ref.name} beside the Pipeline "
            f"{pipeline.metadata.name}; make spec.pipelineRef.name the same, or keep them in two files."
        )
    if run is not None and run.spec.trigger is not None:
        raise Refused(
            f"{path} says that the Trigger {run.spec.trigger.name} made its run (spec.trigger), which only a Trigger "
            "says; remove it, or run what the Trigger runs with penstock trigger."
        )
    return pipeline, run


def read_triggers(paths: Sequence[Path]) -> TriggerManifests:
    """Return the Triggers and Pipelines of these files, or refuse what is wrong in them, or means nothing here."""
    resources = [(each, path.absolute().parent) for path in paths for each in load_file(path)]
    triggers = tuple(each for each, _ in resources if isinstance(each, Trigger))
    pipelines = tuple((each, folder) for each, folder in resources if isinstance(each, Pipeline))
    said = ", ".join(map(str, paths))
    if not triggers:
        raise Refused(f"There is no Trigger in {said}; write one, or run the Pipeline once with penstock run.")
    for kind, names in (
        ("Trigger", [each.metadata.name for each in triggers]),
        ("Pipeline", [each.metadata.name for each, _ in pipelines]),
    ):
        if not all(names):
            raise Refused(f"A {kind} in {said} has no name; add metadata.name.")
        name, times = Counter(names).most_common(1)[0] if names else ("", 0)
        if times > 1:
            raise Refused(
                f"{said} name the {kind} {name} {times} times; keep one of them, or name the others otherwise."
            )
    for trigger in triggers:
        refuse_receiver(trigger)
    return TriggerManifests(triggers, pipelines)


def refuse_receiver(trigger: Trigger) -> None:
    """Raise `Refused` where a Trigger waits for events by HTTP, which nothing receives on a laptop."""
    if trigger.spec.event is not None:
        raise Refused(
            f"The Trigger {trigger.metadata.name} waits for events by HTTP (spec.event), and on a laptop nothing "
            "receives them; give it a schedule here, or fire it by hand with penstock trigger."
        )


def _with_name(run: PipelineRun) -> PipelineRunSpec:
    if run.spec.execution_name or not run.metadata.name:
        return run.spec
    return msgspec.structs.replace(run.spec, execution_name=run.metadata.name)
