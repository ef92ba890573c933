"""Folders whose names look like an escaped address: each is read as it is called, or is refused; none is another."""

from pathlib import Path
from typing import Any

import duckdb
import pytest
from deltalake import write_deltalake

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import Location, SplitSpec, TargetSpec
from penstock_jobs.dataset import generate
from penstock_jobs.tables.reading import read_frame
from unit.dataset.dataset_making import digests, job, make_dataset, rows, sides, write_csv, write_parquet

ESCAPED = ["50%41", "50%25", "a%20b", "%2e%2e", "50%2541", "ü%C3%BC"]
USUAL = ["100% new", "a+b c", "ü", "%", "5%g1", "[ab]", "a*?b"]
NAMES = [*ESCAPED, *USUAL]


@pytest.mark.parametrize("name", ESCAPED)
def test_a_storage_that_the_tables_library_would_take_for_another_is_refused_before_anything_is_written(
    tmp_path: Path, name: str
) -> None:
    home = tmp_path / name
    with pytest.raises(Refused, match=r"cannot hold a Delta table: the path has '%..'.*rename that folder"):
        make_dataset(home, rows(150))
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert not list((home / "storage").rglob("*.parquet"))


@pytest.mark.parametrize("name", ESCAPED)
def test_a_delta_input_that_the_library_would_take_for_another_is_refused(tmp_path: Path, name: str) -> None:
    table = tmp_path / "inputs" / "usual"
    table.mkdir(parents=True)
    with duckdb.connect() as connection:
        write_deltalake(str(table), connection.sql(f"FROM '{write_parquet(tmp_path / 'rows.parquet', rows(150))}'"))
    named = table.rename(table.parent / name)
    with pytest.raises(Refused, match="cannot hold a Delta table"):
        generate(job(tmp_path, named))


@pytest.mark.parametrize("name", USUAL)
def test_tables_are_where_the_storage_says_and_nowhere_else(tmp_path: Path, name: str) -> None:
    usual = make_dataset(tmp_path / "usual", rows(150))
    home = tmp_path / name
    first, second = make_dataset(home, rows(150), "first"), make_dataset(home, rows(150), "second")

    assert digests(first) == digests(second) == digests(usual)
    assert sides(home, second) == sides(tmp_path / "usual", usual)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["usual", name])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ending", ["", "/*.csv", "/rows.csv"])
def test_an_input_is_read_from_the_folder_that_is_called_so(tmp_path: Path, name: str, ending: str) -> None:
    write_csv(tmp_path / "inputs" / name / "rows.csv", rows(150))
    for other in ("50A", "50%", "a b", "x"):  # what the names would be if they were read as addresses
        write_csv(tmp_path / "inputs" / other / "rows.csv", rows(10))
    result = generate(job(tmp_path, f"{(tmp_path / 'inputs' / name).as_uri()}{ending}"))

    assert result.rows_read == 150


@pytest.mark.parametrize("name", NAMES)
def test_a_glob_over_folders_reads_each_of_them(tmp_path: Path, name: str) -> None:
    write_csv(tmp_path / "inputs" / name / "rows.csv", rows(100))
    write_csv(tmp_path / "inputs" / "usual" / "rows.csv", rows(50, 100))

    assert generate(job(tmp_path, f"{(tmp_path / 'inputs').as_uri()}/*/rows.csv")).rows_read == 150


@pytest.mark.parametrize("name", USUAL)
def test_the_last_version_of_a_delta_table_is_read_from_the_folder_that_is_called_so(tmp_path: Path, name: str) -> None:
    table = tmp_path / "inputs" / "usual"
    table.mkdir(parents=True)
    for count in (100, 150):
        with duckdb.connect() as connection:
            path = write_parquet(tmp_path / "rows.parquet", rows(count))
            write_deltalake(str(table), connection.sql(f"FROM '{path}'"), mode="overwrite")

    assert generate(job(tmp_path, table.rename(table.parent / name))).rows_read == 150


VALUES = ["50%41", "50%", "25%2541", "a b", "x/y", "ü"]


def read_values(home: Path, data: Path | str, **changes: Any) -> set[str]:
    split = SplitSpec(testing=0.3)
    result = generate(job(home, data, split=split, target=TargetSpec(column="label"), **changes))
    storage = Location(uri=(home / "storage").as_uri())
    tables = (result.training, result.validation, result.testing)
    return set().union(*(read_frame(table, storage, ["k"])["k"] for table in tables))


def with_values(path: Path) -> str:
    write_parquet(path, rows(180))
    listed = ", ".join(f"'{value}'" for value in VALUES)
    return f"SELECT *, list_value({listed})[1 + id % {len(VALUES)}] AS k FROM '{path}'"


def test_values_that_a_delta_table_is_partitioned_by_are_what_the_table_says(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        write_deltalake(
            str(tmp_path / "delta"), connection.sql(with_values(tmp_path / "rows.parquet")), partition_by=["k"]
        )
    assert read_values(tmp_path, tmp_path / "delta") == set(VALUES)


def test_values_that_parquet_files_are_partitioned_by_are_what_was_written(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        query = with_values(tmp_path / "rows.parquet")
        connection.execute(f"COPY ({query}) TO '{tmp_path}/hive' (FORMAT parquet, PARTITION_BY (k))")
    assert read_values(tmp_path, f"{(tmp_path / 'hive').as_uri()}/**/*.parquet") == set(VALUES)
    assert read_values(tmp_path / "folder", tmp_path / "hive") == set(VALUES)
