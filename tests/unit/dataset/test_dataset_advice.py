"""A refused split says what does run: each piece of advice, followed, leads to tables."""

import re
from pathlib import Path
from typing import Any

import pytest

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import SplitSpec, TargetSpec, ValidationSpec
from penstock_jobs.dataset.checks import rows_needed
from unit.dataset.dataset_making import Row, job, make_dataset, rows

LABEL: dict[str, Any] = {"target": TargetSpec(column="label"), "key": ("id",)}
STRATIFIED = SplitSpec(testing=0.25, strategy="Stratified")


def refusal(home: Path, table: list[Row], **changes: Any) -> str:
    with pytest.raises(Refused) as refused:
        make_dataset(home, table, "refused", **changes)
    return str(refused.value)


def with_rare(**counts: int) -> list[Row]:
    """Return 90 rows of yes and no, and so many of each further class."""
    table = rows(90)
    for name, count in counts.items():
        table += [{**row, "label": name} for row in rows(count, len(table))]
    return table


def cars(apart: str = "power") -> list[Row]:
    """Return rows in which three keys have two each, which differ in the target and in one column more."""
    table = [{**row, "power": 100, "weight": 1000} for row in rows(90)]
    return table + [{**table[i], apart: -1, "amount": -1.0} for i in (5, 6, 7)]


def test_all_classes_that_are_too_rare_are_named_at_once(tmp_path: Path) -> None:
    sentence = refusal(tmp_path, with_rare(Isle=1, Rock=2), split=STRATIFIED, **LABEL)
    assert "'Isle'" in sentence
    assert "'Rock'" in sentence


def test_who_has_set_stratified_is_not_told_to_set_it(tmp_path: Path) -> None:
    sentence = refusal(tmp_path, with_rare(Isle=1), split=STRATIFIED, validation=ValidationSpec(holdout=0.25), **LABEL)
    assert sentence == (
        "The testing and validation sets would have no points of the class 'Isle'; with these shares strategy "
        "Stratified needs 3 rows of a class, and there is 1 of the class 'Isle': leave it out in the query "
        "(spec.dataset.query), or gather more of it."
    )


@pytest.mark.parametrize(
    "validation", [ValidationSpec(holdout=0.25), ValidationSpec(holdout=0.1), ValidationSpec(folds=3)]
)
@pytest.mark.parametrize("minimum", [1, 3])
def test_as_many_rows_as_the_sentence_asks_for_do_run(tmp_path: Path, validation: ValidationSpec, minimum: int) -> None:
    changes: dict[str, Any] = {"split": STRATIFIED, "validation": validation, "minimum_class_count": minimum, **LABEL}
    needed = rows_needed(job(tmp_path, tmp_path / "rows.csv", **changes))
    assert f"needs {needed} rows of a class" in refusal(tmp_path, with_rare(Isle=1), **changes)
    assert make_dataset(tmp_path, with_rare(Isle=needed), **changes).testing.classes["Isle"] >= minimum


def test_who_splits_by_key_is_told_of_stratified_where_it_runs(tmp_path: Path) -> None:
    sentence = refusal(tmp_path, with_rare(Isle=5), split=SplitSpec(testing=0.3, salt="a"), **LABEL)
    assert "or split with strategy Stratified" in sentence
    stratified = SplitSpec(testing=0.3, strategy="Stratified")
    assert make_dataset(tmp_path, with_rare(Isle=5), split=stratified, **LABEL).testing.classes["Isle"] == 2


def test_who_splits_by_key_is_not_told_of_stratified_where_it_does_not_run(tmp_path: Path) -> None:
    sentence = refusal(tmp_path, with_rare(Isle=1), **LABEL)
    assert "also strategy Stratified needs 4 rows of a class, and there is 1 of the class 'Isle'" in sentence


def test_shares_that_are_too_small_for_classes_of_many_rows_are_to_be_raised(tmp_path: Path) -> None:
    changes: dict[str, Any] = {"minimum_class_count": 8, **LABEL}
    sentence = refusal(tmp_path, rows(90), split=SplitSpec(testing=0.1, strategy="Stratified"), **changes)
    assert "strategy Stratified needs 75 rows of a class" in sentence
    assert "raise the shares" in sentence
    raised = SplitSpec(testing=0.25, strategy="Stratified")
    validation = ValidationSpec(holdout=0.3)
    assert make_dataset(tmp_path, rows(90), split=raised, validation=validation, **changes).testing.classes["yes"] >= 8


def test_in_a_regression_or_with_groups_nobody_is_told_of_classes(tmp_path: Path) -> None:
    assert "Stratified" not in refusal(tmp_path, rows(90), split=SplitSpec(testing=0.0))
    grouped = SplitSpec(testing=0.0, strategy="Group", group_columns=("who",))
    assert "give more groups" in refusal(tmp_path, rows(90), split=grouped)


def test_the_column_that_tells_rows_of_one_key_apart_is_named_and_makes_a_key(tmp_path: Path) -> None:
    sentence = refusal(tmp_path, cars(), key=("id", "day"))
    named = re.search(r"3 keys have several different rows, first id=5, day=2026-01-06; add '(\w+)', which", sentence)
    assert named is not None, sentence
    assert named.group(1) == "power"
    assert make_dataset(tmp_path, cars(), key=("id", "day", "power")).rows_read == 93


def test_the_group_that_the_sentence_proposes_runs_with_the_key_that_it_proposes(tmp_path: Path) -> None:
    sentence = refusal(tmp_path, cars(), key=("id", "day"))
    assert "also split with strategy Group by that" in sentence
    grouped = SplitSpec(testing=0.3, strategy="Group", group_columns=("id", "day"))
    assert make_dataset(tmp_path, cars(), key=("id", "day", "power"), split=grouped).rows_read == 93


def test_who_has_set_the_group_is_told_to_add_to_the_key_alone(tmp_path: Path) -> None:
    grouped = SplitSpec(testing=0.3, strategy="Group", group_columns=("id", "day"))
    sentence = refusal(tmp_path, cars(), key=("id", "day"), split=grouped)
    assert sentence.endswith("add 'power', which tells them apart, to spec.dataset.key (the group stays as it is).")


def test_two_columns_are_named_where_one_does_not_tell_all_rows_apart(tmp_path: Path) -> None:
    table = cars()
    table += [{**table[5], "weight": -1}]
    sentence = refusal(tmp_path, table)
    assert "add 'power' and 'weight', which tell them apart" in sentence
    assert make_dataset(tmp_path, table, key=("id", "power", "weight")).rows_read == 94


def test_where_no_column_can_tell_rows_apart_the_query_or_an_id_is_proposed(tmp_path: Path) -> None:
    sentence = refusal(tmp_path, cars(apart="x"))
    assert "no column but the target and floating-point ones tells them apart" in sentence
    once = "SELECT id, who, min(x) AS x, min(amount) AS amount FROM rows GROUP BY id, who"
    assert make_dataset(tmp_path, cars(apart="x"), query=once).rows_read == 90


def test_without_a_key_rows_that_contradict_each_other_are_said_to(tmp_path: Path) -> None:
    table = [{key: row[key] for key in ("id", "who", "label")} for row in rows(90)]
    table += [{**table[3], "label": "no" if table[3]["label"] == "yes" else "yes"}]
    sentence = refusal(tmp_path, table, key=(), target=TargetSpec(column="label"))
    assert "they differ in the target only" in sentence
