"""The Pipeline as a run takes it: with the run's overrides, or refused with all that is wrong with them."""

from collections.abc import Sequence

from penstock.api.findings import Fault
from penstock.api.overrides import first_by_right, override_faults, with_overrides
from penstock.api.pipeline import Pipeline
from penstock.api.run import Override
from penstock_jobs.contract.errors import Refused


def override_pipeline(pipeline: Pipeline, overrides: Sequence[Override], *, rights_checked: bool) -> Pipeline:
    """Return the Pipeline with these overrides.

    Args:
        pipeline: the Pipeline.
        overrides: those of a run.
        rights_checked: whether the author's right to update the Pipeline has been asked about where an override needs
            it: by the API server, which knows who that was, or because the Pipeline is the author's own.

    Raises:
        Refused: the Pipeline that they make is wrong, or has no such field; or nobody asked for a right.
    """
    wrong = [fault.full_sentence for fault in override_faults(pipeline, overrides)]
    if not wrong and not rights_checked:
        wrong = [fault.full_sentence for fault in _faults_without_policies(pipeline.metadata.name or "", overrides)]
    if wrong:
        raise Refused(" ".join(wrong))
    return with_overrides(pipeline, overrides)


def _faults_without_policies(pipeline: str, overrides: Sequence[Override]) -> list[Fault]:
    found = first_by_right(overrides)
    if found is None:
        return []
    index, path = found
    sentence = (
        f"is {path}, which is for who may update the Pipeline {pipeline}, and the cluster does not ask for that right; "
        "change the Pipeline, or have the chart's admissionPolicies turned on"
    )
    return [Fault(("spec", "overrides", index, "path"), sentence)]
