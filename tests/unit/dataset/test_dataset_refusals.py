"""What is refused, with a sentence that names it, before anything that was there is touched."""

import re
from pathlib import Path
from typing import Any

import pytest

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import DatasetResult
from penstock_jobs.contract.specification import InputSpec, Location, Run, SplitSpec, TargetSpec, ValidationSpec
from penstock_jobs.dataset import generate
from unit.dataset.dataset_making import Row, digests, job, make_dataset, rows, write_csv


def changed(**values: object) -> list[Row]:
    return [{**row, **values} for row in rows(90)]


def one_changed(index: int, **values: object) -> list[Row]:
    return [{**row, **values} if row["id"] == index else row for row in rows(90)]


# ruff: noqa: E501 a case is a line
REFUSED_TABLES = [
    ("an empty table", rows(0) or [], {}, "no rows"),
    ("a target with nulls", one_changed(41, amount=None), {}, "'amount' is missing in 1 of 90 rows, first in row 42"),
    ("a single class", changed(label="no"), {"target": TargetSpec(column="label")}, "single class, no"),
    ("one number as a target", changed(amount=3.0), {"task": "Regression"}, "'amount' is one number, 3.0, in all 90 rows"),
    ("a wrong target", rows(90), {"target": TargetSpec(column="amuont")}, r"no column 'amuont'.*did you mean 'amount'\?"),
    ("a wrong key", rows(90), {"key": ("idd",)}, r"no column 'idd' \(spec.dataset.key\).*did you mean 'id'\?"),
    ("whole numbers without a task", rows(90), {"target": TargetSpec(column="id"), "key": ("who", "day", "label", "word")}, "set spec.dataset.task"),
    ("different rows under one key", [*rows(90), *[{**row, "x": -1} for row in rows(3, 5)]], {}, "3 keys have several different rows, first id=5;.*Group"),
    ("no key but a float", rows(90), {"key": ()}, "'x' holds floating-point numbers; name the columns.*spec.dataset.key"),
    ("no key but a query", rows(90), {"key": (), "query": "SELECT id, amount FROM rows"}, "rows come from a query"),
    ("a float as key", rows(90), {"key": ("x",)}, "'x'.*cannot identify"),
    ("a name kept for Penstock", changed(_penstock_point=1), {}, "keeps for itself"),
    ("a class missing in testing", one_changed(3, label="odd"), {"target": TargetSpec(column="label")}, "sets would have no points of the class 'odd'"),
    ("too few of a class", rows(90), {"target": TargetSpec(column="label"), "minimum_class_count": 40}, "fewer than 40"),
    ("a regression of words", rows(90), {"target": TargetSpec(column="label"), "task": "Regression"}, "a regression needs numbers"),
    ("an empty testing set", rows(90), {"split": SplitSpec(testing=0.0)}, "testing set would have no points"),
    ("Time without a border", rows(90), {"split": SplitSpec(testing=0.2, strategy="Time", time_column="day")}, "cutoff or"),
    ("a cutoff after all rows", rows(90), {"split": SplitSpec(testing=0.2, strategy="Time", time_column="day", cutoff="2099-01-01")}, "no points; change spec.dataset.split.time"),
    ("Time on words", rows(90), {"split": SplitSpec(testing=0.2, strategy="Time", time_column="word", window=1.0)}, "'word'.*is String"),
    ("Time with a wrong cutoff", rows(90), {"split": SplitSpec(testing=0.2, strategy="Time", time_column="day", cutoff="soon")}, "'soon'"),
    ("Group without columns", rows(90), {"split": SplitSpec(testing=0.2, strategy="Group")}, "split.group.columns"),
    ("Stratified on a number", rows(90), {"split": SplitSpec(testing=0.2, strategy="Stratified")}, "needs classes"),
    ("a column taken away", [{k: v for k, v in row.items() if k != "x"} for row in rows(90)], {}, "'x' is in the tables of the runs before"),
    ("another type", one_changed(7, x="many"), {}, r"line 9, column 'x'.*'?many"),
    ("another key", rows(90), {"key": ("id", "day")}, "spec.dataset.key was id when .* and is id, day now"),
    ("another salt", rows(90), {"split": SplitSpec(testing=0.3, salt="other")}, "split.salt was penstock"),
    ("a query that fails", rows(90), {"query": "SELECT nothing FROM rows"}, "query.*fails"),
    ("a query that reads a file", rows(90), {"query": "SELECT * FROM '/etc/passwd'"}, "not an input"),
]  # fmt: skip


# These depend on what the first generation fixed; all others are refused for a new testing set as well.
FIXED = ("a column taken away", "another type", "another key", "another salt")

There = tuple[Path, DatasetResult, list[str]]


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> There:
    """A storage with a first generation, which must be the same after every refusal."""
    home = tmp_path_factory.mktemp("there")
    result = make_dataset(home, rows(150), "first")
    return home, result, _logs(home)


def _logs(home: Path) -> list[str]:
    return sorted(str(path) for path in (home / "storage/datasets").rglob("_delta_log/*.json"))


@pytest.mark.parametrize(
    ("name", "table", "changes", "sentence"), REFUSED_TABLES, ids=[case[0] for case in REFUSED_TABLES]
)
def test_a_mistake_is_refused_in_one_sentence_and_changes_no_table(
    there: There, name: str, table: list[Row], changes: dict[str, Any], sentence: str
) -> None:
    home, _, logs = there
    head = table or []
    path = write_csv(home / "input/refused.csv", head)
    if not head:
        path.write_text("id,who,day,x,word,amount,label\n")
    with pytest.raises(Refused) as refusal:
        generate(job(home, path, "refused", reset_testing=None if name in FIXED else "anew", **changes))
    assert re.search(sentence, str(refusal.value)), str(refusal.value)
    assert str(refusal.value).endswith((".", "?"))
    assert "\n" not in str(refusal.value)
    assert _logs(home) == logs


