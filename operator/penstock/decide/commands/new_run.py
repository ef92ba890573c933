"""The PipelineRun that a person asks for on the command line: its name, its jobs, its execution name."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from penstock.api.run import JobRequest, PipelineRunSpec
from penstock.api.schema import API_VERSION, JOBS, JobName
from penstock.decide.names import LONGEST, run_name
from penstock_jobs.contract.errors import Refused

Object = dict[str, Any]
PIPELINE_LABEL = "penstock.dev/pipeline"
_ASKED = "asked-"  # begins the word of a reset that a person asked for without one


def with_jobs(spec: PipelineRunSpec, jobs: str) -> PipelineRunSpec:
    """Return the spec with these jobs only; what it says of one of them stays.

    Args:
        spec: the run as it was asked for.
        jobs: names of jobs with commas between them.
    """
    names = [word.strip() for word in jobs.split(",") if word.strip()]
    for word in names:
        if word not in JOBS:
            raise Refused(f"--jobs names {word}, which is none of {', '.join(JOBS)}.")
    if not names:
        raise Refused(f"--jobs names no job; name some of {', '.join(JOBS)}, or leave it out for all.")
    given = {request.name: request for request in spec.jobs}
    chosen = tuple(given.get(job, JobRequest(name=job)) for job in JOBS if job in names)
    return msgspec.structs.replace(spec, jobs=chosen)


def with_reset(spec: PipelineRunSpec, word: str) -> PipelineRunSpec:
    """Return the spec whose dataset job begins a new testing set, for that word."""
    asked: tuple[JobName, ...] = tuple(request.name for request in spec.jobs) or JOBS
    if "dataset" not in asked:
        raise Refused("--reset-testing is for the job dataset, which --jobs leaves out; add it.")
    given = {request.name: request for request in spec.jobs}
    requests = {job: given.get(job, JobRequest(name=job)) for job in asked}
    requests["dataset"] = msgspec.structs.replace(requests["dataset"], reset_testing=word)
    return msgspec.structs.replace(spec, jobs=tuple(requests.values()))


def reset_word(now: datetime) -> str:
    """Return the word of a reset that a person asks for now, which no reset before has."""
    return f"{_ASKED}{now.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}"


def is_same_request(one: PipelineRunSpec, other: PipelineRunSpec) -> bool:
    """Return whether two commands ask for the same run, whenever each of them asked for a reset."""
    return _without_moment(one) == _without_moment(other)


def _without_moment(spec: PipelineRunSpec) -> PipelineRunSpec:
    jobs = tuple(
        msgspec.structs.replace(job, reset_testing=_ASKED) if (job.reset_testing or "").startswith(_ASKED) else job
        for job in spec.jobs
    )
    return msgspec.structs.replace(spec, jobs=jobs)


def with_execution_name(spec: PipelineRunSpec, name: str) -> PipelineRunSpec:
    """Return the spec with this wish for an execution name."""
    try:
        msgspec.convert({"pipelineRef": {"name": "any"}, "executionName": name}, PipelineRunSpec)
    except msgspec.ValidationError as error:
        raise Refused(
            f"--name is {name!r}: a name of a run has letters, digits, -, _ and . only, and at most 52 of them."
        ) from error
    return msgspec.structs.replace(spec, execution_name=name)


def new_run(spec: PipelineRunSpec, manifest: Mapping[str, Any] | None) -> Object:
    """Return the run to make on a cluster; its name is a wish, since another may have it (`with_generated_name`).

    Args:
        spec: what is to be run. Its execution name, where it has one, enters the name of the object.
        manifest: the PipelineRun of the file, whose name, labels and annotations are kept; None without one.
    """
    metadata = {} if manifest is None else dict(manifest.get("metadata") or {})
    pipeline = spec.pipeline_ref.name
    kept = {name: metadata[name] for name in ("annotations",) if metadata.get(name)}
    labels = {PIPELINE_LABEL: pipeline, **(metadata.get("labels") or {})}
    if metadata.get("name"):
        named = {"name": metadata["name"]}
    elif metadata.get("generateName"):
        named = {"generateName": metadata["generateName"]}
    elif spec.execution_name:
        named = {"name": run_name(pipeline, spec.execution_name, ())}
    else:
        named = {"generateName": f"{pipeline[:LONGEST]}-"}
    return {
        "apiVersion": API_VERSION,
        "kind": "PipelineRun",
        "metadata": {**named, "labels": labels, **kept},
        "spec": msgspec.to_builtins(spec),
    }


def with_generated_name(run: Mapping[str, Any]) -> Object:
    """Return the run under a name that the API server makes, where the wished one is taken.

    The wish stays its execution name: there it gets an index, as `test_2`.
    """
    metadata = dict(run["metadata"])
    name = metadata.pop("name")
    spec = {"executionName": name[:LONGEST], **run["spec"]}
    return {**run, "metadata": {**metadata, "generateName": f"{name[:LONGEST]}-"}, "spec": spec}
