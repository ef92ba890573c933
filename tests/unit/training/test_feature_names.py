"""A run on a table whose columns have hard names ends in a Model that is served; what cannot be is refused first."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.manifest import FeatureSpec
from penstock_jobs.contract.specification import InputSpec
from penstock_jobs.models.block import Block
from penstock_jobs.models.loading import load_model
from penstock_jobs.serving import rehearsal
from penstock_jobs.serving.application import Application
from penstock_jobs.serving.rehearsal import rehearse_requests
from penstock_jobs.serving.rows import RowReader
from penstock_jobs.serving.warming import ask_application, warm
from penstock_jobs.tables.reading import read_frame
from penstock_jobs.training import train
from penstock_jobs.training.ledger import FOLDER
from training_jobs import LINEAR, location_at, make_mixed_frame, make_tables

HARD = {
    "first": 'screen (")',
    "second": "back\\slash\n\tand `more`",
    "colour": "a.b – é",
    "member": "class",
    "since": "predict",
}


def test_a_table_with_hard_names_is_trained_tested_and_served_as_the_testing_table_has_it(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, make_mixed_frame().rename(columns=HARD))
    [reference] = train(tables.job(algorithms=(LINEAR,), keep=1)).models
    model = load_model(location_at(Path(reference.uri.removeprefix("file://"))), None, (), 1, reference.digest)
    assert {feature.name for feature in model.manifest.features} == set(HARD.values())
    application = Application(model, "served")
    warm(application, model, "served")
    frame = read_frame(tables.made.testing, tables.asked.storage, list(HARD.values()))
    expected = model.predict_frame(frame).probabilities
    assert expected is not None
    rows = json.loads(frame.to_json(orient="records", date_format="iso", double_precision=15))
    body = json.dumps({"instances": rows}).encode()
    status, answer = asyncio.run(ask_application(application, "/v1/models/served:predict", body))
    assert status == 200, answer
    np.testing.assert_allclose(json.loads(answer)["probabilities"], expected, atol=1e-9)


def test_a_name_that_no_model_can_have_is_refused_by_the_dataset_job(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("id,y,x\0z\n" + "".join(f"{row},yes,{row}\n{row}1,no,3\n" for row in range(50)))
    with pytest.raises(Refused, match=r"The column 'x\\x00z' has a NUL character in its name"):
        make_tables(
            tmp_path,
            make_mixed_frame(),
            inputs=(InputSpec(name="rows", location=location_at(tmp_path / "rows.csv")),),
        )


def test_a_whole_number_that_a_double_would_round_is_refused_before_any_candidate_is_tried(tmp_path: Path) -> None:
    frame = make_mixed_frame()
    frame["account"] = 2**53 + 1 + np.arange(len(frame))
    tables = make_tables(tmp_path, frame)
    with pytest.raises(Refused, match=r"feature account has whole numbers beyond 2\^53") as refused:
        train(tables.job(algorithms=(LINEAR,)))
    assert "give it the type String" in str(refused.value)
    assert not (tables.home / "run" / "run" / FOLDER).exists()


@pytest.mark.parametrize("missing", [None, ""])
def test_an_empty_text_is_null_to_a_model_as_it_is_to_the_tables(tmp_path: Path, missing: str | None) -> None:
    frame = make_mixed_frame()
    frame["colour"] = frame["colour"].fillna(missing) if missing is not None else frame["colour"]
    [reference] = train(make_tables(tmp_path, frame).job(algorithms=(LINEAR,), keep=1)).models
    assert null_texts_of(reference, "colour") == ("",)


def null_texts_of(reference: Any, name: str) -> tuple[str, ...]:
    model = load_model(location_at(Path(reference.uri.removeprefix("file://"))), None, (), 1, reference.digest)
    return next(feature.null_texts for feature in model.manifest.features if feature.name == name)


FEATURES = (FeatureSpec(name="first", type="Float"), FeatureSpec(name="when", type="Date"))
FRAME = pd.DataFrame({"first": [0.5], "when": [pd.Timestamp("2024-01-12")]})


def test_a_feature_of_which_no_server_can_be_made_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    class Reader(RowReader):
        def __init__(self, features: Sequence[FeatureSpec]) -> None:
            if any(feature.name == "when" for feature in features):
                raise ValueError("names must be short")
            super().__init__(features)

    rehearse_requests(FEATURES, FRAME)
    monkeypatch.setattr(rehearsal, "RowReader", Reader)
    with pytest.raises(
        Refused, match=r"The feature 'when' cannot be served: names must be short. Give the column anoth"
    ):
        rehearse_requests(FEATURES, FRAME)


def test_a_feature_that_a_server_would_read_otherwise_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    class Reader(RowReader):
        def read(self, body: bytes, *, quickly: bool = False) -> Block:
            block = super().read(body, quickly=quickly)
            return Block(block.numbers + np.array([[0.0, 1.0]]), block.texts)

    monkeypatch.setattr(rehearsal, "RowReader", Reader)
    with pytest.raises(
        Refused, match=r"A server would read the feature 'when' otherwise than the table has it: 19735.0"
    ):
        rehearse_requests(FEATURES, FRAME)
