"""What the storage holds before a generation: which epoch, which tables at which versions, what was fixed."""

from dataclasses import dataclass

from deltalake import DeltaTable

from penstock_jobs.contract.specification import DatasetJob
from penstock_jobs.dataset import schema
from penstock_jobs.storage import Store
from penstock_jobs.tables import delta

TRAINING = "datasets/training"
VALIDATION = "datasets/validation"


@dataclass(frozen=True)
class GenerationState:
    """The epoch and generation that are being made, on top of the tables as they were read (None: not there yet)."""

    epoch: int
    generation: int
    testing: DeltaTable | None
    validation: DeltaTable | None
    training: DeltaTable | None
    fixed: schema.EpochSchema | None


def testing_folder(epoch: int) -> str:
    """Return where the testing table of an epoch is, below the storage."""
    return f"datasets/testing/epoch-{epoch}"


def epochs(store: Store) -> list[int]:
    """Return the epochs that have a testing table, in order."""
    names = {key.split("/")[2] for key in store.keys("datasets/testing/epoch-") if "/_delta_log/" in key}
    return sorted(int(name.removeprefix("epoch-")) for name in names)


def read_state(store: Store, job: DatasetJob) -> GenerationState:
    """Return what this run starts from; a reset begins a new epoch unless this very run has begun it already."""
    last = max(epochs(store), default=0)
    testing = delta.open_table(store.child(testing_folder(last))) if last else None
    mine = testing is not None and delta.first_run(testing) == job.run.uid
    if job.reset_testing and testing is not None and not mine:
        epoch, generation, testing = last + 1, 1, None
    else:
        epoch, generation = max(last, 1), 1 if testing is None else _generation_of_run(testing, job)
    return GenerationState(
        epoch=epoch,
        generation=generation,
        testing=testing,
        validation=delta.open_table(store.child(VALIDATION)),
        training=delta.open_table(store.child(TRAINING)),
        fixed=schema.load(store, epoch) if testing is not None else None,
    )


def _generation_of_run(testing: DeltaTable, job: DatasetJob) -> int:
    last = delta.last_commit(testing)
    number = int(last.get("generation", 0))
    return number if last.get("run") == job.run.uid else number + 1
