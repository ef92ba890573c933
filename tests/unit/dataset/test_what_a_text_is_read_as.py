import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from penstock_jobs.contract.errors import Refused
from unit.dataset import dataset_making as making
from unit.dataset.reading_making import csv, jsonl, read, rows_of, values


@pytest.mark.parametrize(
    "codes", [["0x1F", "0x2A"], ["1E5", "2E5"], ["7", " 6"], ["007", "12"], ["+5", "6"], ["1_000"]]
)
def test_a_code_that_a_machine_could_take_for_a_number_is_text(tmp_path: Path, codes: list[str]) -> None:
    kind, found = values(tmp_path, csv(tmp_path / "a.csv", codes), "x")
    assert (kind, set(found)) == ("String", set(codes))


def test_a_code_among_numbers_far_behind_them_makes_the_column_text(tmp_path: Path) -> None:
    lines = ["id,x,amount", *(f"{row},{row if row != 25_000 else '1E5'},{row}.5" for row in range(25_001))]
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
    kind, found = values(tmp_path, tmp_path / "a.csv", "x")
    assert (kind, found[25_000], found[7]) == ("String", "1E5", "7")


@pytest.mark.parametrize(
    ("texts", "kind", "expected"),
    [
        (["-7", "0"], "Integer", {-7, 0}),
        (["12.50", "7"], "Float", {12.5, 7.0}),
        (["1e-05", "1.5E3"], "Float", {1e-05, 1500.0}),
        (["true", "FALSE"], "Boolean", {True, False}),
        (["2024-02-29", "2023-01-01"], "Date", {datetime(2024, 2, 29), datetime(2023, 1, 1)}),
        (["17:45", "9:00"], "String", {"17:45", "9:00"}),
    ],
)
def test_what_a_person_writes_as_a_value_is_that_value(
    tmp_path: Path, texts: list[str], kind: str, expected: set[Any]
) -> None:
    found = values(tmp_path, csv(tmp_path / "a.csv", texts), "x")
    assert (found[0], set(found[1])) == (kind, expected)


def test_a_moment_with_an_offset_is_a_moment_in_utc(tmp_path: Path) -> None:
    texts = ["2024-03-09T07:31:51-05:00", "2024-03-09 12:31:51", "2024-03-09T12:31:51Z"]
    kind, found = values(tmp_path, csv(tmp_path / "a.csv", texts), "x")
    assert (kind, set(found)) == ("Timestamp", {datetime(2024, 3, 9, 12, 31, 51, tzinfo=UTC)})


@pytest.mark.parametrize(
    ("tokens", "kind", "expected"),
    [
        (['"17:45"', '"K1"'], "String", {"17:45", "K1"}),
        (['"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"'], "String", {"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"}),
        (["7", '"7"', '"K1"', "7.0"], "String", {"7", "K1"}),
        (['"7"', '"8"'], "String", {"7", "8"}),
        (['"03/04/2024"'], "String", {"03/04/2024"}),
        (['"2024-02-29"'], "Date", {datetime(2024, 2, 29)}),
        (["1e3", "2"], "Float", {1000.0, 2.0}),
        (["true", "null"], "Boolean", {True, None}),
    ],
)
def test_a_string_of_json_is_text_as_it_stands_unless_it_is_an_iso_date(
    tmp_path: Path, tokens: list[str], kind: str, expected: set[Any]
) -> None:
    found = values(tmp_path, jsonl(tmp_path / "a.jsonl", tokens), "x")
    assert (found[0], set(found[1])) == (kind, expected)


def test_types_of_the_manifest_make_numbers_of_the_strings_of_json(tmp_path: Path) -> None:
    data = jsonl(tmp_path / "a.jsonl", ['"7"', "8"])
    kind, found = values(tmp_path, data, "x", types={"x": "Integer"})
    assert (kind, set(found)) == ("Integer", {7, 8})


