"""Made-up tables with made-up options, by every reader: each must see, of the same row, what the Model was made of."""

import json
import os
import random
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import model_making
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.manifest import FORMAT, FeatureSpec, ModelManifest, ServedFile
from penstock_jobs.contract.result import Column, DatasetResult
from penstock_jobs.contract.specification import Location
from penstock_jobs.dataset import schema
from penstock_jobs.models.answers import ModelPredictions
from penstock_jobs.models.block import Block, BlockLayout
from penstock_jobs.models.loading import LoadedModel
from penstock_jobs.reading.model_rules import reading_for_model
from penstock_jobs.serving.batch import predict_file
from penstock_jobs.serving.notebook import NotebookModel
from penstock_jobs.serving.rows import RowReader
from penstock_jobs.storage import open_store
from unit.dataset import dataset_making as making
from unit.dataset.reading_making import read, rows_of

ROWS = 40
ZONES = ("UTC", "America/New_York", "Asia/Kolkata", "Pacific/Auckland")
CODES = ("K1", "0x1F", "1E5", "007", "7", "2.0", " 6", "17:45", "A0EEBC99-9C0B", "été", 'a "b"', "x,y;z", "true", "nan")
FORMATS = (None, "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y")


class Witness:
    """A predictor whose answer depends on all that a Model sees."""

    def __init__(self, features: tuple[FeatureSpec, ...]) -> None:
        self._layout = BlockLayout(features)

    def __call__(self, columns: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        return self.block(self._layout.block(columns))

    def block(self, block: Block) -> dict[str, NDArray[Any]]:
        total = np.zeros(block.rows)
        for place, column in enumerate(block.numbers.T, start=1):
            total += np.where(np.isnan(column), 0.37 * place, np.sin(column * place))
        for row, texts in enumerate(block.texts):
            total[row] += sum(place * ord(letter) for text in texts for place, letter in enumerate(text, start=1)) % 1.7
        yes = 1 / (1 + np.exp(-total))
        return {"probabilities": np.column_stack([1 - yes, yes])}


@st.composite
def tables(draw: st.DrawFn) -> dict[str, Any]:
    """Return the rows of a table as values, and the options of the input that holds them."""
    seed = random.Random(draw(st.integers(0, 10**9)))
    rows = [made_row(seed, number) for number in range(ROWS)]
    kind = draw(st.sampled_from(["csv", "csv.gz", "jsonl", "parquet"]))
    delimiter = draw(st.sampled_from([None, ";", "^", "|"]))
    decimal = draw(st.sampled_from([None, ","])) if delimiter is not None else None
    return {
        "rows": rows,
        "kind": kind,
        "null": draw(st.sampled_from(["", "NA", "-"])),
        "zone": timezone(timedelta(hours=draw(st.integers(-11, 13)))),
        "options": {
            "delimiter": delimiter if kind.startswith("csv") else None,
            "decimal": decimal if kind.startswith("csv") else None,
            "date_format": draw(st.sampled_from(FORMATS)) if kind != "parquet" else None,
        },
    }


def made_row(seed: random.Random, number: int) -> dict[str, Any]:
    moment = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=seed.randrange(40_000_000))
    row: dict[str, Any] = {
        "count": seed.randrange(-50, 50),
        "size": seed.choice([0.5, 12.5, 1e-07, 3.0, -2.25]),
        "member": seed.random() < 0.5,
        "code": seed.choice(CODES),
        "born": date(2024, 1, 1) + timedelta(days=seed.randrange(400)),
        "seen": moment,
    }
    # The first row has all values, so that each column has a type.
    kept = {name: None if number and seed.random() < 0.1 else value for name, value in row.items()}
    return {"id": number, **kept, "amount": number}


