"""The training job, from its specification to its result.

It starts the process that workers are forked from before anything else, so that the two import scikit-learn at once.
"""

import tempfile
from pathlib import Path

from penstock_jobs.contract.result import TrainingResult
from penstock_jobs.contract.specification import TrainingJob
from penstock_jobs.importing import put_on_path
from penstock_jobs.training.pool import Pool


def run(job: TrainingJob) -> TrainingResult:
    """Do the job; see `penstock_jobs.training.train`."""
    put_on_path(job.source)
    with tempfile.TemporaryDirectory(prefix="penstock-training-") as scratch, Pool(job, Path(scratch)) as pool:
        from penstock_jobs.training.search import search

        return search(job, pool, Path(scratch))
