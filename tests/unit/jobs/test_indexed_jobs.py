"""A job that is shared out over pods: all read one specification, and each knows its own share."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import DatasetJob, Shard, TrainingJob
from penstock_jobs.indexed import specification_of_this_pod
from unit.objects.examples_of_objects import for_dataset, for_training, spec_of

TRAINING: TrainingJob = for_training(spec_of())
DATASET: DatasetJob = for_dataset(spec_of())


@given(st.integers(2, 256), st.data())
def test_each_worker_takes_its_index(workers: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, workers - 1))
    mine = specification_of_this_pod(
        msgspec.structs.replace(TRAINING, workers=workers), {"JOB_COMPLETION_INDEX": str(index)}
    )

    assert isinstance(mine, TrainingJob)
    assert (mine.worker, mine.workers) == (index, workers)


def test_each_shard_takes_its_index_and_the_one_that_merges_keeps_its_own() -> None:
    shared = msgspec.structs.replace(DATASET, shard=Shard(index=0, count=4))
    merging = msgspec.structs.replace(DATASET, shard=Shard(index=4, count=4))

    second = specification_of_this_pod(shared, {"JOB_COMPLETION_INDEX": "1"})
    assert isinstance(second, DatasetJob)
    assert second.shard == Shard(index=1, count=4)
    assert specification_of_this_pod(merging, {"JOB_COMPLETION_INDEX": "0"}) == merging


def test_a_job_that_is_not_shared_out_is_as_it_was() -> None:
    assert specification_of_this_pod(TRAINING, {"JOB_COMPLETION_INDEX": "0"}) == TRAINING
    assert specification_of_this_pod(TRAINING, {}) == TRAINING


def test_an_index_beyond_the_workers_is_refused() -> None:
    shared = msgspec.structs.replace(TRAINING, workers=4)

    with pytest.raises(Refused, match="JOB_COMPLETION_INDEX is 4, and the work is shared out over 4 pods"):
        specification_of_this_pod(shared, {"JOB_COMPLETION_INDEX": "4"})