@pytest.mark.parametrize(
    ("uri", "sentence"),
    [
        ("missing.csv", "There is no file"),
        ("none-*.csv", "No file matches"),
        ("broken.parquet", "cannot be read"),
        ("odd.xyz", "format"),
    ],
)
def test_an_input_that_is_not_there_or_not_readable_is_refused_by_its_uri(
    there: There, uri: str, sentence: str
) -> None:
    home, _, _ = there
    for name in ("broken.parquet", "odd.xyz"):
        (home / name).write_text("not a table")
    with pytest.raises(Refused, match=sentence) as refusal:
        generate(job(home, f"{home.as_uri()}/{uri}", "refused"))
    assert uri in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"id,x,label\n1,2,no\n2,3\n3,4,yes\n", "line 3 has 2 values and the first line, .* has 3"),
        (b"id,x,label\n1,2,no\n2,3,yes,4\n", "line 3 has 4 values"),
        (b"Sales of May\nid,x,label\n1,2,no\n", "no column 'label'"),
        (b"id,label,label\n1,2,no\n2,3,yes\n", "two columns named 'label'"),
        (b"id,label,Label\n1,2,no\n2,3,yes\n", "'label' and 'Label', which differ in case only"),
        ("id,town,label\n1,Orl\xe9ans,no\n".encode("latin-1"), "line 2, is not encoded as UTF-8"),
        (b"", "is empty"),
    ],
    ids=["a value too few", "a value too many", "a title above", "a name twice", "a name in another case", "Latin-1", "empty"],
)  # fmt: skip
def test_a_text_file_that_is_not_quite_a_table_is_refused_by_what_is_wrong_in_it(
    tmp_path: Path, text: bytes, sentence: str
) -> None:
    path = tmp_path / "odd.csv"
    path.write_bytes(text)
    with pytest.raises(Refused, match=sentence) as refusal:
        generate(job(tmp_path, path, target=TargetSpec(column="label")))
    assert "\n" not in str(refusal.value)


def test_a_row_that_begins_with_a_hash_is_a_row(tmp_path: Path) -> None:
    path = tmp_path / "marks.csv"
    lines = [f"{'#' if number % 10 == 0 else ''}{number},{number},{number % 2}\n" for number in range(200)]
    path.write_text("mark,x,odd\n" + "".join(lines))
    target = TargetSpec(column="odd")
    result = generate(job(tmp_path, path, key=("mark",), target=target, task="Classification"))
    assert sum(table.rows for table in (result.training, result.validation, result.testing)) == 200


def test_a_storage_of_another_pipeline_is_refused(there: There) -> None:
    home, _, _ = there
    other = Run(uid="x", execution_name="x", pipeline="other", pipeline_uid="pipeline-2")
    with pytest.raises(Refused, match="belongs to the Pipeline 'churn'"):
        generate(job(home, write_csv(home / "input/again.csv", rows(90)), run=other))


def test_several_inputs_without_a_query_are_refused(there: There) -> None:
    home, _, _ = there
    path = write_csv(home / "input/again.csv", rows(90)).as_uri()
    inputs = tuple(InputSpec(name=name, location=Location(uri=path)) for name in ("one", "two"))
    with pytest.raises(Refused, match=r"'one', 'two'.*no query"):
        generate(job(home, path, inputs=inputs))


def test_inputs_are_joined_by_the_query(tmp_path: Path) -> None:
    people = write_csv(tmp_path / "people.csv", [{"id": i, "age": i % 50} for i in range(150)])
    scores = write_csv(tmp_path / "scores.csv", [{"id": i, "amount": i * 0.5} for i in range(150)])
    inputs = tuple(InputSpec(name=p.stem, location=Location(uri=p.as_uri())) for p in (people, scores))
    query = "SELECT * FROM people JOIN scores USING (id)"
    result = generate(job(tmp_path, people, inputs=inputs, query=query))
    assert [column.name for column in result.columns] == ["id", "age", "amount"]
    assert result.rows_read == 150


def test_a_query_that_gives_a_column_twice_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="gives the column 'id' twice"):
        make_dataset(tmp_path, rows(90), query="SELECT * FROM rows JOIN rows AS again ON rows.id = again.id")


def test_folds_leave_validation_empty(tmp_path: Path) -> None:
    result = make_dataset(tmp_path, rows(150), validation=ValidationSpec(folds=5))
    assert result.validation.rows == 0
    assert result.training.rows + result.testing.rows == 150


def test_the_same_input_again_gives_the_same_digests(there: There) -> None:
    home, first, _ = there
    assert digests(make_dataset(home, rows(150), "again")) == digests(first)


@pytest.mark.parametrize("constant", ["training", "testing"])
def test_a_side_on_which_a_regression_has_one_number_is_refused_by_name(tmp_path: Path, constant: str) -> None:
    cutoff = "2026-03-15"
    split = SplitSpec(testing=0.3, strategy="Time", time_column="day", cutoff=cutoff)
    table = [
        {**row, "amount": row["amount"] if (row["day"] >= cutoff) == (constant == "training") else 3.0}
        for row in rows(150)
    ]
    with pytest.raises(Refused, match=rf"The {constant} set would have the same 'amount', 3.0, in all \d+ points"):
        generate(job(tmp_path, write_csv(tmp_path / "rows.csv", table), split=split))


def test_a_side_on_which_a_regression_has_two_numbers_is_none(tmp_path: Path) -> None:
    table = [{**row, "amount": float(row["id"] % 2)} for row in rows(150)]

    assert generate(job(tmp_path, write_csv(tmp_path / "rows.csv", table))).task == "Regression"
