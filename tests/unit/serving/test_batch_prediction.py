from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

import model_making as making
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import Location
from penstock_jobs.serving import notebook
from penstock_jobs.serving.batch import predict_file


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return making.save_and_load(tmp_path_factory.mktemp("models"), making.fit_model())


def written(frame: pd.DataFrame, path: Path) -> Path:
    options = {".csv": "FORMAT csv, HEADER", ".jsonl": "FORMAT json", ".parquet": "FORMAT parquet"}[path.suffix]
    with duckdb.connect() as database:
        database.register("frame", frame)
        database.execute(f"COPY frame TO '{path}' ({options})")
    return path


def rows_of(path: Path) -> list[tuple[Any, ...]]:
    # Left to itself, DuckDB reads yes and no in a CSV file as booleans.
    table = f"read_csv('{path}', types={{'prediction': 'VARCHAR'}})" if path.suffix == ".csv" else f"'{path}'"
    with duckdb.connect() as database:
        return database.execute(f"SELECT prediction, probability_no, probability_yes FROM {table}").fetchall()


@pytest.mark.parametrize("source", ["new.csv", "new.jsonl", "new.parquet"])
@pytest.mark.parametrize("output", ["out.csv", "out.jsonl", "out.parquet"])
def test_every_format_gets_the_answers_of_the_server(tmp_path: Path, model: Any, source: str, output: str) -> None:
    frame = making.people(100, seed=9)
    result = predict_file(model, written(frame, tmp_path / source), tmp_path / output)
    expected = model.predict_frame(frame)
    answers = rows_of(tmp_path / output)
    assert result.rows == 100
    assert [row[0] for row in answers] == expected.labels.tolist()
    np.testing.assert_allclose([row[1:] for row in answers], expected.probabilities, rtol=1e-9)


def test_columns_of_the_input_come_along_as_they_are(tmp_path: Path, model: Any) -> None:
    frame = making.people(20).assign(id=[f"{number:03d}" for number in range(20)])
    predict_file(model, written(frame, tmp_path / "new.csv"), tmp_path / "out.csv")
    source, output = ((tmp_path / name).read_text().splitlines() for name in ("new.csv", "out.csv"))
    assert output[0] == f"{source[0]},prediction,probability_no,probability_yes"
    assert all(after.startswith(before + ",") for before, after in zip(source[1:], output[1:], strict=True))


def test_a_row_that_begins_with_a_hash_is_predicted_too(tmp_path: Path, model: Any) -> None:
    frame = making.people(20)
    frame.insert(0, "mark", [f"#{number}" if number % 5 == 0 else str(number) for number in range(20)])
    assert predict_file(model, written(frame, tmp_path / "new.csv"), tmp_path / "out.csv").rows == 20


def test_a_line_with_a_value_too_few_is_refused_by_its_number(tmp_path: Path, model: Any) -> None:
    path = written(making.people(20), tmp_path / "new.csv")
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:7], lines[7].rpartition(",")[0], *lines[8:]]) + "\n")
    with pytest.raises(Refused, match="line 8 has"):
        predict_file(model, path, tmp_path / "out.csv")


def test_the_file_to_read_is_never_the_file_to_write(tmp_path: Path, model: Any) -> None:
    path = written(making.people(20), tmp_path / "new.csv")
    before = path.read_bytes()
    with pytest.raises(Refused, match="name another file"):
        predict_file(model, path, tmp_path / "." / "new.csv")
    assert path.read_bytes() == before


def test_more_rows_than_a_chunk_keep_their_order(tmp_path: Path, model: Any) -> None:
    frame = pd.concat([making.people(1000)] * 230, ignore_index=True).assign(number=range(230_000))
    predict_file(model, written(frame, tmp_path / "new.parquet"), tmp_path / "out.parquet")
    with duckdb.connect() as database:
        numbers = database.execute(f"SELECT number FROM '{tmp_path / 'out.parquet'}'").fetchnumpy()["number"]
    assert (numbers == np.arange(230_000)).all()


def test_a_missing_column_is_refused_by_name_and_nothing_is_written(tmp_path: Path, model: Any) -> None:
    source = written(making.people(5).drop(columns=["town", "born"]), tmp_path / "new.csv")
    with pytest.raises(Refused, match=r"has no column town, born, which the Model model needs; it has age"):
        predict_file(model, source, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    ("column", "value", "sentence"),
    [
        ("age", "old", "line 5, column 'age': 'old' is not a whole number"),
        ("age", "41.5", "line 5, column 'age': '41.5' is not a whole number"),
        ("born", "x", "line 5, column 'born': 'x' is not a date"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_and_nothing_is_written(
    tmp_path: Path, model: Any, column: str, value: str, sentence: str
) -> None:
    frame = making.people(5).astype(object)
    frame.loc[3, column] = value
    frame.astype(str).to_csv(tmp_path / "new.csv", index=False)
    with pytest.raises(Refused, match=sentence):
        predict_file(model, tmp_path / "new.csv", tmp_path / "out.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.csv"]


def test_a_notebook_has_nothing_to_predict_in_a_table_without_rows(model: Any) -> None:
    with pytest.raises(Refused, match="has no rows"):
        notebook.NotebookModel(model).predict(making.people(0))


def test_files_that_cannot_be_are_refused(tmp_path: Path, model: Any) -> None:
    source = written(making.people(5), tmp_path / "new.csv")
    with pytest.raises(Refused, match="ending must be one of"):
        predict_file(model, source, tmp_path / "out.xlsx")
    with pytest.raises(Refused, match="There is no file"):
        predict_file(model, tmp_path / "nothing.csv", tmp_path / "out.csv")
    (tmp_path / "empty.csv").write_text(source.read_text().splitlines()[0] + "\n")
    with pytest.raises(Refused, match="has no rows"):
        predict_file(model, tmp_path / "empty.csv", tmp_path / "out.csv")
    twice = written(making.people(5).assign(prediction=1), tmp_path / "twice.csv")
    with pytest.raises(Refused, match="has a column prediction already"):
        predict_file(model, twice, tmp_path / "out.csv")


def test_a_notebook_predicts_frames_with_scikit_learns_names_and_keeps_their_index(tmp_path: Path) -> None:
    reference = making.save(tmp_path, making.fit_model())
    model = notebook.load(Location(uri=reference.uri), digest=reference.digest)
    frame = making.people(10, seed=4).set_index(pd.Index(range(100, 110), name="id")).assign(extra=1)
    labels, probabilities = model.predict(frame), model.predict_proba(frame)
    assert labels.name == "left"
    assert labels.index.equals(frame.index)
    assert probabilities.columns.tolist() == ["no", "yes"] == list(model.classes_)
    assert (probabilities["yes"].ge(0.5) == labels.eq("yes")).all()
    assert model.manifest.target == "left"
    assert repr(model).startswith("<Model model: left from 6 features")
