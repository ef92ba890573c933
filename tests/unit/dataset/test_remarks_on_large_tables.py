"""Of a large table some rows are looked at, the same ones in whatever order; what is counted is counted over all."""

from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_jobs.contract.column_statistics import TableStatistics
from penstock_jobs.contract.document import read
from penstock_jobs.contract.result import DatasetResult
from penstock_jobs.contract.specification import TargetSpec
from penstock_jobs.dataset import generate
from penstock_jobs.dataset.remarks.sample import distinct_values
from penstock_jobs.dataset.remarks.telling import amount_told, classes_told
from unit.dataset.dataset_making import job

ROWS = 60_000
PLAIN = (
    "SELECT i AS id, (i * 7919 % 100003) / 7 AS x, "
    "CASE WHEN i = 31234 THEN 'old' ELSE (i * 31 % 97)::VARCHAR END AS age, "
    "CASE WHEN (i * 104729) % 1009 < 400 THEN 'yes' ELSE 'no' END AS label"
)


def make(home: Path, query: str, order: str = "i") -> DatasetResult:
    home.mkdir(exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({query} ORDER BY {order}) TO '{home}/rows.parquet'")
    return generate(job(home, home / "rows.parquet", target=TargetSpec(column="label"), threads=2))


def statistics_of(result: DatasetResult) -> TableStatistics:
    return read(Path(str(result.statistics).removeprefix("file://")), TableStatistics)


def test_one_word_among_sixty_thousand_numbers_is_found_and_nothing_depends_on_the_order_of_rows(
    tmp_path: Path,
) -> None:
    query = f"{PLAIN} FROM range({ROWS}) t(i)"
    one, other = make(tmp_path / "one", query), make(tmp_path / "other", query, "hash(i)")

    said = next(remark for remark in one.remarks if remark.code == "NumbersAsText")
    assert "59,999 of its 60,000 values are numbers, the others 'old', first in row 31235" in said.message
    assert [remark.code for remark in one.remarks] == [remark.code for remark in other.remarks]
    assert statistics_of(one) == statistics_of(other)
    assert statistics_of(one).sampled < ROWS == statistics_of(one).rows


def test_twins_of_a_large_table_are_found_among_some_of_the_testing_rows(tmp_path: Path) -> None:
    columns = "(hash(n) % 1000003) / 7 AS x, (hash(n + 5) % 999983) / 3 AS z, (hash(n + 9) % 2) = 0 AS label"
    every = "SELECT i AS id, i AS i, CASE WHEN i % 10 = 0 THEN 1 + i // 20 * 20 ELSE i END AS n FROM range(210000) t(i)"

    result = make(tmp_path, f"SELECT id, {columns} FROM ({every})", "id")

    said = next(remark for remark in result.remarks if remark.code == "NearDuplicates")
    found, compared = (int(word.replace(",", "")) for word in said.message.split(" testing")[0].split(" of "))
    assert 1000 < compared < 4000
    assert 0.05 < found / compared < 0.2


@given(st.lists(st.integers(0, 50), min_size=1, max_size=300), st.integers(0, 10**6))
def test_an_estimate_is_at_least_what_was_seen_and_at_most_what_there_is(values: list[int], more: int) -> None:
    counts = np.unique(np.array(values), return_counts=True)[1].astype(np.int64)

    assert len(counts) <= distinct_values(counts, len(values) + more, is_all=False) <= len(values) + more


@pytest.mark.parametrize("seed", range(20))
def test_what_has_nothing_to_do_with_the_target_never_tells_it(seed: int) -> None:
    drawn = np.random.default_rng(seed)
    numbers = drawn.normal(size=200)
    texts = np.array([f"t{each}" for each in drawn.integers(0, 200, 200)], dtype=object)
    classes = drawn.choice(["a", "b"], 200)

    for feature in (numbers, texts):
        assert (classes_told(feature, classes) or 0) < 0.8
        assert (amount_told(feature, drawn.normal(size=200)) or 0) < 0.3


@given(st.permutations(range(120)))
def test_a_feature_that_is_the_target_tells_it_in_any_order(order: list[int]) -> None:
    values = np.array(order, dtype=np.float64)

    assert classes_told(values, values > 60) == 1
    assert (amount_told(values, 3 * values - 1) or 0) > 0.999
