"""One rule for single values: what a value of JSON means, and that a frame and a tensor mean the same by it."""

import json
import os
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.manifest import FeatureSpec
from penstock_jobs.contract.result import ColumnType
from penstock_jobs.models.block import Block, BlockLayout
from penstock_jobs.models.inputs import MISSING, columns_of_frame
from penstock_jobs.serving.refusals import RefusedRequest
from penstock_jobs.serving.rows import RowReader
from penstock_jobs.serving.tensors import DATATYPES, TensorReader

DAY = 19734.0  # 2024-01-12
NOON = DAY * 86400 + 43200


@pytest.fixture(params=["UTC", "America/New_York", "Pacific/Kiritimati"])
def _zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(os.environ, "TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def of_row(feature: FeatureSpec, value: Any) -> Any:
    return _only(RowReader([feature]).read(json.dumps({"instances": [{feature.name: value}]}).encode()))


def of_tensor(feature: FeatureSpec, value: Any) -> Any:
    tensor = {"name": feature.name, "shape": [1], "datatype": DATATYPES[feature.type], "data": [value]}
    return _only(TensorReader([feature]).read(json.dumps({"inputs": [tensor]}).encode())[1])


def of_frame(feature: FeatureSpec, value: Any) -> Any:
    frame = pd.DataFrame({feature.name: pd.Series([value], dtype=object)})
    return _only(BlockLayout([feature]).block(columns_of_frame(frame, [feature])))


WAYS = [of_row, of_tensor, of_frame]
WAYS_OVER_HTTP = [of_row, of_tensor]


def _only(block: Block) -> Any:
    return block.texts[0, 0] if block.texts.size else block.numbers[0, 0]


def feature(kind: ColumnType, **changes: Any) -> FeatureSpec:
    return FeatureSpec(name="x", type=kind, **changes)


@pytest.mark.usefixtures("_zone")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("kind", "value", "meaning"),
    [
        ("Date", "2024-01-12", DAY),
        ("Date", "2024-01-12T00:00:00", DAY),
        ("Date", "2024-01-12 00:00:00.000Z", DAY),
        ("Date", "2024-01-12T02:00:00+02:00", DAY),
        ("Timestamp", "2024-01-12T12:00:00", NOON),
        ("Timestamp", "2024-01-12 12:00", NOON),
        ("Timestamp", "2024-01-12T07:00:00-05:00", NOON),
        ("Timestamp", "2024-01-12T14:00+02", NOON),
        ("Timestamp", "2024-01-12", DAY * 86400),
    ],
)
def test_a_day_and_a_moment_mean_the_same_in_any_zone_of_the_machine(
    way: Any, kind: ColumnType, value: str, meaning: float
) -> None:
    assert way(feature(kind), value) == meaning


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("value", "text"),
    [(2, "2"), (2.0, "2"), (2.5, "2.5"), (-7.0, "-7"), (True, "true"), (10**20, str(10**20)), (1e300, "1e+300")]
    + [(text, text) for text in ("2.0", " 2", "2 ", "17:45", "007", "1e5", "K1", "é", "null", "NaN")],
)
def test_a_string_is_itself_and_a_number_sent_for_one_is_its_text(way: Any, value: Any, text: str) -> None:
    assert way(feature("String"), value) == text


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("kind", "value", "sentence"),
    [
        ("Date", "2024-01-12T10:30:00", '"2024-01-12T10:30:00" is not midnight UTC, so it is no date; send the day'),
        ("Date", "2024-01-12T00:00:00+02:00", "is not midnight UTC"),
        ("Date", "12/01/2024", 'needs a date in a string, as "2026-01-31", got "12/01/2024"'),
        ("Date", " 2024-01-12", 'got " 2024-01-12"'),
        ("Timestamp", "12/01/2024 10:30", "needs a date and time in a string"),
        ("Timestamp", 1705017600, "needs a date and time in a string"),
        ("Integer", 2**53 + 1, "9007199254740993 is too large, for beyond 2^53 whole numbers are rounded"),
        ("Integer", -(2**60), "is too large, for beyond 2^53"),
        ("Integer", 1e17, "100000000000000000 is too large"),
        ("Integer", 41.5, "needs a whole number, got 41.5"),
    ],
)
def test_a_value_that_would_have_to_be_guessed_or_rounded_is_refused_by_row_and_name(
    way: Any, kind: ColumnType, value: Any, sentence: str
) -> None:
    with pytest.raises((RefusedRequest, Refused)) as refused:
        way(feature(kind), value)
    assert str(refused.value).startswith("Row 0, column ")
    assert sentence in str(refused.value)