def written(folder: Path, table: Mapping[str, Any]) -> Path:
    """Write the rows as a person would who has this format and these options."""
    path = folder / f"rows.{table['kind']}"
    if table["kind"] == "parquet":
        frame = pd.DataFrame(table["rows"])
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.register("made", frame.assign(seen=pd.to_datetime(frame["seen"], utc=True).dt.tz_localize(None)))
            types = '"count"::BIGINT AS "count", born::DATE AS born, seen AT TIME ZONE \'UTC\' AS seen'
            connection.execute(f"COPY (SELECT * REPLACE ({types}) FROM made) TO '{path}' (FORMAT parquet)")
    elif table["kind"] == "jsonl":
        path.write_text("\n".join(json.dumps(row) for row in in_json(table)))
    else:
        texts = pd.DataFrame([{name: in_text(value, table) for name, value in row.items()} for row in table["rows"]])
        texts.to_csv(path, index=False, sep=table["options"]["delimiter"] or ",")
    return path


def in_text(value: Any, table: Mapping[str, Any]) -> str:
    if value is None:
        return str(table["null"])
    if isinstance(value, float):
        return repr(value).replace(".", table["options"]["decimal"] or ".")
    if isinstance(value, datetime):
        return value.astimezone(table["zone"]).isoformat()
    if isinstance(value, date):
        form = table["options"]["date_format"]
        return value.isoformat() if form is None else value.strftime(form)
    return str(value).lower() if isinstance(value, bool) else str(value)


def in_json(table: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {name: in_text(value, table) if isinstance(value, date) else value for name, value in row.items()}
        for row in table["rows"]
    ]


def model_of(home: Path, columns: tuple[Column, ...]) -> LoadedModel:
    """Return a Model of the tables' features, whose manifest says how they were read."""
    features = tuple(
        FeatureSpec(name=column.name, type=column.type, nullable=True)
        for column in columns
        if column.name not in ("id", "amount")
    )
    recorded = schema.load(open_store(home_location(home)), 1)
    assert recorded is not None
    manifest = ModelManifest(
        format=FORMAT,
        name="witness",
        created="2026-01-01T00:00:00+00:00",
        task="Classification",
        target="amount",
        target_type="String",
        features=features,
        files={},
        serving=ServedFile(format="ONNX", file="model.onnx", reason=""),
        origin=model_making.ORIGIN,
        lineage=model_making.LINEAGE,
        versions={},
        classes=("no", "yes"),
        positive="yes",
        reading=reading_for_model(recorded.readings, features),
    )
    return LoadedModel(manifest, "", Witness(features), None)


def home_location(home: Path) -> Location:
    return Location(uri=(home / "storage").as_uri())


@contextmanager
def machine_in(zone: str) -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = zone
    time.tzset()
    try:
        yield
    finally:
        os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
        time.tzset()


def body_of(rows: list[dict[str, Any]], features: tuple[FeatureSpec, ...]) -> bytes:
    """Return the rows as an application sends them: the canonical form of each value."""
    shown = [
        {
            feature.name: value.isoformat() if isinstance(value := row[feature.name], date) else value
            for feature in features
        }
        for row in rows
    ]
    return json.dumps({"instances": shown}).encode()


@given(tables(), st.sampled_from(ZONES))
@settings(max_examples=12, deadline=None)
def test_tables_predict_notebook_and_server_see_the_same_in_every_row(table: dict[str, Any], zone: str) -> None:
    with TemporaryDirectory() as folder, machine_in(zone):
        home, data = Path(folder), written(Path(folder), table)
        options = {name: value for name, value in table["options"].items() if value is not None}
        made = read(home, data, null_values=(table["null"],) if table["null"] else (), **options)
        model = model_of(home, made.columns)
        right = model.predict_frame(rows_of(home, made).reset_index())
        predict_file(model, data, home / "answers.parquet")
        with duckdb.connect() as connection:
            found = connection.execute(f"FROM '{home / 'answers.parquet'}' ORDER BY CAST(id AS BIGINT)").fetchnumpy()
        block = RowReader(model.manifest.features).read(body_of(table["rows"], model.manifest.features))
        answers = {
            "predict": found["probability_yes"],
            "notebook": NotebookModel(model).predict_proba(frame_of(data, table))["yes"].to_numpy(),
            "server": probability_of_yes(model.predict_block(block)),
        }
    for reader, probabilities in answers.items():
        np.testing.assert_allclose(probabilities, probability_of_yes(right), atol=1e-5, err_msg=reader)
    assert found["prediction"].tolist() == right.labels.tolist()