def test_one_array_of_json_reads_as_an_object_a_line(tmp_path: Path) -> None:
    lines = jsonl(tmp_path / "a.jsonl", ["1", "2"])
    (tmp_path / "b.json").write_text("[" + ",\n".join(lines.read_text().splitlines()) + "]")
    assert making.digests(read(tmp_path / "one", lines)) == making.digests(read(tmp_path / "two", tmp_path / "b.json"))


def parquet(path: Path, column: str) -> Path:
    with duckdb.connect() as connection:
        rows = f"SELECT range AS id, {column} AS x, range + 0.5::DOUBLE AS amount FROM range(40)"
        connection.execute(f"COPY ({rows}) TO '{path}' (FORMAT parquet)")
    return path


def test_a_null_text_means_nothing_in_every_format(tmp_path: Path) -> None:
    files = [
        csv(tmp_path / "a.csv", ["NA", "K1", ""]),
        jsonl(tmp_path / "a.jsonl", ['"NA"', '"K1"', '""']),
        parquet(tmp_path / "a.parquet", "['NA', 'K1', ''][range % 3 + 1]"),
    ]
    found = [values(tmp_path / file.suffix, file, "x", null_values=("NA",)) for file in files]
    assert found == [("String", [None if row % 3 != 1 else "K1" for row in range(40)])] * 3


def test_a_null_text_that_is_a_number_means_nothing_in_every_format(tmp_path: Path) -> None:
    files = [
        csv(tmp_path / "a.csv", ["-999", "1"]),
        jsonl(tmp_path / "a.jsonl", ["-999", "1"]),
        parquet(tmp_path / "a.parquet", "[-999, 1][range % 2 + 1]"),
    ]
    found = [values(tmp_path / file.suffix, file, "x", null_values=("-999",)) for file in files]
    assert found == [("Integer", [None if row % 2 == 0 else 1 for row in range(40)])] * 3


def test_a_whole_number_stored_as_a_float_is_that_whole_number_as_text(tmp_path: Path) -> None:
    data = parquet(tmp_path / "a.parquet", "[2.0, 2.5, NULL][range % 3 + 1]::DOUBLE")
    kind, found = values(tmp_path, data, "x", types={"x": "String"})
    assert (kind, set(found)) == ("String", {"2", "2.5", None})


@pytest.mark.parametrize(
    ("options", "texts", "expected"),
    [
        ({"decimal": ","}, ["11,037", "-2,5"], {11.037, -2.5}),
        ({"decimal": ",", "thousands": "."}, ["1.234,5", "7"], {1234.5, 7.0}),
        ({"thousands": " "}, ["1 234 567", "0.5"], {1234567.0, 0.5}),
    ],
)
def test_numbers_are_read_by_the_marks_that_the_manifest_names(
    tmp_path: Path, options: dict[str, str], texts: list[str], expected: set[float]
) -> None:
    kind, found = values(tmp_path, csv(tmp_path / "a.csv", texts), "x", **options)
    assert (kind, set(found)) == ("Float", expected)


def test_a_mark_that_separates_the_columns_too_is_refused_by_the_fields(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="`delimiter`, `decimal`"):
        read(tmp_path, csv(tmp_path / "a.csv", ["1", "2"], ","), decimal=",")


def test_dates_that_two_orders_fit_are_refused_with_the_field_that_decides(tmp_path: Path) -> None:
    with pytest.raises(
        Refused, match=r"column x, as 03/04/2024, can be read as %d/%m/%Y and as %m/%d/%Y.*`dateFormat`"
    ):
        read(tmp_path, csv(tmp_path / "a.csv", ["03/04/2024", "05/06/2024"]))


@pytest.mark.parametrize(("form", "month"), [("%d/%m/%Y", 4), ("%m/%d/%Y", 3)])
def test_the_date_format_of_the_manifest_decides(tmp_path: Path, form: str, month: int) -> None:
    kind, found = values(tmp_path, csv(tmp_path / "a.csv", ["03/04/2024"]), "x", date_format=form)
    assert (kind, {day.month for day in found}) == ("Date", {month})


