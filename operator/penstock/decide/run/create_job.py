"""How a part of a run is started: its specification first, then its Job. Both have the same names each time."""

import msgspec

from penstock.api.jobs import JobSettings, ResourceAmounts, Resources
from penstock.api.quantities import read_bytes
from penstock.api.run import StepTries
from penstock.api.schema import JobName
from penstock.decide import job_specification
from penstock.decide.decision import ApiObject, Create
from penstock.decide.objects.children import child_name
from penstock.decide.objects.images import image_of
from penstock.decide.objects.job import StepJob, job
from penstock.decide.objects.revision import Snapshot
from penstock.decide.objects.specification_file import specification_file
from penstock.decide.observed.pods import Wait
from penstock.decide.run.draft import RunDraft
from penstock.decide.run.facts import RunFacts
from penstock.decide.run.more_memory import with_memory
from penstock.decide.run.plan import SOURCE, PlannedPart
from penstock.decide.run.specifications import specification_of
from penstock.decide.run_state import status_of, step_of
from penstock.decide.snapshot import documents, encode_documents, tables_of
from penstock_jobs.contract.result import DatasetResult
from penstock_jobs.contract.specification import DatasetJob, TrainingJob

# All of it is said, since a quota of the namespace may ask for any.
FETCHING = Resources(
    requests=ResourceAmounts(cpu="100m", memory="128Mi"), limits=ResourceAmounts(cpu="1", memory="1Gi")
)


def create_job(
    facts: RunFacts, draft: RunDraft, snapshot: Snapshot, part: PlannedPart, tries: StepTries, why: Wait | None = None
) -> RunDraft:
    """Return the draft with the Job of this try at the part begun; `why` is what there is to say of another try."""
    specification, made = objects_of(facts, draft, snapshot, part, tries)
    draft = draft.with_writes(Create(specification), Create(made))
    begun = msgspec.structs.replace(tries, start_time=facts.time, not_before=None)
    draft = draft.about(part.step, tries=begun)
    if part.name == SOURCE:
        return draft  # it comes before its step
    step = step_of(draft.run, part.step)
    return draft.step(
        part.step,
        "Running",
        why.reason if why else None,
        why.message if why else None,
        job_name=child_name(facts.owner, part.name, tries.number, facts.index),
        start_time=step.start_time if step else None,
    )


def objects_of(
    facts: RunFacts, draft: RunDraft, snapshot: Snapshot, part: PlannedPart, tries: StepTries
) -> tuple[ApiObject, ApiObject]:
    """Return the ConfigMap and the Job of this try at the part."""
    asked = specification_of(facts, draft, snapshot, part)
    settings = settings_of_part(snapshot, part)
    memory = None if tries.memory is None else str(tries.memory)
    if memory is not None:
        settings = with_memory(settings, memory)
        if isinstance(asked, DatasetJob | TrainingJob):
            asked = msgspec.structs.replace(asked, memory=read_bytes(memory, "retries.memory"))
    reference = image_of_part(snapshot, part)
    step = StepJob(
        owner=facts.owner,
        part=part.name,
        specification=asked,
        # What waits for as long as the operator lets it must not be ended by a ceiling that counts on less.
        settings=msgspec.structs.replace(settings, pending_limit=facts.pending_limit(step_of_part(part), snapshot)[0]),
        image=draft.images.get(reference, reference),
        logs=snapshot.pipeline.spec.logs,
        attempt=tries.number,
        failed=tries.failed,
        memory=memory,
        index=facts.index,
        snapshot=True,
        general=snapshot.pods,
    )
    content = _snapshot(draft, snapshot, part, facts.observation.site.identity(facts.run))
    return specification_file(facts.owner, part.name, asked, content, facts.index, step.edition), job(step)


def image_of_part(snapshot: Snapshot, part: PlannedPart) -> str:
    """Return the image of this part as it is referred to."""
    return image_of(part.name, snapshot.pipeline.spec, settings_of_part(snapshot, part), snapshot.images)


def step_of_part(part: PlannedPart) -> JobName:
    """Return the step whose settings hold for the part: what is tested again in a deployment is a test."""
    return "testing" if part.step == "deployment" else part.step


def settings_of_part(snapshot: Snapshot, part: PlannedPart) -> JobSettings:
    """Return how the Job of this part runs: as its step says; what only fetches needs none of its room or GPUs."""
    settings = job_specification.settings_of(snapshot.pipeline.spec, step_of_part(part))
    if part.name != SOURCE:
        return settings
    return JobSettings(
        resources=FETCHING,
        retries=settings.retries,
        pending_limit=settings.pending_limit,
        image_pull_secrets=settings.image_pull_secrets,
        # A proxy may be the only way to the repository, but it sees what passes: no author of a Pipeline names it.
        env=snapshot.source_env,
        priority_class_name=settings.priority_class_name,
        queue_name=settings.queue_name,
    )


def _snapshot(draft: RunDraft, snapshot: Snapshot, part: PlannedPart, identity: str | None) -> str:
    """Return what the run is, as far as it is resolved by now: each step knows more, and says nothing otherwise."""
    found = documents(snapshot.pipeline, draft.run, snapshot.parameters)
    resolved = found[-1]["resolved"]
    resolved["executionName"] = status_of(draft.run).execution_name
    if identity is not None:
        resolved["identity"] = identity
    if draft.images:
        resolved["images"] = dict(sorted(draft.images.items()))
    if "dataset" in part.needs:
        resolved["tables"] = tables_of(draft.result("dataset", DatasetResult))
    return encode_documents(found).decode()
