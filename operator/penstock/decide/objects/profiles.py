"""Named sets of settings, kept by who runs the operator, so that a Pipeline need not know the labels of nodes."""

from collections.abc import Mapping

import msgspec

from penstock.api.findings import join_names
from penstock.api.jobs import JobSettings, PipelineJob, job_field
from penstock.api.pipeline import PipelineSpec
from penstock.api.quantities import read_quantity
from penstock.api.run import JobRequest
from penstock.api.schema import JOBS
from penstock.decide.job_specification import settings_of
from penstock_jobs.contract.errors import Refused

Profiles = Mapping[str, JobSettings]


def with_profiles(
    spec: PipelineSpec, requests: tuple[JobRequest, ...], profiles: Profiles, defaults: JobSettings
) -> PipelineSpec:
    """Return the spec with everything said of each job that anybody said of it.

    The run goes before the Pipeline, the Pipeline before the profile that it (or the run) names, and the profile before
    the operator's defaults: field by field, but environment variables name by name.

    Raises:
        Refused: there is no such profile, or nothing that more memory could be more than.
    """
    asked = {request.name: request for request in requests}
    said = tuple(settings_of(spec, name, asked.get(name)) for name in JOBS)
    resolved = tuple(_resolve(each, profiles, defaults) for each in said)
    for before, after in zip(said, resolved, strict=True):
        _refuse_memory_without_limit(before, after)
    return msgspec.structs.replace(spec, jobs=resolved)


def access_of(settings: JobSettings) -> JobSettings:
    """Return of a job's settings what a pod needs to be admitted, placed and let into what it asks."""
    return JobSettings(
        service_account_name=settings.service_account_name,
        image_pull_secrets=settings.image_pull_secrets,
        node_selector=settings.node_selector,
        tolerations=settings.tolerations,
        priority_class_name=settings.priority_class_name,
        env=settings.env,
    )


def processors_of(settings: JobSettings) -> int:
    """Return how many whole processors a pod has to itself; 1 where nobody said."""
    resources = settings.resources
    asked = (resources.requests, resources.limits) if resources else ()
    amounts = [each.cpu for each in asked if each is not None and each.cpu is not None]
    return max(1, int(read_quantity(amounts[0], "resources.requests.cpu"))) if amounts else 1


def _refuse_memory_without_limit(said: PipelineJob, resolved: PipelineJob) -> None:
    limits = resolved.resources.limits if resolved.resources else None
    if said.retries is not None and said.retries.memory is not None and (limits is None or limits.memory is None):
        raise Refused(
            f"{job_field(said.name, 'retries.memory')} raises resources.limits.memory, which nobody has set; set it, "
            "or remove retries.memory."
        )


def _resolve(settings: PipelineJob, profiles: Profiles, defaults: JobSettings) -> PipelineJob:
    if settings.profile is None:
        return _with_fallback(settings, defaults)
    if settings.profile not in profiles:
        known = f"there are {join_names(sorted(profiles))}" if profiles else "there are none"
        raise Refused(
            f"{job_field(settings.name, 'profile')} is {settings.profile}, and the operator has no such profile "
            f"({known}); name one that it has, or ask who runs it."
        )
    return _with_fallback(_with_fallback(settings, profiles[settings.profile]), defaults)


def _with_fallback(settings: PipelineJob, beneath: JobSettings) -> PipelineJob:
    """Return the settings, with what they do not say taken from others."""
    unsaid = [name for name in settings.__struct_fields__ if getattr(settings, name) in (None, (), {})]
    merged: PipelineJob = msgspec.structs.replace(settings, **{name: getattr(beneath, name) for name in unsaid})
    own = {each.name for each in settings.env}
    env = (*(each for each in beneath.env if each.name not in own), *settings.env)
    return msgspec.structs.replace(merged, env=env)
