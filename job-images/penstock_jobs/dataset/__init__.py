"""The dataset job: from the inputs to the three tables, training, validation and testing.

The split is a function of each point's identity (`encoding`, `draw`), never a draw at random; `strategies` holds one
rule a file; `generation` is the order of the work, in which everything is checked before anything is committed.
"""

from penstock_jobs.contract.result import DatasetPart, DatasetResult
from penstock_jobs.contract.specification import DatasetJob


def generate(job: DatasetJob) -> DatasetResult:
    """Read the inputs and write the next generation of the tables; see `penstock_jobs.dataset.generation`."""
    from penstock_jobs.dataset.generation import generate as run  # DuckDB and deltalake take a while to import

    return run(job)


def read_shard(job: DatasetJob) -> DatasetPart:
    """Read this shard's files for another job to merge; see `penstock_jobs.dataset.shards`."""
    from penstock_jobs.dataset.shards import read_shard as run

    return run(job)


def merge_job(job: DatasetJob) -> DatasetJob | None:
    """Return the job that merges the parts, where it is this shard's to do; see `penstock_jobs.dataset.shards`."""
    from penstock_jobs.dataset.shards import merge_job as claimed

    return claimed(job)
