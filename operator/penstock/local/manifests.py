"""The manifests that `penstock run` is given: one Pipeline, and perhaps the run to make of it."""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from penstock.api import Pipeline, PipelineRun, load_file
from penstock.api.run import PipelineReference, PipelineRunSpec
from penstock_jobs.contract.errors import Refused


@dataclass(frozen=True)
class RunManifests:
    """What a file asks for: the Pipeline it describes, if it does, and the run."""

    pipeline: Pipeline | None
    run: PipelineRunSpec


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
    return pipeline, run


def _with_name(run: PipelineRun) -> PipelineRunSpec:
    if run.spec.execution_name or not run.metadata.name:
        return run.spec
    return msgspec.structs.replace(run.spec, execution_name=run.metadata.name)
