"""Which side a point is on, whatever happens to the input: the rules of the strategies Key and Group."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from penstock_jobs.contract.document import encode
from penstock_jobs.contract.result import DatasetResult
from penstock_jobs.contract.specification import Shard, SplitSpec, TargetSpec, ValidationSpec
from penstock_jobs.dataset import generate, read_shard
from penstock_jobs.dataset.draw import draw, threshold
from penstock_jobs.dataset.encoding import identity
from penstock_jobs.storage import open_store
from unit.dataset.dataset_making import (
    Row,
    digests,
    job,
    make_dataset,
    rows,
    shuffle_rows,
    sides,
    write_csv,
    write_parquet,
)

FEW = settings(
    max_examples=5,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # each example takes a second: shrinking would take minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
# What happens to the input between two generations: which rows are there, how they are shuffled, repeated and changed.
CHANGE = st.fixed_dictionaries(
    {
        "start": st.integers(0, 60),
        "count": st.integers(60, 140),
        "seed": st.integers(0, 99),
        "repeated": st.integers(0, 9),
        "changed": st.integers(0, 30),
        "relabelled": st.integers(0, 30),
        "column": st.booleans(),
    }
)
Change = dict[str, Any]
HISTORY = st.lists(CHANGE, min_size=2, max_size=4)


def after(change: Change, added: bool) -> list[Row]:
    """Return the input of one generation; a column once added stays."""
    table = [dict(row) for row in rows(change["count"], change["start"])]
    for row in table[: change["changed"]]:
        row["x"] = row["x"] + 1000
    for row in table[: change["relabelled"]]:
        row["amount"] = row["amount"] + 5
    if added:
        for row in table:
            row["more"] = row["id"] + 1
    return shuffle_rows(table + table[: change["repeated"]], change["seed"])


def generations(
    home: Path, history: list[Change], **changes: Any
) -> Iterator[tuple[DatasetResult, dict[str, set[Any]], list[Row]]]:
    """Generate once for each change, and yield the result, the sides by key, and the input."""
    added = False
    for index, change in enumerate(history):
        added = added or change["column"]
        table = after(change, added)
        result = make_dataset(home, table, f"run-{index}", **changes)
        yield result, sides(home, result), table


@given(history=HISTORY)
@FEW
def test_with_a_key_a_side_is_a_function_of_the_key_and_testing_loses_nothing(
    tmp_path_factory: pytest.TempPathFactory, history: list[Change]
) -> None:
    home = tmp_path_factory.mktemp("key")
    before: set[int] = set()
    for _, found, table in generations(home, history):
        expected = {
            i for i in (row["id"] for row in table) if draw("testing", "penstock", 1, identity([i])) < threshold(0.3)
        }
        assert found["testing"] == before | expected
        rest = {row["id"] for row in table} - found["testing"]
        validation = {i for i in rest if draw("validation", "penstock", 1, identity([i])) < threshold(0.2)}
        assert found["validation"] == validation
        assert found["training"] == rest - validation
        before = found["testing"]


@given(history=HISTORY, updates=st.sampled_from(["Freeze", "Refresh"]))
@FEW
def test_a_group_is_never_on_two_sides_and_testing_loses_nothing(
    tmp_path_factory: pytest.TempPathFactory, history: list[Change], updates: str
) -> None:
    home = tmp_path_factory.mktemp("group")
    split = SplitSpec(testing=0.3, strategy="Group", group_columns=("who",))
    before: set[int] = set()
    for result, found, _ in generations(home, history, split=split, updates=updates):
        groups = sides(home, result, "who")
        assert before <= found["testing"]
        assert not groups["testing"] & (groups["training"] | groups["validation"])
        assert not groups["training"] & groups["validation"]
        assert result.leak_proof.groups_in_common == result.leak_proof.points_in_common == 0
        before = found["testing"]


@given(first=CHANGE, second=CHANGE)
@FEW
def test_a_split_by_class_never_moves_a_placed_point(
    tmp_path_factory: pytest.TempPathFactory, first: Change, second: Change
) -> None:
    home = tmp_path_factory.mktemp("stratified")
    split = SplitSpec(testing=0.3, strategy="Stratified")
    steps = generations(home, [first, second], split=split, target=TargetSpec(column="label"))
    _, before, _ = next(steps)
    _, now, table = next(steps)
    present = {row["id"] for row in table}
    assert before["testing"] <= now["testing"]
    assert (before["training"] | before["validation"]) & present <= now["training"] | now["validation"]


@given(history=HISTORY)
@FEW
def test_by_time_a_point_of_testing_never_comes_back_into_training_where_retired_points_are_left_alone(
    tmp_path_factory: pytest.TempPathFactory, history: list[Change]
) -> None:
    home = tmp_path_factory.mktemp("time")
    split = SplitSpec(
        testing=0.3, strategy="Time", time_column="day", window=20 * 86400.0, gap=86400.0, retired="Leave"
    )
    ever: set[int] = set()
    for result, found, _ in generations(home, history, split=split):
        days = sides(home, result, "day")
        assert max(days["training"]) < min(days["validation"]) < max(days["validation"]) < min(days["testing"])
        ever |= found["testing"]
        assert not ever & (found["training"] | found["validation"])
        assert result.retired == len(ever - found["testing"])


@given(low=st.floats(0.05, 0.4), more=st.floats(0.05, 0.3))
@FEW
def test_a_raised_ratio_moves_only_the_points_between_the_two_thresholds(
    tmp_path_factory: pytest.TempPathFactory, low: float, more: float
) -> None:
    home = tmp_path_factory.mktemp("ratio")
    table = rows(150)
    before = sides(home, make_dataset(home, table, "run-1", split=SplitSpec(testing=low)))
    now = sides(home, make_dataset(home, table, "run-2", split=SplitSpec(testing=low + more)))
    draws = {row["id"]: draw("testing", "penstock", 1, identity([row["id"]])) for row in table}
    between = {i for i, drawn in draws.items() if threshold(low) <= drawn < threshold(low + more)}
    assert now["testing"] == before["testing"] | between
    assert now["validation"] == before["validation"] - between
    assert now["training"] == before["training"] - between


def test_a_lowered_ratio_takes_nothing_out_of_testing(tmp_path: Path) -> None:
    before = sides(tmp_path, make_dataset(tmp_path, rows(150), "run-1", split=SplitSpec(testing=0.5)))
    now = sides(tmp_path, make_dataset(tmp_path, rows(150), "run-2", split=SplitSpec(testing=0.1)))
    assert now == before


@pytest.mark.parametrize("strategy", ["Key", "Group"])
def test_one_shard_and_eight_give_the_same_tables(tmp_path: Path, strategy: Literal["Key", "Group"]) -> None:
    for part in range(10):
        write_csv(tmp_path / f"input/{part}.csv", rows(15, part * 15))
    split = SplitSpec(testing=0.3, strategy=strategy, group_columns=("who",) if strategy == "Group" else ())
    one = generate(job(tmp_path / "one", f"{(tmp_path / 'input').as_uri()}/*.csv", split=split))
    for index in range(8):
        shard = job(
            tmp_path / "eight", f"{(tmp_path / 'input').as_uri()}/*.csv", split=split, shard=Shard(index=index, count=8)
        )
        open_store(shard.run_storage).write(f"results/dataset-{index}.json", encode(read_shard(shard)))
    merging = job(
        tmp_path / "eight", f"{(tmp_path / 'input').as_uri()}/*.csv", split=split, shard=Shard(index=8, count=8)
    )
    eight = generate(merging)
    assert digests(eight) == digests(one)
    assert sides(tmp_path / "eight", eight) == sides(tmp_path / "one", one)


def test_order_format_and_folder_do_not_change_the_digests(tmp_path: Path) -> None:
    csv = make_dataset(tmp_path / "a", rows(150))
    mixed = make_dataset(tmp_path / "b", shuffle_rows(rows(150), 3))
    parquet = generate(job(tmp_path / "c", write_parquet(tmp_path / "c.parquet", rows(150))))
    assert digests(csv) == digests(mixed) == digests(parquet)


def test_one_value_changed_changes_the_digest_of_its_table_only(tmp_path: Path) -> None:
    table = rows(150)
    before = make_dataset(tmp_path / "a", table)
    changed = sorted(sides(tmp_path / "a", before)["training"])[0]
    table[changed]["x"] += 1
    after_change = make_dataset(tmp_path / "b", table)
    assert after_change.training.digest != before.training.digest
    assert digests(after_change)[1:] == digests(before)[1:]


def test_two_rows_that_swap_a_value_change_the_digest(tmp_path: Path) -> None:
    table = rows(150)
    before = make_dataset(tmp_path / "a", table)
    one, other = sorted(sides(tmp_path / "a", before)["training"])[:2]
    table[one]["x"], table[other]["x"] = table[other]["x"], table[one]["x"]
    assert make_dataset(tmp_path / "b", table).training.digest != before.training.digest


def test_validation_is_drawn_apart_from_testing(tmp_path: Path) -> None:
    found = sides(
        tmp_path,
        make_dataset(tmp_path, rows(4000), split=SplitSpec(testing=0.5), validation=ValidationSpec(holdout=0.5)),
    )
    for name, share in (("training", 0.25), ("validation", 0.25), ("testing", 0.5)):
        assert abs(len(found[name]) / 4000 - share) < 0.03
