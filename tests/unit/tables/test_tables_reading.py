"""What readers of a table get: that version exactly, in one order, with types that a model can be fitted on."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import DatasetResult
from penstock_jobs.contract.specification import (
    DatasetJob,
    InputSpec,
    Location,
    Run,
    SplitSpec,
    TargetSpec,
    ValidationSpec,
)
from penstock_jobs.dataset import generate
from penstock_jobs.storage import open_store
from penstock_jobs.tables import delta
from penstock_jobs.tables.reading import points_in, read_frame


def generated(home: Path, count: int, uid: str, **changes: Any) -> tuple[DatasetResult, Location]:
    path = home / f"{uid}.jsonl"
    lines = (
        {
            "id": i,
            "whole": i,
            "holes": None if i % 3 else i,
            "flag": bool(i % 2),
            "perhaps": None if i % 5 == 0 else bool(i % 2),
            "word": None if i % 4 == 0 else f"w{i}",
            "moment": f"2026-01-01 00:{i % 60:02}:00",
            "day": None if i % 7 == 0 else "2026-01-01",
            "y": i * 0.5,
        }
        for i in range(count)
    )
    path.write_text("\n".join(map(json.dumps, lines)))
    storage = Location(uri=(home / "storage").as_uri())
    fields = {
        "run": Run(uid=uid, execution_name=uid, pipeline="p", pipeline_uid="p"),
        "storage": storage,
        "run_storage": storage,
        "inputs": (InputSpec(name="rows", location=Location(uri=path.as_uri())),),
        "target": TargetSpec(column="y"),
        "split": SplitSpec(testing=0.3),
        "validation": ValidationSpec(holdout=0.2),
        "key": ("id",),
    }
    return generate(DatasetJob(**{**fields, **changes})), storage


@pytest.fixture(scope="module")
def frame(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    result, storage = generated(tmp_path_factory.mktemp("tables"), 150, "a")
    return read_frame(result.training, storage)


def test_rows_come_sorted_by_their_identity(frame: pd.DataFrame) -> None:
    points = list(frame["_penstock_point"])
    assert points == sorted(points)
    assert frame["_penstock_point"].dtype == "int64"


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("whole", "int64"),
        ("holes", "float64"),
        ("flag", "bool"),
        ("perhaps", "object"),
        ("word", "object"),
        ("moment", "datetime64[us, UTC]"),
        ("day", "datetime64[us]"),
        ("y", "float64"),
        ("_penstock_fold", "int64"),
    ],
)
def test_each_type_has_one_dtype(frame: pd.DataFrame, column: str, kind: str) -> None:
    assert str(frame[column].dtype) == kind


def test_what_is_missing_is_none_in_text_and_nan_in_numbers(frame: pd.DataFrame) -> None:
    assert set(frame.loc[frame["id"] % 4 == 0, "word"]) == {None}
    assert np.isnan(frame.loc[frame["id"] % 3 != 0, "holes"]).all()
    assert set(frame.loc[frame["id"] % 5 == 0, "perhaps"]) == {None}
    assert frame.loc[frame["id"] % 7 == 0, "day"].isna().all()


def test_only_the_columns_asked_for_come_in_the_order_asked(tmp_path: Path) -> None:
    result, storage = generated(tmp_path, 150, "a")
    assert list(read_frame(result.testing, storage, ["y", "id"]).columns) == ["y", "id"]
    with pytest.raises(Refused, match="no column 'z'"):
        read_frame(result.testing, storage, ["z"])


def test_an_empty_table_has_its_columns_and_their_types(tmp_path: Path) -> None:
    result, storage = generated(tmp_path, 150, "a", validation=ValidationSpec(folds=3))
    empty = read_frame(result.validation, storage)
    assert len(empty) == 0
    assert str(empty["whole"].dtype) == "int64"


def test_an_old_version_reads_as_it_was(tmp_path: Path) -> None:
    first, storage = generated(tmp_path, 150, "a")
    before = read_frame(first.training, storage)
    generated(tmp_path, 180, "b")
    pd.testing.assert_frame_equal(read_frame(first.training, storage), before)


def test_a_version_whose_files_are_gone_is_refused_with_the_reason(tmp_path: Path) -> None:
    first, storage = generated(tmp_path, 150, "a")
    generated(tmp_path, 180, "b")
    store = open_store(Location(uri=first.training.uri))
    table = delta.open_table(store, 0)
    assert table is not None
    for name in delta.file_names(table):
        store.delete(name)
    with pytest.raises(Refused, match=r"gone.*retention\.tableVersions"):
        read_frame(first.training, storage)


def test_a_vacuum_spares_young_versions_and_pinned_ones(tmp_path: Path) -> None:
    first, storage = generated(tmp_path, 150, "a")
    second, _ = generated(tmp_path, 180, "b")
    generated(tmp_path, 200, "c")
    delta.vacuum(open_store(Location(uri=first.training.uri)), keep_seconds=90 * 86400.0, pinned=())
    assert len(read_frame(first.training, storage)) == first.training.rows
    assert len(read_frame(second.training, storage)) == second.training.rows


def test_which_points_a_version_holds_is_told_of_that_version_only(tmp_path: Path) -> None:
    first, storage = generated(tmp_path, 40, "a")
    second, _ = generated(tmp_path, 80, "b")
    asked = [*read_frame(second.training, storage)["_penstock_point"], 0]

    assert points_in(second.training, storage, asked) == set(asked[:-1])
    assert points_in(first.training, storage, asked) == set(read_frame(first.training, storage)["_penstock_point"])
    assert points_in(first.training, storage, []) == frozenset()


def test_a_generation_says_by_which_split_and_identity_it_was_made(tmp_path: Path) -> None:
    result, _ = generated(tmp_path, 40, "a", split=SplitSpec(testing=0.25, salt="mine"))

    assert result.split == SplitSpec(testing=0.25, salt="mine")
    assert result.identity == ("id Integer",)
