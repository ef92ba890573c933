"""What the storage holds before a generation: which epoch, which tables at which versions, what was fixed."""

from dataclasses import dataclass

from deltalake import DeltaTable

from penstock_jobs.contract.result import Remark
from penstock_jobs.contract.specification import DatasetJob
from penstock_jobs.dataset import schema
from penstock_jobs.storage import Store
from penstock_jobs.tables import delta

TRAINING = "datasets/training"
VALIDATION = "datasets/validation"


@dataclass(frozen=True)
class GenerationState:
    """The epoch and generation that are being made, on top of the tables as they were read (None: not there yet).

    `reset_before` is the epoch that was begun for the word of the reset that this run asks for, where one was.
    """

    epoch: int
    generation: int
    testing: DeltaTable | None
    validation: DeltaTable | None
    training: DeltaTable | None
    fixed: schema.EpochSchema | None
    reset_before: int | None = None


def testing_folder(epoch: int) -> str:
    """Return where the testing table of an epoch is, below the storage."""
    return f"datasets/testing/epoch-{epoch}"


def epochs(store: Store) -> list[int]:
    """Return the epochs that have a testing table, in order."""
    names = {key.split("/")[2] for key in store.keys("datasets/testing/epoch-") if "/_delta_log/" in key}
    return sorted(int(name.removeprefix("epoch-")) for name in names)


def read_state(store: Store, job: DatasetJob) -> GenerationState:
    """Return what this run starts from; a reset begins a new epoch unless one was begun for its word already."""
    last = max(epochs(store), default=0)
    testing = delta.open_table(store.child(testing_folder(last))) if last else None
    before = None if job.reset_testing is None else _epoch_of_reset(store, job.reset_testing)
    if job.reset_testing is not None and testing is not None and before is None:
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
        reset_before=before,
    )


def remarks_on_reset(state: GenerationState, job: DatasetJob) -> tuple[Remark, ...]:
    """Return what a person should know who asks for a reset that was made before, by another run."""
    made_by_this_run = (state.epoch, state.generation) == (state.reset_before, 1)
    if state.reset_before is None or made_by_this_run:
        return ()
    message = (
        f"The testing set was begun anew for {job.reset_testing} before, as epoch {state.reset_before}, so it was not "
        "again; for a new one give resetTesting another word, as the date of today."
    )
    return (Remark(code="ResetBefore", message=message),)


def _epoch_of_reset(store: Store, word: str) -> int | None:
    """Return the epoch that was begun for that word: its first commit says so, so that nothing can come between."""
    for epoch in reversed(epochs(store)):
        table = delta.open_table(store.child(testing_folder(epoch)))
        if table is not None and delta.reset_of(table) == word:
            return epoch
    return None


def _generation_of_run(testing: DeltaTable, job: DatasetJob) -> int:
    last = delta.last_commit(testing)
    number = int(last.get("generation", 0))
    return number if last.get("run") == job.run.uid else number + 1