def probability_of_yes(answer: ModelPredictions) -> NDArray[Any]:
    assert answer.probabilities is not None
    return answer.probabilities[:, 1]


def frame_of(data: Path, table: Mapping[str, Any]) -> pd.DataFrame:
    """Return the frame that a person has of the file in a notebook, who lets pandas take texts for texts."""
    if table["kind"] == "parquet":
        return pd.DataFrame(table["rows"])
    if table["kind"] == "jsonl":
        return pd.DataFrame([json.loads(line) for line in data.read_text().splitlines()])
    return pd.read_csv(data, dtype=str, sep=table["options"]["delimiter"] or ",", keep_default_na=False)


POOLS = (
    ("7", "0", "-12"),
    ("7", "2.5", "1e-05"),
    ("1E5", "0x1F", "7"),
    ("31/12/2023", "03/04/2024"),
    ("03/04/2024", "05/06/2024"),
    ("2024-02-29", "2024-03-01"),
    ("2024-02-29T10:00:00", "2024-02-29T10:00:00-05:00", "2024-03-01"),
    ("true", "false"),
    ("", "K1"),
)


growths = st.tuples(
    st.lists(st.sampled_from([text for pool in POOLS for text in pool]), max_size=4),
    st.sampled_from(POOLS),
    st.integers(0, 10**6),
)


def grown_rows(growth: tuple[list[str], tuple[str, ...], int]) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """Return rows, and the same in another order with a few more among them, whose texts may be of another kind."""
    later, pool, seed = growth
    shuffled = random.Random(seed)
    rows = [(number, shuffled.choice(pool)) for number in range(ROWS)]
    grown = rows + [(ROWS + number, text) for number, text in enumerate(later)]
    shuffled.shuffle(grown)
    return rows, grown


@given(growths)
@settings(max_examples=12, deadline=None)
def test_what_was_read_of_a_value_once_is_read_so_ever_after(growth: tuple[list[str], tuple[str, ...], int]) -> None:
    rows, grown = grown_rows(growth)
    with TemporaryDirectory() as folder, or_refused_for_x():
        home = Path(folder)
        first = rows_of(home, make_tables(home, rows, "run-1"))["x"].map(str)
        second = rows_of(home, make_tables(home, grown, "run-2"))["x"].map(str)

        assert second[first.index].to_dict() == first.to_dict()


@given(growths)
@settings(max_examples=12, deadline=None)
def test_no_point_moves_whose_key_is_read_again_in_a_longer_file(
    growth: tuple[list[str], tuple[str, ...], int],
) -> None:
    rows, grown = grown_rows(growth)
    with TemporaryDirectory() as folder, or_refused_for_x():
        home = Path(folder)
        first = making.sides(home, make_tables(home, rows, "run-1", key=("x", "id")))
        second = making.sides(home, make_tables(home, grown, "run-2", key=("x", "id")))

        for name, points in first.items():
            assert points <= second[name], name


@contextmanager
def or_refused_for_x() -> Iterator[None]:
    """What is in the block holds, or the job has refused the column `x` by its name."""
    try:
        yield
    except Refused as refusal:
        if "column 'x'" not in str(refusal) and "column x" not in str(refusal):
            raise


def make_tables(home: Path, rows: list[tuple[int, str]], uid: str, **changes: Any) -> DatasetResult:
    """Generate the tables of these rows, written as CSV."""
    data = home / "a.csv"
    data.write_text("id,x,amount\n" + "".join(f"{number},{text},{number}\n" for number, text in rows))
    return read(home, data, uid, changes={"updates": "Refresh"} | changes)
