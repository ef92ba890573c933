"""Training: every candidate is fitted on the training table and scored on validation; the best become Models.

`train` is the job. What it leaves in the run's storage is read with `penstock_jobs.training.ledger.read_candidates`.
"""

from penstock_jobs.contract.result import TrainingResult
from penstock_jobs.contract.specification import TrainingJob

__all__ = ["train"]


def train(job: TrainingJob) -> TrainingResult:
    """Train and score every candidate, save the best `keep` as Models, and say what became of all.

    What was finished before, by an earlier start of the same job, is not done again.
    """
    from penstock_jobs.training.job import run

    return run(job)