@pytest.mark.parametrize("way", WAYS)
def test_an_empty_text_is_null_where_the_training_table_has_none_and_itself_where_it_has(way: Any) -> None:
    assert way(feature("String", nullable=True, null_texts=("",)), "") == MISSING
    assert way(feature("String", nullable=True), "") == ""


@pytest.mark.parametrize("way", WAYS)
def test_a_text_or_a_number_that_means_null_is_null(way: Any) -> None:
    texts = ("", "n/a", "-999")
    assert way(feature("String", nullable=True, null_texts=texts), "n/a") == MISSING
    assert way(feature("String", nullable=True, null_texts=texts), -999) == MISSING
    assert np.isnan(way(feature("Integer", nullable=True, null_texts=texts), -999))
    assert np.isnan(way(feature("Float", nullable=True, null_texts=texts), -999.0))
    assert way(feature("Float", nullable=True, null_texts=texts), 999) == 999


@pytest.mark.parametrize("way", WAYS_OVER_HTTP)
@pytest.mark.parametrize(("kind", "value"), [("String", ""), ("String", "n/a"), ("Integer", -999), ("Float", -999)])
def test_what_means_null_is_refused_where_the_model_answers_to_none(way: Any, kind: ColumnType, value: Any) -> None:
    with pytest.raises(RefusedRequest, match=r'Row 0, column "x": .*null'):
        way(feature(kind, null_texts=("", "n/a", "-999")), value)


def test_a_matrix_means_null_by_the_same_numbers_and_rounds_none() -> None:
    features = [FeatureSpec(name="a", type="Integer", nullable=True, null_texts=("-1",)), feature("Float")]

    def read(data: list[Any]) -> Block:
        tensor = {"name": "rows", "shape": [2, 2], "datatype": "FP64", "data": data}
        return TensorReader(features).read(json.dumps({"inputs": [tensor]}).encode())[1]

    np.testing.assert_array_equal(read([1, -1, -1, 5]).numbers, [[1, -1], [np.nan, 5]])
    with pytest.raises(RefusedRequest, match='Row 1, column "a": 9007199254740993 is too large'):
        read([1, 2, 2**53 + 1, 3])


def test_the_last_whole_number_that_a_double_holds_exactly_is_taken_as_one() -> None:
    assert of_row(feature("Integer"), 2**53) == 2**53
    assert of_tensor(feature("Integer"), -(2**53)) == -(2**53)
    assert columns_of_frame(pd.DataFrame({"x": [2**53]}), [feature("Integer")])["x"] == [2**53]


# A longer name than a sentence bears is cut.
@settings(deadline=None)
@given(st.text(max_size=150), st.lists(st.text(), min_size=1, max_size=3))
def test_whatever_name_a_request_gives_a_column_a_refusal_quotes_it_whole(name: str, others: list[str]) -> None:
    reader = RowReader([feature("Float")])
    with pytest.raises(RefusedRequest) as refused:
        reader.read(json.dumps({"instances": [{"x": 1.0}, {"x": 1.0, f"{name}`": 1}]}).encode())
    assert refused.value.sentence == f'Row 1 has a column "{name}`", which the Model does not know.'
    with pytest.raises(RefusedRequest, match="Row 0, column"):
        reader.read(json.dumps({"instances": [{"x": others}]}).encode())
