"""What is noticed about the data is said in a sentence with the way out; what is as it should be is not remarked."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from penstock_jobs.contract.column_statistics import TableStatistics
from penstock_jobs.contract.document import read
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import DatasetResult, Remark
from penstock_jobs.contract.specification import InputSpec, Location, SplitSpec, TargetSpec
from penstock_jobs.dataset import generate
from penstock_jobs.dataset.query import check_query, remarks_on_query
from unit.dataset.dataset_making import Row, job, write_csv

ROWS = 240
LABEL = TargetSpec(column="label")


def table(**columns: Sequence[Any]) -> list[Row]:
    """Return rows with a key, a number and a label that nothing tells, and these columns."""
    drawn = random.Random(7)
    return [
        {
            "id": f"r{i * 7 % ROWS:03}",
            "x": round(drawn.random(), 6),
            "label": drawn.choice(["yes", "no"]),
            **{name: values[i] for name, values in columns.items()},
        }
        for i in range(ROWS)
    ]


def noise(seed: int = 1) -> list[float]:
    drawn = random.Random(seed)
    return [round(drawn.random() * 100, 4) for _ in range(ROWS)]


def make(home: Path, rows: Sequence[Row], **changes: Any) -> DatasetResult:
    return generate(job(home, write_csv(home / "rows.csv", rows), **{"target": LABEL, **changes}))


def make_typed(home: Path, select: str, **changes: Any) -> DatasetResult:
    """Make the dataset of a Parquet file of `ROWS` rows, with what SQL makes of their number `i`."""
    path = home / "rows.parquet"
    plain = "'k' || i AS id, hash(i) % 1000 / 10 AS x, CASE WHEN hash(i * 3) % 2 = 0 THEN 'yes' ELSE 'no' END AS label"
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT {plain}, {select} FROM range({ROWS}) t(i)) TO '{path}'")
    return generate(job(home, path, **{"target": LABEL, **changes}))


def the_only(result: DatasetResult) -> Remark:
    (remark,) = result.remarks
    return remark


def codes(result: DatasetResult) -> list[str]:
    return [remark.code for remark in result.remarks]


def test_of_a_table_as_it_should_be_nothing_is_remarked(tmp_path: Path) -> None:
    assert make(tmp_path, table(city=["Paris", "Lyon", ""] * 80)).remarks == ()


def test_a_number_column_with_a_word_in_it_is_told_with_the_word_its_row_and_both_ways_out(tmp_path: Path) -> None:
    ages: list[Any] = [20 + i % 60 for i in range(ROWS)]
    ages[160] = "old"

    remark = the_only(make(tmp_path, table(age=ages)))

    assert (remark.code, remark.column) == ("NumbersAsText", "age")
    assert "239 of its 240 values are numbers, the others 'old', first in row 161" in remark.message
    assert "nullValues: [old]" in remark.message
    assert "types: [{column: age, type: Float}]" in remark.message


def test_texts_that_mean_that_there_is_no_number_are_told_with_how_often_they_are_there(tmp_path: Path) -> None:
    values = ["NA" if i % 3 == 0 else 0.5 + i for i in range(ROWS)]

    remark = the_only(make(tmp_path, table(v=values)))

    assert remark.code == "NumbersAsText"
    assert "160 of its 240 values are numbers, the others 'NA' (80 times), first in row 1" in remark.message


def test_a_column_that_the_manifest_says_is_text_is_not_taken_for_numbers(tmp_path: Path) -> None:
    rows = table(code=[i % 40 for i in range(ROWS)])
    path = write_csv(tmp_path / "rows.csv", rows)
    declared = InputSpec(name="rows", location=Location(uri=path.as_uri()), types={"code": "String"})

    assert generate(job(tmp_path, path, target=LABEL, inputs=(declared,))).remarks == ()


@pytest.mark.parametrize(
    "values",
    [[f"{i % 7:05}" for i in range(ROWS)], ["12a", "b4", "7"] * 80, ["1", "2", "many", "none", "few", "lots"] * 40],
    ids=["codes with leading zeros", "house numbers", "answers of which some are numbers"],
)
def test_texts_that_only_look_a_little_like_numbers_are_not_remarked(tmp_path: Path, values: list[str]) -> None:
    literals = ", ".join(f"'{value}'" for value in values)

    assert make_typed(tmp_path, f"([{literals}])[i + 1] AS code").remarks == ()


@pytest.mark.parametrize(
    ("written", "code", "words"),
    [
        ("(i % 90 + 1) || ',' || (i % 10)", "DecimalComma", "'1,0'"),
        (
            "(i % 90 + 1) || ',' || lpad((i * 7 % 1000)::VARCHAR, 3, '0')",
            "AmbiguousNumbers",
            "decimal mark or one between",
        ),
        ("(i % 9 + 1) || ',234,' || lpad((i * 7 % 1000)::VARCHAR, 3, '0')", "NumbersAsText", 'say thousands: ","'),
    ],
)
def test_numbers_with_a_comma_are_told_by_what_the_comma_can_be(
    tmp_path: Path, written: str, code: str, words: str
) -> None:
    remark = the_only(make_typed(tmp_path, f"{written} AS v"))

    assert (remark.code, remark.column) == (code, "v")
    assert words in remark.message


def test_dates_of_another_form_than_iso_8601_are_told_with_one_of_them(tmp_path: Path) -> None:
    remark = the_only(make_typed(tmp_path, "strftime(DATE '2024-01-13' + i::INT, '%d.%m.%Y') AS day"))

    assert (remark.code, remark.column) == ("DatesAsText", "day")
    assert "dateFormat" in remark.message


def test_a_text_column_with_more_texts_than_are_told_apart_is_told_with_how_many(tmp_path: Path) -> None:
    remark = the_only(make(tmp_path, table(name=[f"name {i}" for i in range(ROWS)])))

    assert (remark.code, remark.column) == ("ManyTexts", "name")
    assert "240 different texts, nearly one a row" in remark.message


def test_columns_without_a_value_and_with_a_single_one_are_told(tmp_path: Path) -> None:
    result = make(tmp_path, table(empty=[""] * ROWS, year=[2024] * ROWS, land=["NL"] * ROWS))

    assert codes(result) == ["AllNull", "Constant"]
    assert result.remarks[0].column == "empty"
    assert "2 columns ('year', 'land')" in result.remarks[1].message


def test_a_feature_that_counts_the_rows_is_told_in_whatever_order_it_does(tmp_path: Path) -> None:
    remark = the_only(make(tmp_path, table(number=[i * 7 % ROWS + 1 for i in range(ROWS)])))

    assert (remark.code, remark.column) == ("RowNumbers", "number")
    assert "each whole number from 1 to 240 once" in remark.message


@pytest.mark.parametrize("name", ["__index_level_0__", "Unnamed: 0"])
def test_the_index_of_a_data_frame_is_in_no_table_and_the_next_generation_leaves_it_out_too(
    tmp_path: Path, name: str
) -> None:
    first = make(tmp_path, table(**{name: noise()}))
    second = make(tmp_path, table(**{name: noise(2)}), uid="run-2")

    for result in (first, second):
        assert name not in [column.name for column in result.columns]
        assert (the_only(result).code, the_only(result).column) == ("IndexLeftOut", name)


def test_the_index_is_data_where_the_manifest_names_it(tmp_path: Path) -> None:
    result = make(tmp_path, table(**{"Unnamed: 0": range(ROWS)}), key=("Unnamed: 0",))

    assert "Unnamed: 0" in [column.name for column in result.columns]
    assert "IndexLeftOut" not in codes(result)


def test_the_index_that_pandas_writes_to_csv_has_no_name_and_is_left_out(tmp_path: Path) -> None:
    rows = [{"": i, **row} for i, row in enumerate(table())]

    result = make(tmp_path, rows)

    assert [column.name for column in result.columns] == ["id", "x", "label"]
    assert the_only(result).code == "IndexLeftOut"


def test_a_name_that_a_tool_made_up_is_told(tmp_path: Path) -> None:
    remark = the_only(make(tmp_path, table(**{"Unnamed: 3": noise()})))

    assert (remark.code, remark.column) == ("UnnamedColumn", "Unnamed: 3")


def test_an_infinite_feature_is_counted_and_told_with_its_first_row(tmp_path: Path) -> None:
    remark = the_only(
        make_typed(tmp_path, "CASE WHEN i IN (7, 9) THEN 'inf'::DOUBLE ELSE hash(i * 5) % 999 / 7 END AS v")
    )

    assert (remark.code, remark.column) == ("InfiniteValues", "v")
    assert "infinite in 2 rows, first in row 8;" in remark.message
    assert 'WHERE isfinite("v")' in remark.message


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("'-inf'::DOUBLE", r"infinite in 1 of 240 rows, first in row 8; .*isfinite"),
        ("NULL", "missing in 1 of 240 rows, first in row 8; .*IS NOT NULL"),
    ],
)
def test_a_target_that_is_infinite_or_missing_is_refused_with_the_row_and_how_to_leave_it_out(
    tmp_path: Path, value: str, words: str
) -> None:
    with pytest.raises(Refused, match=words):
        make_typed(tmp_path, f"CASE WHEN i = 7 THEN {value} ELSE i / 3 END AS y", target=TargetSpec(column="y"))


def test_a_column_of_the_key_with_few_values_is_told_to_be_no_feature(tmp_path: Path) -> None:
    rows = table(month=[i % 6 for i in range(ROWS)])

    assert codes(make(tmp_path / "key", rows, key=("id", "month"))) == ["KeyIsNoFeature"]
    assert codes(make(tmp_path / "other", rows)) == []


@pytest.mark.parametrize(
    "told",
    [
        lambda row, i: "left" if row["label"] == "yes" else "stays",
        lambda row, i: (i + 1) * (1 if row["label"] == "yes" else -1),
    ],
    ids=["a text", "a number"],
)
def test_a_feature_that_alone_gives_the_class_is_named(tmp_path: Path, told: Any) -> None:
    rows = [{**row, "status": told(row, i)} for i, row in enumerate(table())]

    remark = the_only(make(tmp_path, rows))

    assert (remark.code, remark.column) == ("TellsTarget", "status")
    assert "roc_auc 1.000" in remark.message


def test_a_feature_that_alone_gives_the_amount_is_named_and_a_good_one_is_not(tmp_path: Path) -> None:
    amounts, other = noise(), noise(3)
    leak = [2 * amount + 1 for amount in amounts]
    good = [amount + each / 4 for amount, each in zip(amounts, other, strict=True)]

    result = make(tmp_path, table(y=amounts, leak=leak, good=good), target=TargetSpec(column="y"))

    assert [(each.code, each.column) for each in result.remarks] == [("TellsTarget", "leak")]


def test_a_text_of_its_own_in_each_row_tells_nothing_of_the_target(tmp_path: Path) -> None:
    assert codes(make(tmp_path, table(name=[f"n{i}" for i in range(ROWS)]))) == ["ManyTexts"]


def test_rows_on_both_sides_that_differ_in_the_key_alone_are_counted(tmp_path: Path) -> None:
    once = table(v=noise())
    again = [{**row, "id": f"copy of {row['id']}"} for row in once]

    remark = the_only(make(tmp_path, [*once, *again]))

    assert remark.code == "NearDuplicates"
    assert "testing rows that were compared" in remark.message


def test_rows_that_are_equal_because_there_are_few_values_are_not_remarked(tmp_path: Path) -> None:
    rows = [{"id": row["id"], "label": row["label"], "plan": "abc"[i % 3]} for i, row in enumerate(table())]

    assert codes(make(tmp_path, rows)) == []


def test_a_rare_class_is_told_with_the_accuracy_of_never_saying_it(tmp_path: Path) -> None:
    rows = [{**row, "label": "yes" if i % 30 == 0 else "no"} for i, row in enumerate(table())]

    result = make(tmp_path, rows, split=SplitSpec(testing=0.3, strategy="Stratified"))

    remark = next(each for each in result.remarks if each.code == "RareClass")
    assert "'yes' of the target is rare: 8 of 240 points (3.3 %)" in remark.message
    assert "accuracy of 96.7 %" in remark.message
    assert codes(result) == ["RareClass", "DependsOnHistory"]


@pytest.mark.parametrize(
    ("query", "strategy", "expected"),
    [
        ("SELECT id, avg(x) OVER () AS mean FROM rows", "Key", ["SeveralRowsInOne"]),
        ("SELECT id, avg(x) OVER () AS mean FROM rows", "Time", []),
        ("SELECT a.*, b.x FROM rows a JOIN rows b USING (id)", "Key", []),
    ],
)
def test_a_query_that_mixes_rows_is_remarked(query: str, strategy: Any, expected: list[str]) -> None:
    with duckdb.connect() as connection:
        checked = check_query(connection, query, ("rows",))

    remarks = remarks_on_query(strategy, combines_rows=checked.combines_rows)

    assert [remark.code for remark in remarks] == expected


def test_the_statistics_of_the_columns_are_put_beside_the_results_of_the_run(tmp_path: Path) -> None:
    result = make(tmp_path, table(city=["Paris", "Lyon", "Lyon", ""] * 60))

    assert result.statistics is not None
    found = read(Path(result.statistics.removeprefix("file://")), TableStatistics)
    by_name = {column.name: column for column in found.columns}
    assert found.rows == found.sampled == ROWS
    assert (by_name["city"].nulls, by_name["city"].distinct) == (60, 2)
    assert [(each.value, each.rows) for each in by_name["city"].frequent] == [("Lyon", 120), ("Paris", 60)]
    assert by_name["id"].role == "Key"
    assert 0 <= float(by_name["x"].least or -1) < float(by_name["x"].greatest or -1) <= 1
