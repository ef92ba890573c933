"""A key that came as a floating-point number is one only where it is exact: beyond 2^53 two ids are one number."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import ColumnType
from penstock_jobs.contract.specification import InputSpec, Location, SplitSpec
from penstock_jobs.dataset import generate
from penstock_jobs.dataset.whole_numbers import inexact_condition
from unit.dataset.dataset_making import digests, job

LARGE = 1234567890123456789
Write = Callable[[Path, str, int], Path]


def write_parquet(folder: Path, kind: str, first: int) -> Path:
    return _copy(folder / f"{kind}.parquet", kind, first)


def write_json(folder: Path, kind: str, first: int) -> Path:
    return _copy(folder / f"{kind}.jsonl", kind, first)


def write_csv(folder: Path, kind: str, first: int) -> Path:
    return _copy(folder / f"{kind}.csv", kind, first)


def _copy(path: Path, kind: str, first: int) -> Path:
    """Write 150 rows whose ids are 1024 apart, as integers or as floating-point numbers."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT CAST({first} + i * 1024 AS {kind}) AS id, i * 7 % 11 AS who, i * 0.25 AS amount "
            f"FROM range(150) t(i)) TO '{path}'"
        )
    return path


def typed(path: Path, kind: ColumnType) -> InputSpec:
    return InputSpec(name="rows", location=Location(uri=path.as_uri()), types={"id": kind})


@pytest.mark.parametrize("write", [write_parquet, write_json, write_csv])
def test_large_ids_that_have_become_floating_point_numbers_are_refused_by_column_and_row(
    tmp_path: Path, write: Write
) -> None:
    generate(job(tmp_path, write(tmp_path, "BIGINT", LARGE)))
    with pytest.raises(Refused, match=r"(row 1|line 2)\b.*is not exact.*write it as whole numbers"):
        generate(job(tmp_path, write(tmp_path, "DOUBLE", LARGE), "second"))


@pytest.mark.parametrize("write", [write_parquet, write_json, write_csv])
def test_small_ids_that_have_become_floating_point_numbers_are_the_same_points(tmp_path: Path, write: Write) -> None:
    first = generate(job(tmp_path, write(tmp_path, "BIGINT", 1)))
    second = generate(job(tmp_path, write(tmp_path, "DOUBLE", 1), "second"))
    assert digests(second) == digests(first)


@pytest.mark.parametrize("write", [write_parquet, write_json])
def test_large_floating_point_ids_are_refused_by_row_at_the_first_generation_too(tmp_path: Path, write: Write) -> None:
    path = write(tmp_path, "DOUBLE", LARGE)
    declared: list[dict[str, Any]] = [{}, {"inputs": (typed(path, "Integer"),)}]
    for changes in declared:
        with pytest.raises(Refused, match=r"row 1\b.*is not exact|'id'.* row 1 has"):
            generate(job(tmp_path, path, **changes))


def test_a_group_is_as_exact_as_a_key(tmp_path: Path) -> None:
    path = write_parquet(tmp_path, "DOUBLE", LARGE)
    split = SplitSpec(testing=0.3, strategy="Group", group_columns=("id",))
    with pytest.raises(Refused, match=r"'id'.* row 1 has"):
        generate(job(tmp_path, path, key=("who",), split=split))


def test_ids_of_32_bit_floating_point_numbers_are_exact_up_to_24_bits(tmp_path: Path) -> None:
    generate(job(tmp_path, write_parquet(tmp_path, "BIGINT", 2**24)))
    with pytest.raises(Refused, match="row 1 has"):
        generate(job(tmp_path, write_parquet(tmp_path, "FLOAT", 2**24), "second"))


@given(st.integers(-(2**62), 2**62))
def test_a_floating_point_number_passes_only_where_it_can_be_no_other_integer(value: int) -> None:
    with duckdb.connect() as connection:
        condition = inexact_condition("x", "DOUBLE")
        row: Any = connection.execute(f"SELECT {condition} FROM (SELECT CAST({value} AS DOUBLE) AS x)").fetchone()
    others = {other for other in (value - 1, value + 1) if float(other) == float(value)}
    assert row[0] == (abs(int(float(value))) >= 2**53)
    assert row[0] or not others
