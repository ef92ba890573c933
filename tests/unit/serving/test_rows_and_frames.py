"""A row in JSON and the same row in a table are the same to the Model: training and serving cannot drift apart."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_making import FEATURES
from penstock_jobs.models.block import BlockLayout
from penstock_jobs.models.inputs import MISSING, columns_of_frame, days, seconds
from penstock_jobs.serving.rows import RowReader
from penstock_jobs.serving.tensors import DATATYPES, TensorReader

NULLABLE = tuple(msgspec.structs.replace(feature, nullable=True) for feature in FEATURES)
ZONES = st.none() | st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
VALUES: dict[str, Any] = {
    "Integer": st.integers(-(2**53), 2**53),
    "Float": st.floats(allow_nan=False, allow_infinity=False),
    "Boolean": st.booleans(),
    "String": st.text(st.characters(codec="utf-8"), max_size=10),
    "Timestamp": st.datetimes(datetime(1700, 1, 2), datetime(2200, 1, 1)),
    "Date": st.dates(date(1700, 1, 2), date(2200, 1, 1)),
}
ROWS = st.lists(st.tuples(*(st.none() | VALUES[feature.type] for feature in FEATURES)), min_size=1, max_size=5)


def block_of_frame(rows: list[tuple[Any, ...]]) -> Any:
    frame = pd.DataFrame(
        {feature.name: pd.Series([row[place] for row in rows], dtype=object) for place, feature in enumerate(NULLABLE)}
    )
    return BlockLayout(NULLABLE).block(columns_of_frame(frame, NULLABLE))


def assert_same(ours: Any, theirs: Any) -> None:
    np.testing.assert_array_equal(ours.numbers, theirs.numbers)
    assert ours.texts.tolist() == theirs.texts.tolist()


@settings(deadline=None)
@given(ROWS)
def test_rows_in_json_are_the_rows_of_a_table(rows: list[tuple[Any, ...]]) -> None:
    expected = block_of_frame(rows)
    names = [feature.name for feature in NULLABLE]
    objects = msgspec.json.encode({"instances": [dict(zip(names, row, strict=True)) for row in rows]})
    lists = msgspec.json.encode({"instances": rows})
    reader = RowReader(NULLABLE)
    assert_same(reader.read(objects), expected)
    assert_same(reader.read(lists), expected)


@settings(deadline=None)
@given(ROWS)
def test_tensors_are_the_rows_of_a_table(rows: list[tuple[Any, ...]]) -> None:
    inputs = [
        {
            "name": feature.name,
            "shape": [len(rows)],
            "datatype": DATATYPES[feature.type],
            "data": [row[place] for row in rows],
        }
        for place, feature in enumerate(NULLABLE)
    ]
    _, block = TensorReader(NULLABLE).read(msgspec.json.encode({"inputs": inputs}))
    assert_same(block, block_of_frame(rows))


@settings(deadline=None)
@given(VALUES["Timestamp"], ZONES)
def test_a_moment_is_the_same_whatever_zone_it_is_written_in(moment: datetime, zone: timezone | None) -> None:
    written = moment if zone is None else moment.replace(tzinfo=UTC).astimezone(zone)
    assert seconds(written) == seconds(moment)


def test_units_are_seconds_and_days_since_1970_and_null_has_one_sentinel() -> None:
    assert seconds(datetime(1970, 1, 2)) == 86400.0
    assert days(date(1970, 1, 2)) == 1.0
    block = block_of_frame([(None,) * len(FEATURES)])
    assert np.isnan(block.numbers).all()
    assert block.texts.tolist() == [[MISSING]]


@pytest.mark.parametrize("kind", ["Int64", "boolean", "float64", "datetime64[us, UTC]", "string", "category"])
def test_a_column_of_any_pandas_type_is_read(kind: str) -> None:
    feature = {
        "Int64": ("Integer", [1, None]),
        "boolean": ("Boolean", [True, None]),
        "float64": ("Float", [1.0, None]),
        "datetime64[us, UTC]": ("Timestamp", [datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), None]),
        "string": ("String", ["a", None]),
        "category": ("String", ["a", None]),
    }[kind]
    column = msgspec.structs.replace(FEATURES[0], name="x", type=feature[0])
    found = columns_of_frame(pd.DataFrame({"x": pd.Series(feature[1], dtype=kind)}), [column])["x"]
    if feature[0] == "String":
        assert found.tolist() == ["a", MISSING]
    else:
        assert found[0] == 1.0
        assert np.isnan(found[1])
