"""The PipelineRun that a person asks for who wants another one done again."""

from penstock.api.run import PipelineRun, PipelineRunSpec, RerunOf
from penstock.api.schema import JobName
from penstock.decide.names import LONGEST


def rerun(
    repeated: PipelineRun, first: JobName | None = None, last: JobName | None = None, *, debug: bool = False
) -> PipelineRunSpec:
    """Return the run that repeats this one, from and until these jobs.

    Its execution name is the same wish, and so gets an index. What that run said of its own storage and credentials is
    said again, by the person who asks, and so for their rights.
    """
    was, name = repeated.spec, repeated.metadata.name or ""
    return PipelineRunSpec(
        pipeline_ref=was.pipeline_ref,
        execution_name=was.execution_name or name[:LONGEST],
        storage=was.storage,
        credentials=was.credentials,
        timeout=was.timeout,
        rerun_of=RerunOf(name=name, from_=first, until=last),
        mode="Debug" if debug else "Snapshot",
    )
