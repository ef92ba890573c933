"""Columns of any name, and keys of any size: taken as they are, or refused with a sentence."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import InputSpec, Location, SplitSpec, TargetSpec
from penstock_jobs.dataset import generate
from unit.dataset.dataset_making import job, make_dataset, rows, write_csv, write_parquet


def test_a_key_that_no_64_bit_integer_holds_is_refused(tmp_path: Path) -> None:
    text = write_csv(tmp_path / "rows.csv", [{"id": 2**63 + i, "amount": i * 0.5} for i in range(40)])
    path = tmp_path / "rows.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"COPY (FROM read_csv('{text}', types = {{'id': 'UBIGINT'}})) TO '{path}'")

    with pytest.raises(Refused, match=r"The input holds a value that does not fit its column: .* out of range"):
        generate(job(tmp_path, path))


@pytest.mark.parametrize("weight", [None, -1.0, "nan", "inf", "much"])
def test_a_weight_is_a_number_of_zero_or_more_in_every_row(tmp_path: Path, weight: object) -> None:
    table = [row | {"weight": 0.5 if row["id"] != 7 else weight} for row in rows(90)]
    sentence = "a weight is a number" if weight == "much" else r"\(spec.dataset.weight\) is missing, .* first in row 8;"

    with pytest.raises(Refused, match=sentence):
        make_dataset(tmp_path, table, weight="weight")


@pytest.mark.parametrize("write", [write_csv, write_parquet])
def test_a_column_has_the_type_that_the_manifest_gives_it(tmp_path: Path, write: Callable[..., Path]) -> None:
    path = write(tmp_path / ("rows.csv" if write is write_csv else "rows.parquet"), rows(90))
    typed = InputSpec(name="rows", location=Location(uri=path.as_uri()), types={"id": "String", "x": "Float"})

    types = {column.name: column.type for column in generate(job(tmp_path, path, inputs=(typed,))).columns}
    assert (types["id"], types["x"]) == ("String", "Float")


def test_columns_may_have_names_that_the_job_could_have_used_itself(tmp_path: Path) -> None:
    names = ("side", "Revision", "row", "points", "kept", "class", "drawn", "place", "copies", "hash", "count")
    table = [row | dict.fromkeys(names, row["id"] % 2) for row in rows(90)]
    changed = [row | {"word": "another"} for row in table]
    stratified: dict[str, Any] = {
        "target": TargetSpec(column="class"),
        "task": "Classification",
        "split": SplitSpec(testing=0.3, strategy="Stratified"),
        "updates": "Refresh",
    }

    first = make_dataset(tmp_path, table, "first", **stratified)
    assert make_dataset(tmp_path, changed, "second", **stratified).changed == first.testing.rows
