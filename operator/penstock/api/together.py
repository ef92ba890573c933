"""What is wrong between the documents of one file, each of which is right alone."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from penstock.api.findings import Fault
from penstock.api.overrides import override_faults, with_overrides
from penstock.api.parameters import given_faults
from penstock.api.pipeline import Pipeline
from penstock.api.resource import Resource
from penstock.api.run import PipelineRun
from penstock.api.schema import JobName
from penstock.api.score_bounds import bound_faults
from penstock.api.trigger import Trigger
from penstock.api.watched_inputs import watched_input_fault


def faults_between(resources: Sequence[Resource]) -> Iterator[tuple[int, Fault]]:
    """Yield the place of a resource in the file, and what is wrong with it beside the others."""
    yield from _same_names(resources)
    pipelines = {each.metadata.name: each for each in resources if isinstance(each, Pipeline)}
    for place, each in enumerate(resources):
        named = each.spec.pipeline_ref.name if isinstance(each, PipelineRun | Trigger) else None
        if (pipeline := pipelines.get(named)) is not None:
            yield from ((place, fault) for fault in _faults_beside(each, pipeline))


def _faults_beside(resource: Resource, pipeline: Pipeline) -> Iterator[Fault]:
    """Yield what is wrong with a run or Trigger beside its Pipeline."""
    if isinstance(resource, PipelineRun):
        run, wrong = resource, override_faults(pipeline, resource.spec.overrides)
        taken = pipeline if wrong else with_overrides(pipeline, run.spec.overrides)
        yield from (*wrong, *given_faults(taken.spec, run.spec.parameters), *_jobs_without_a_part(run, taken))
    if isinstance(resource, Trigger):
        for fault in override_faults(pipeline, resource.spec.run.overrides):
            yield replace(fault, path=("spec", "run", *fault.path[1:]))
        yield from _source_faults(resource, pipeline)


def _source_faults(trigger: Trigger, pipeline: Pipeline) -> Iterator[Fault]:
    """Yield why what a Trigger waits for can never come of its Pipeline."""
    source, name = trigger.spec.objects, trigger.spec.pipeline_ref.name
    if trigger.spec.model is not None:
        yield from bound_faults(trigger.spec.model, pipeline.spec)
    if source is not None and (fault := watched_input_fault(pipeline.spec, name, source.input)) is not None:
        yield fault


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