def test_a_format_that_was_found_once_is_kept_when_the_file_has_two(tmp_path: Path) -> None:
    data = tmp_path / "a.csv"
    first = rows_of(tmp_path, read(tmp_path, csv(data, ["31/12/2023", "03/04/2024"])))
    csv(data, ["01/12/2023", "03/04/2024"])
    second = rows_of(tmp_path, read(tmp_path, data, "run-2", changes={"updates": "Refresh"}))
    assert {day.strftime("%Y-%m-%d") for day in first["x"]} == {"2023-12-31", "2024-04-03"}
    assert {day.strftime("%Y-%m-%d") for day in second["x"]} == {"2023-12-01", "2024-04-03"}


def test_another_date_format_than_at_first_is_refused(tmp_path: Path) -> None:
    data = csv(tmp_path / "a.csv", ["03/04/2024"])
    read(tmp_path, data, date_format="%d/%m/%Y")
    with pytest.raises(Refused, match=r"`dateFormat` of the input 'rows'.*resetTesting"):
        read(tmp_path, data, "run-2", date_format="%m/%d/%Y")


def test_a_delimiter_that_was_found_once_is_not_looked_for_again(tmp_path: Path) -> None:
    data = csv(tmp_path / "a.csv", ["a", "b"], ";")
    read(tmp_path, data)
    data.write_text(data.read_text().replace(";a;", ";a,b,c;").replace(";b;", ";d,e,f;"))
    found = rows_of(tmp_path, read(tmp_path, data, "run-2", changes={"updates": "Refresh"}))
    assert set(found["x"]) == {"a,b,c", "d,e,f"}


def test_a_value_that_comes_later_and_does_not_fit_is_refused_by_its_place(tmp_path: Path) -> None:
    data = csv(tmp_path / "a.csv", ["1", "2"])
    read(tmp_path, data)
    csv(data, ["1", "2", "0x1F"])
    with pytest.raises(Refused, match="line 4, column 'x': '0x1F' is not a whole number"):
        read(tmp_path, data, "run-2")


def test_tables_that_were_begun_before_readings_were_recorded_are_read_by_their_types(tmp_path: Path) -> None:
    data = csv(tmp_path / "a.csv", ["007", "12"])
    before = read(tmp_path, data)
    schema = tmp_path / "storage/datasets/schema.json"
    document = json.loads(schema.read_text())
    epoch = document["epochs"]["1"]
    assert epoch["inputs"] == {"rows": {"id": "BIGINT", "x": "VARCHAR", "amount": "BIGINT"}}
    del epoch["readings"]
    schema.write_text(json.dumps(document))
    csv(data, ["7", "12"])
    result = read(tmp_path, data, "run-2")
    assert [column.type for column in result.columns] == [column.type for column in before.columns]
    assert set(json.loads(schema.read_text())["epochs"]["1"]["readings"]) == {"rows"}


def test_different_rows_under_one_moment_are_refused_with_the_moment(tmp_path: Path) -> None:
    lines = ["at,x,amount", *(f"2024-01-01T00:00:0{row % 3}Z,{row},{row}.5" for row in range(40))]
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(Refused, match="first at=2024-01-01 00:00:00"):
        read(tmp_path, tmp_path / "a.csv", changes={"key": ("at",)})


def test_a_compressed_file_reads_as_what_is_in_it(tmp_path: Path) -> None:
    plain = csv(tmp_path / "a.csv", ["007", "K1"])
    pd.read_csv(plain, dtype=str, sep=";").to_csv(tmp_path / "b.csv.gz", index=False, sep=";")
    assert making.digests(read(tmp_path / "one", plain)) == making.digests(
        read(tmp_path / "two", tmp_path / "b.csv.gz")
    )
