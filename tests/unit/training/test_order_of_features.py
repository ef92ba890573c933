"""Equal digests mean equal Models: the order of the columns in a file is no part of what a Model learns from."""

from pathlib import Path

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_jobs.contract.result import Column, TableVersion
from penstock_jobs.tables.columns import sort_columns
from penstock_jobs.training import train
from penstock_jobs.training.features import choose_features
from training_jobs import Tables, algorithm, make_mixed_frame, make_tables

FOREST = algorithm("forest", "sklearn.ensemble.RandomForestClassifier", n_estimators=20)


def test_the_features_are_all_columns_without_another_role_in_the_order_of_their_names(mixed_tables: Tables) -> None:
    assert [one.name for one in choose_features(mixed_tables.job())] == ["colour", "first", "member", "second", "since"]
    assert [one.name for one in choose_features(mixed_tables.job(exclude=("since",)))][-1] == "second"


def test_listed_features_are_in_the_order_of_the_list(mixed_tables: Tables) -> None:
    for listed in (("id", "first"), ("first", "id"), ("second", "first", "colour")):
        assert tuple(one.name for one in choose_features(mixed_tables.job(features=listed))) == listed
    job = mixed_tables.job(features=("second", "first", "second"), exclude=("first",))
    assert [one.name for one in choose_features(job)] == ["second"]


SORTED = ("10", "9", "B", "Zeta", "a", "b", "é", "ﬁ", "𝑥")


@given(st.permutations(SORTED))
def test_the_order_of_names_is_that_of_code_points_whatever_the_order_of_the_columns(names: list[str]) -> None:
    assert tuple(one.name for one in sort_columns(Column(name=name, type="Float") for name in names)) == SORTED


@pytest.mark.parametrize("key", [("id",), ()], ids=["with a key", "without a key"])
def test_the_same_rows_with_their_columns_in_another_order_make_the_same_model(
    tmp_path: Path, key: tuple[str, ...]
) -> None:
    frame = make_mixed_frame(300).drop(columns="second")
    frame["first"] = (frame["first"].abs() * 1000).astype(int)
    one, two = (
        make_tables(tmp_path / str(number), frame[columns], key=key)
        for number, columns in enumerate((list(frame), list(frame)[::-1]))
    )
    assert [table.digest for table in _tables(one)] == [table.digest for table in _tables(two)]
    assert _train_forest(one) == _train_forest(two)


def _tables(tables: Tables) -> tuple[TableVersion, ...]:
    return tables.made.training, tables.made.validation, tables.made.testing


def _train_forest(tables: Tables) -> tuple[float | None, onnx.GraphProto]:
    result = train(tables.job(algorithms=(FOREST,), keep=1))
    (model,) = (tables.home / "run/models").glob("*/model.onnx")
    return result.best[0].score, onnx.load(model).graph
