"""What the manifest says must hold of the rows is checked before anything is committed, and refused in a sentence."""

from pathlib import Path

import pytest

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import Expectation
from unit.dataset.dataset_making import Row, make_dataset, rows


def logs(home: Path) -> list[str]:
    return sorted(str(path) for path in (home / "storage/datasets").rglob("_delta_log/*.json"))


def with_nulls(count: int) -> list[Row]:
    return [{**row, "x": None if row["id"] < count else row["x"]} for row in rows(100)]


@pytest.mark.parametrize(
    ("expected", "broken", "kept"),
    [
        (Expectation(column="x", nulls=0.05), with_nulls(6), with_nulls(5)),
        (Expectation(column="x", low=0.0), [{**row, "x": row["x"] - 1} for row in rows(100)], rows(100)),
        (Expectation(column="x", high=60.0), rows(200), rows(100)),
        (Expectation(minimum=100), rows(99), rows(100)),
        (Expectation(remark="Constant"), [{**row, "x": 1} for row in rows(100)], rows(100)),
        (Expectation(remark="Constant", column="word"), [{**row, "word": "a"} for row in rows(100)], rows(100)),
    ],
    ids=["nulls", "low", "high", "minimum", "remark", "remark of a column"],
)
def test_what_is_not_as_expected_is_refused_and_no_table_is_committed(
    tmp_path: Path, expected: Expectation, broken: list[Row], kept: list[Row]
) -> None:
    make_dataset(tmp_path, kept, "first", expect=(expected,))
    before = logs(tmp_path)

    with pytest.raises(Refused, match=r"spec\.dataset\.expect.* The tables stay as they were\.$"):
        make_dataset(tmp_path, broken, "second", expect=(expected,))

    assert logs(tmp_path) == before


def test_the_sentence_names_the_column_the_numbers_and_the_first_row(tmp_path: Path) -> None:
    values = [{**row, "x": None if row["id"] in (41, 50) else row["x"]} for row in rows(100)]

    with pytest.raises(Refused) as refused:
        make_dataset(tmp_path, values, expect=(Expectation(column="x", nulls=0.01),))

    assert str(refused.value) == (
        "The column 'x' has no value in 2 of 100 rows (2 %), first in row 42; spec.dataset.expect allows 1 %. The "
        "tables stay as they were."
    )


def test_a_remark_about_another_column_is_no_breach(tmp_path: Path) -> None:
    constant = [{**row, "x": 1} for row in rows(100)]

    made = make_dataset(tmp_path, constant, expect=(Expectation(remark="Constant", column="word"),))

    assert "Constant" in [remark.code for remark in made.remarks]


@pytest.mark.parametrize(
    ("count", "expected", "words"),
    [
        (79, Expectation(decrease=0.2), "have 79 rows and had 100 at the generation before.* 20 % fewer"),
        (151, Expectation(increase=0.5), "have 151 rows and had 100 at the generation before.* 50 % more"),
    ],
)
def test_the_number_of_rows_is_bounded_by_that_of_the_generation_before(
    tmp_path: Path, count: int, expected: Expectation, words: str
) -> None:
    make_dataset(tmp_path, rows(100), "first", expect=(expected,))

    with pytest.raises(Refused, match=words):
        make_dataset(tmp_path, rows(count), "second", expect=(expected,))
    make_dataset(tmp_path, rows(100), "third", expect=(expected,))


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        (Expectation(column="y", nulls=0.1), r"no column 'y' \(spec.dataset.expect\)"),
        (Expectation(column="word", low=0.0), "'word' is String; spec.dataset.expect gives it a range"),
    ],
)
def test_an_expectation_that_can_never_be_asked_is_refused(tmp_path: Path, expected: Expectation, words: str) -> None:
    with pytest.raises(Refused, match=words):
        make_dataset(tmp_path, rows(100), expect=(expected,))
