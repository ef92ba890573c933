"""Which job reads which fields of a Pipeline, said once: what changes of them, and of nothing else, matters to it.

A job that reads what another made reads that one's fields by way of it, so those are not repeated here: whoever asks
about several jobs asks about each. Where a job runs, with how much, and for how long is not among them: its result is
the same there.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from penstock.api.pipeline import PipelineSpec
from penstock.api.schema import JobName
from penstock.decide.run_state import select_jobs

_SETTINGS = (
    "image",
    "threads",
    "gpu",
    "env",
    "podTemplate",
    "profile",
)  # of a job: those that its result may depend on
_TABLES = ("storage", "dataset.target", "dataset.split", "dataset.weight")  # what is known of them beside the tables

READS: Mapping[JobName, tuple[str, ...]] = {
    "dataset": ("storage", "dataset", "parameters", "training.validation"),
    "training": (
        *_TABLES,
        "source",
        "training",
        "testing.scoring",  # a candidate is tried with them before the grid is trained
        "deployment.decision",
        "models.storage",
        "models.trustedTypes",
    ),
    "testing": (
        *_TABLES,
        "source",
        "testing",
        "training.scoring",
        "deployment.selection",
        "models.storage",
        "models.trustedTypes",
    ),
    "deployment": ("deployment.selection", "deployment.model"),
}
"""By job the paths of fields below the Pipeline's spec; beside them some of the job's own settings (`jobs`)."""


def read_fields(spec: PipelineSpec, job: JobName) -> dict[str, Any]:
    """Return the fields that the job reads, by path, as JSON; those that are not there are left out."""
    whole = msgspec.to_builtins(spec)
    found = {path: value for path in READS[job] if (value := _at(whole, path)) is not None}
    settings: dict[str, Any] = next((each for each in whole.get("jobs") or () if each["name"] == job), {})
    return found | {f"jobs[{job}].{name}": settings[name] for name in _SETTINGS if settings.get(name)}


def inputs_digest(spec: PipelineSpec, jobs: Iterable[JobName] = ()) -> str:
    """Return a digest of all that these jobs read; of those that the Pipeline describes, where none is named.

    Raises:
        Refused: the Pipeline does not describe one of them.
    """
    read = {job: read_fields(spec, job) for job in select_jobs(spec, tuple(jobs))}
    return hashlib.sha256(msgspec.json.encode(read, order="sorted")).hexdigest()


def _at(whole: Any, path: str) -> Any:
    for name in path.split("."):
        whole = whole.get(name) if isinstance(whole, dict) else None
    return whole
