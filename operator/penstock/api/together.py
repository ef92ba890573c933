"""What is wrong between the documents of one file, each of which is right alone."""

from collections.abc import Iterator, Mapping, Sequence

from penstock.api.findings import Fault
from penstock.api.overrides import override_faults, with_overrides
from penstock.api.parameters import given_faults
from penstock.api.pipeline import Pipeline
from penstock.api.resource import Resource
from penstock.api.run import PipelineRun
from penstock.api.schema import JobName
from penstock.api.trigger import Trigger
from penstock.api.watched_inputs import watched_input_fault


def faults_between(resources: Sequence[Resource]) -> Iterator[tuple[int, Fault]]:
    """Yield the place of a resource in the file, and what is wrong with it beside the others."""
    yield from _same_names(resources)
    pipelines = {each.metadata.name: each for each in resources if isinstance(each, Pipeline)}
    for place, run in enumerate(resources):
        if isinstance(run, PipelineRun) and (pipeline := pipelines.get(run.spec.pipeline_ref.name)) is not None:
            wrong = override_faults(pipeline, run.spec.overrides)
            taken = pipeline if wrong else with_overrides(pipeline, run.spec.overrides)
            wrong = (*wrong, *given_faults(taken.spec, run.spec.parameters), *_jobs_without_a_part(run, taken))
            yield from ((place, fault) for fault in wrong)
    yield from _inputs_that_nobody_can_watch(resources, pipelines)


def _inputs_that_nobody_can_watch(
    resources: Sequence[Resource], pipelines: Mapping[str | None, Pipeline]
) -> Iterator[tuple[int, Fault]]:
    for place, each in enumerate(resources):
        source = each.spec.objects if isinstance(each, Trigger) else None
        if isinstance(each, Trigger) and source is not None:
            name = each.spec.pipeline_ref.name
            fault = watched_input_fault(pipelines[name].spec, name, source.input) if name in pipelines else None
            yield from [] if fault is None else [(place, fault)]


def _same_names(resources: Sequence[Resource]) -> Iterator[tuple[int, Fault]]:
    seen: set[tuple[str, str | None, str]] = set()
    for place, each in enumerate(resources):
        if each.metadata.name is None:
            continue
        name = (each.kind, each.metadata.namespace, each.metadata.name)
        if name in seen:
            sentence = f"is {each.metadata.name}, as a {each.kind} before it in this file; give it another name"
            yield place, Fault(("metadata", "name"), sentence)
        seen.add(name)


def _jobs_without_a_part(run: PipelineRun, pipeline: Pipeline) -> Iterator[Fault]:
    parts: dict[JobName, bool] = {
        "dataset": pipeline.spec.dataset is not None,
        "training": pipeline.spec.training is not None,
        "testing": pipeline.spec.dataset is not None,
        "deployment": pipeline.spec.deployment is not None,
    }
    for index, request in enumerate(run.spec.jobs):
        if not parts[request.name]:
            sentence = f"is {request.name}, and the Pipeline in this file has no spec.{request.name}; add it, or leave "
            yield Fault(("spec", "jobs", index, "name"), f"{sentence}the job out")
