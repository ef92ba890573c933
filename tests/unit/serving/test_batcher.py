import asyncio
import threading

import numpy as np
import pytest

from penstock_jobs.models.answers import ModelPredictions
from penstock_jobs.models.block import Block
from penstock_jobs.serving.batcher import LARGE, Batcher


def block(*values: float) -> Block:
    return Block(np.array([values]).T, np.empty((len(values), 0), dtype=object))


def doubled(rows: Block) -> ModelPredictions:
    if (rows.numbers < 0).any():
        raise ValueError("negative")
    return ModelPredictions(rows.numbers[:, 0] * 2)


def test_what_waits_at_the_same_moment_is_answered_by_one_run_and_each_gets_its_own() -> None:
    batcher = Batcher(doubled)

    async def together() -> list[ModelPredictions]:
        return await asyncio.gather(*(batcher.answer(block(value, value + 0.5)) for value in range(10)))

    answers = asyncio.run(together())
    assert [answer.labels.tolist() for answer in answers] == [[2.0 * value, 2.0 * value + 1] for value in range(10)]
    assert batcher.runs == 1


def test_a_request_alone_does_not_wait_for_another() -> None:
    batcher = Batcher(doubled)

    async def alone() -> int:
        """Return after how many steps of the loop the answer is there."""
        task = asyncio.ensure_future(batcher.answer(block(1)))
        steps = 0
        while not task.done():
            steps += 1
            await asyncio.sleep(0)
        return steps

    assert asyncio.run(alone()) <= 3


def test_a_row_that_fails_fails_only_its_own_request() -> None:
    batcher = Batcher(doubled)

    async def together() -> list[ModelPredictions | BaseException]:
        return await asyncio.gather(*(batcher.answer(block(value)) for value in (1, -1, 3)), return_exceptions=True)

    first, second, third = asyncio.run(together())
    assert isinstance(second, ValueError)
    assert isinstance(first, ModelPredictions)
    assert isinstance(third, ModelPredictions)
    assert (first.labels.tolist(), third.labels.tolist()) == ([2.0], [6.0])


def test_a_client_that_went_away_takes_no_answer_from_the_others() -> None:
    batcher = Batcher(doubled)

    async def leaving() -> ModelPredictions:
        gone = asyncio.ensure_future(batcher.answer(block(1)))
        stays = asyncio.ensure_future(batcher.answer(block(2)))
        await asyncio.sleep(0)
        gone.cancel()
        return await stays

    assert asyncio.run(leaving()).labels.tolist() == [4.0]


@pytest.mark.parametrize("rows", [LARGE, LARGE * 3])
def test_a_large_request_leaves_the_loop_free(rows: int) -> None:
    batcher = Batcher(doubled)

    async def large() -> ModelPredictions:
        return await batcher.answer(block(*range(rows)))

    assert asyncio.run(large()).labels.tolist() == [2.0 * value for value in range(rows)]


def test_a_slow_model_runs_in_a_thread_so_that_the_loop_stays_free_and_what_comes_meanwhile_goes_together() -> None:
    release = threading.Event()
    runs: list[int] = []

    async def asked() -> list[list[float]]:
        loop, second = asyncio.get_running_loop(), asyncio.Event()

        def held_up(rows: Block) -> ModelPredictions:
            runs.append(rows.rows)
            if len(runs) == 2:
                loop.call_soon_threadsafe(second.set)
                assert release.wait(10)
            return doubled(rows)

        batcher = Batcher(held_up, slow=0)
        first = await batcher.answer(block(1))
        under_way = asyncio.ensure_future(batcher.answer(block(2)))
        await second.wait()
        meanwhile = [asyncio.ensure_future(batcher.answer(block(value))) for value in (3, 4, 5)]
        await asyncio.sleep(0)
        assert not under_way.done()
        release.set()
        return [answer.labels.tolist() for answer in [first, *await asyncio.gather(under_way, *meanwhile)]]

    assert asyncio.run(asked()) == [[2.0], [4.0], [6.0], [8.0], [10.0]]
    assert runs == [1, 1, 3]
