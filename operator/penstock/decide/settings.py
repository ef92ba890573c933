"""How a job of a run is to run: what the Pipeline says, and over it what the run says."""

import math

import msgspec

from penstock.api.jobs import JobSettings
from penstock.api.pipeline import PipelineSpec
from penstock.api.quantities import read_bytes, read_duration, read_quantity
from penstock.api.run import JobRequest
from penstock.api.schema import JobName

_REQUESTED = (
    "profile",
    "parallelism",
    "processes",
    "threads",
    "resources",
    "gpu",
    "timeout",
    "pending_limit",
    "retries",
)


def settings_of(spec: PipelineSpec, job: JobName, request: JobRequest | None = None) -> JobSettings:
    """Return the settings of a job: those of the Pipeline, each replaced by that of the run where it has one."""
    settings = getattr(spec.jobs, job) if spec.jobs is not None else None
    settings = settings or JobSettings()
    if request is None:
        return settings
    said = {name: getattr(request, name) for name in _REQUESTED if getattr(request, name) is not None}
    return msgspec.structs.replace(settings, **said)


def timeout_of(settings: JobSettings, job: JobName) -> float | None:
    """Return the seconds that the job may run, or None where nothing limits it."""
    return None if settings.timeout is None else read_duration(settings.timeout, f"spec.jobs.{job}.timeout")


def memory_of(settings: JobSettings, job: JobName) -> int | None:
    """Return the bytes that a pod of the job may use: its limit, or what it requests, or None where nothing is said."""
    for kind in ("limits", "requests"):
        amounts = getattr(settings.resources, kind) if settings.resources is not None else None
        if amounts is not None and amounts.memory is not None:
            return read_bytes(amounts.memory, f"spec.jobs.{job}.resources.{kind}.memory")
    return None


def processors_of(settings: JobSettings, job: JobName) -> int | None:
    """Return the whole processors that a pod of the job has: what it requests, or its limit, or None."""
    for kind in ("requests", "limits"):
        amounts = getattr(settings.resources, kind) if settings.resources is not None else None
        if amounts is not None and amounts.cpu is not None:
            return max(1, math.floor(read_quantity(amounts.cpu, f"spec.jobs.{job}.resources.{kind}.cpu")))
    return None
