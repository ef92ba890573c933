"""The Pipeline as a run takes it: with the run's overrides, or refused with all that is wrong with them."""

from collections.abc import Sequence

from penstock.api.override_values import secret_name_faults
from penstock.api.overrides import override_faults, with_overrides
from penstock.api.pipeline import Pipeline
from penstock.api.run import Override
from penstock_jobs.contract.errors import Refused


def override_pipeline(pipeline: Pipeline, overrides: Sequence[Override]) -> Pipeline:
    """Return the Pipeline with these overrides.

    Raises:
        Refused: the Pipeline that they make is wrong, or has no such field.
    """
    wrong = [*secret_name_faults(overrides), *override_faults(pipeline, overrides)]
    if wrong:
        raise Refused(" ".join(fault.full_sentence for fault in wrong))
    return with_overrides(pipeline, overrides)
