"""What is answered to the requests of a client, without a socket."""

import asyncio
import json
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx
import msgspec
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

import model_making as making
from penstock_jobs.contract.manifest import FeatureSpec
from penstock_jobs.models.inputs import model_frame
from penstock_jobs.serving.application import Application
from penstock_jobs.serving.messages import HttpRequest

ROW = {
    "age": 41,
    "mean radius": 13.5,
    "member": True,
    "town": "Lyon",
    "joined": "2022-09-16T04:30:16",
    "born": "1980-05-17",
}
ROWS = "/v1/models/churn:predict"
TENSORS = "/v2/models/churn/infer"


class Client:
    """Asks the application without a socket."""

    def __init__(self, application: Application) -> None:
        self.application = application

    def ask(self, method: str, path: str, *, json: Any = None, content: bytes | None = None) -> httpx.Response:
        body = content if content is not None else msgspec.json.encode(json)
        request = HttpRequest(method, path, started=perf_counter(), body=body)
        if self.application.takes_body(request):
            answer = asyncio.run(self.application.answer(request))
        else:
            answer = self.application.answer_page(request)
        identity = [line.split(b": ") for line in self.application.identity.splitlines()]
        headers = [(b"content-type", answer.kind), *((name, value) for name, value in identity), *answer.headers]
        return httpx.Response(answer.status, headers=headers, content=b"".join(answer.body))

    def rows(self, *rows: Any) -> httpx.Response:
        return self.ask("POST", ROWS, json={"instances": list(rows)})

    def refused(self, *rows: Any) -> str:
        answer = self.rows(*rows)
        assert answer.status_code == 400, answer.text
        return str(answer.json()["error"])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return making.save_and_load(tmp_path_factory.mktemp("models"), making.fit_model())


@pytest.fixture
def client(model: Any) -> Client:
    return Client(Application(model, "churn"))


def numbers_only(folder: Path) -> Any:
    """A Model of two numbers, neither of which may be null."""
    frame = making.people().dropna()
    features = (FeatureSpec(name="age", type="Integer"), FeatureSpec(name="mean radius", type="Float"))
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    pipeline.fit(model_frame(frame, features), making.outcome(frame))
    return making.save_and_load(
        folder, making.change_model(making.fit_model(), estimator=pipeline, features=features, validation=frame)
    )


# --- answers ----------------------------------------------------------------------------------------------------------


def test_a_row_is_answered_as_the_model_answers_it_and_names_the_model(client: Client, model: Any) -> None:
    answer = client.rows(ROW)
    assert answer.status_code == 200
    import pandas as pd

    expected = model.predict_frame(pd.DataFrame([ROW]))
    body = answer.json()
    assert body["model"] == "model"
    assert body["classes"] == ["no", "yes"]
    assert body["predictions"] == expected.labels.tolist()
    np.testing.assert_allclose(body["probabilities"], expected.probabilities, rtol=1e-12)
    assert answer.headers["penstock-model"] == "model"
    assert answer.headers["penstock-model-digest"] == model.digest
    assert answer.headers["content-type"] == "application/json"


def test_rows_may_be_lists_in_the_order_of_the_features(client: Client) -> None:
    assert client.rows(list(ROW.values())).json() == client.rows(ROW).json()


def test_tensors_get_the_answer_of_the_same_row(client: Client) -> None:
    datatypes = ("INT64", "FP64", "BOOL", "BYTES", "BYTES", "BYTES")
    inputs = [
        {"name": name, "shape": [1, 1], "datatype": datatype, "data": [value], "parameters": {"content_type": "np"}}
        for (name, value), datatype in zip(ROW.items(), datatypes, strict=True)
    ]
    request = {"id": "42", "inputs": inputs, "parameters": {"content_type": "pd"}}
    body = client.ask("POST", TENSORS, json=request).json()
    rows = client.rows(ROW).json()
    assert body["id"] == "42"
    assert body["model_name"] == "churn"
    assert body["outputs"][0] == {"name": "predict", "datatype": "BYTES", "shape": [1], "data": rows["predictions"]}
    assert body["outputs"][1]["data"] == rows["probabilities"][0]
    assert body["outputs"][1]["shape"] == [1, 2]
    only = client.ask("POST", TENSORS, json=request | {"outputs": [{"name": "predict_proba"}]}).json()
    assert [output["name"] for output in only["outputs"]] == ["predict_proba"]


def test_a_model_of_numbers_takes_one_matrix_flat_or_nested(tmp_path: Path) -> None:
    client = Client(Application(numbers_only(tmp_path), "churn"))
    rows = client.rows([41, 13.5], [70, 9.0]).json()
    for data in ([41, 13.5, 70, 9.0], [[41, 13.5], [70, 9.0]]):
        tensor = {"name": "x", "shape": [2, 2], "datatype": "FP64", "data": data}
        body = client.ask("POST", TENSORS, json={"inputs": [tensor]}).json()
        assert body["outputs"][0]["data"] == rows["predictions"]
        assert np.reshape(body["outputs"][1]["data"], (2, 2)).tolist() == rows["probabilities"]


def test_nulls_are_answered_where_the_model_answers_to_them(client: Client) -> None:
    assert client.rows(dict.fromkeys(ROW)).status_code == 200


def test_a_moment_without_a_zone_is_utc(client: Client) -> None:
    zoned = ROW | {"joined": "2022-09-16T06:30:16+02:00"}
    assert client.rows(zoned).json() == client.rows(ROW).json()


def test_a_whole_number_may_be_written_with_a_point(client: Client) -> None:
    assert client.rows(ROW | {"age": 41.0}).json() == client.rows(ROW).json()


def test_many_rows_are_answered_in_their_order(client: Client) -> None:
    rows = [ROW | {"age": age} for age in range(18, 90)] * 20
    together = client.rows(*rows).json()["probabilities"]
    alone = [client.rows(row).json()["probabilities"][0] for row in rows[:72:9]]
    np.testing.assert_allclose(together[:72:9], alone, rtol=1e-12)


def test_a_regression_answers_with_numbers(tmp_path: Path) -> None:
    model = making.save_and_load(tmp_path, making.fit_regression(RandomForestRegressor(5, random_state=0)))
    body = Client(Application(model, "churn")).rows(ROW).json()
    assert body.keys() == {"model", "predictions"}
    assert isinstance(body["predictions"][0], float)


def test_a_classifier_without_probabilities_answers_with_classes_alone(tmp_path: Path) -> None:
    model = making.save_and_load(tmp_path, making.fit_model(LinearSVC()))
    body = Client(Application(model, "churn")).rows(ROW).json()
    assert body.keys() == {"model", "classes", "predictions"}


def test_the_threshold_of_the_server_takes_the_place_of_the_manifests(tmp_path: Path) -> None:
    always = making.save_and_load(tmp_path, making.fit_model(threshold=0.5), threshold=0.0)
    assert Client(Application(always, "churn")).rows(ROW, ROW | {"age": 20}).json()["predictions"] == ["yes", "yes"]


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"age": "41"}, 'Row 1, column "age": needs a whole number, got a string.'),
        ({"age": 41.5}, 'Row 1, column "age": needs a whole number, got 41.5.'),
        ({"mean radius": "x"}, 'Row 1, column "mean radius": needs a number, got a string.'),
        ({"mean radius": [1]}, 'Row 1, column "mean radius": needs a number, got a list.'),
        ({"mean radius": {}}, 'Row 1, column "mean radius": needs a number, got an object.'),
        ({"member": 1}, 'Row 1, column "member": needs true or false, got a whole number.'),
        ({"town": ["Lyon"]}, 'Row 1, column "town": needs a string, got a list.'),
        ({"joined": "yesterday"}, 'Row 1, column "joined": needs a date and time in a string'),
        ({"born": "1980-13-01"}, 'Row 1, column "born": needs a date in a string'),
        ({"extra": 1}, 'Row 1 has a column "extra", which the Model does not know.'),
    ],
)
def test_a_wrong_value_is_refused_with_its_row_and_column(
    client: Client, change: dict[str, Any], sentence: str
) -> None:
    assert client.refused(ROW, ROW | change).startswith(sentence)


def test_a_missing_feature_is_refused_by_name(client: Client) -> None:
    row = {name: value for name, value in ROW.items() if name != "town"}
    assert client.refused(ROW, row) == 'Row 1 has no column "town".'


def test_a_list_of_the_wrong_length_is_refused(client: Client) -> None:
    assert "needs 6 values" in client.refused(list(ROW.values())[:5])
    assert "needs 6 values" in client.refused([*ROW.values(), 1])


def test_a_wrong_value_in_a_list_is_refused_by_the_name_of_its_column(client: Client) -> None:
    assert client.refused([41, "x", True, "Lyon", None, None]) == (
        'Row 0, column "mean radius": needs a number, got a string.'
    )


def test_a_null_is_refused_where_the_model_does_not_answer_to_it(tmp_path: Path) -> None:
    client = Client(Application(numbers_only(tmp_path), "churn"))
    assert client.refused({"age": 41, "mean radius": None}) == 'Row 0, column "mean radius": needs a number, got null.'
    tensor = {"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [41, None]}
    answer = client.ask("POST", TENSORS, json={"inputs": [tensor]})
    assert answer.status_code == 400
    assert answer.json()["error"] == 'Row 0, column "mean radius": null, which the Model cannot answer to.'


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "The body is not JSON"),
        (b"{", "The body is not JSON"),
        (b'{"instances":[{"age":NaN}]}', "The body is not JSON"),
        (b'{"instances":[{"age":Infinity}]}', "The body is not JSON"),
        (
            b'{"instances":[{"mean radius":1e999}]}',
            'Row 0, column "mean radius": needs a number, got number out of range',
        ),
        (b"[]", 'The body needs to be an object with "instances"'),
        (b'{"instances":[]}', '"instances" is empty'),
        (b'{"instances":{}}', 'The body needs to be an object with "instances"'),
        (b'{"instances":[],"other":1}', 'The body has a field "other"'),
        (b'{"rows":[]}', 'The body has a field "rows"'),
        (b'{"instances":["a"]}', "Row 0 needs to be like the others"),
        (b"\xff\xfe", "The body is not"),
        (b'{"instances":[{"town":"\xff"}]}', "The body is not UTF-8."),
    ],
)
def test_a_body_that_is_no_table_of_rows_is_refused(client: Client, body: bytes, sentence: str) -> None:
    answer = client.ask("POST", ROWS, content=body)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(sentence)


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ([], 'There is no tensor for the feature "age".'),
        ([{"name": "x", "shape": [1], "datatype": "FP64", "data": [1]}], 'There is a tensor "x"'),
        (
            [{"name": "age", "shape": [1], "datatype": "BYTES", "data": ["1"]}],
            'There is no tensor for the feature "mean',
        ),
        ([{"name": "age", "shape": "1", "datatype": "FP64", "data": [1]}], "The body is no inference request"),
    ],
)
def test_tensors_that_are_not_the_features_are_refused(client: Client, inputs: list[Any], sentence: str) -> None:
    answer = client.ask("POST", TENSORS, json={"inputs": inputs})
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(sentence)


@pytest.mark.parametrize(
    ("tensor", "sentence"),
    [
        ({"shape": [1, 3], "data": [1, 2, 3]}, 'Tensor "x" has 3 columns; the Model has 2 features.'),
        ({"shape": [2, 2], "data": [1, 2, 3]}, 'Tensor "x" has 3 values; its shape [2, 2] needs 4.'),
        ({"shape": [0, 2], "data": []}, 'Tensor "x" has shape [0, 2]; send at least one row.'),
        ({"shape": [-1, 2], "data": []}, 'Tensor "x" has shape [-1, 2]; send at least one row.'),
        ({"shape": [1, 2], "data": ["a", 1]}, 'Tensor "x" of datatype FP64: expected'),
        ({"shape": [1, 2], "data": [1, 2], "datatype": "BYTES"}, 'Tensor "x" has datatype BYTES'),
        ({"shape": [1, 2], "data": [1.5, 2]}, 'Row 0, column "age": needs a whole number, got 1.5.'),
    ],
)
def test_a_matrix_of_the_wrong_shape_or_type_is_refused(tmp_path: Path, tensor: dict[str, Any], sentence: str) -> None:
    client = Client(Application(numbers_only(tmp_path), "churn"))
    answer = client.ask("POST", TENSORS, json={"inputs": [{"name": "x", "datatype": "FP64"} | tensor]})
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(sentence)


def test_another_model_is_not_found_and_the_answer_says_which_there_is(client: Client) -> None:
    answer = client.ask("POST", "/v1/models/other:predict", json={"instances": [ROW]})
    assert answer.status_code == 404
    assert answer.json()["error"] == 'There is no Model "other" here; this server serves "churn".'
    assert client.ask("POST", "/v2/models/other/infer", json={}).status_code == 404
    assert client.ask("GET", "/nothing").status_code == 404


def test_a_wrong_method_is_refused_with_405(client: Client) -> None:
    assert client.ask("GET", ROWS).status_code == 405
    assert client.ask("POST", "/openapi.json").status_code == 405


def test_a_failure_of_ours_is_a_sentence_and_never_a_traceback(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise ZeroDivisionError("a secret of the inside")

    monkeypatch.setattr(client.application._batcher, "_predict", broken)
    answer = client.rows(ROW)
    assert answer.status_code == 500
    assert answer.json() == {"error": "The server failed to answer; its log says why."}


# --- what the server says of itself -----------------------------------------------------------------------------------


def test_the_routes_of_the_open_inference_protocol_are_there(client: Client, model: Any) -> None:
    assert client.ask("GET", "/v2").json()["name"] == "penstock"
    assert client.ask("GET", "/v2/health/live").json() == {"live": True}
    assert client.ask("GET", "/v2/health/ready").json() == {"ready": True}
    assert client.ask("GET", "/v2/models/churn/ready").status_code == 200
    metadata = client.ask("GET", "/v2/models/churn").json()
    assert [entry["datatype"] for entry in metadata["inputs"]] == ["INT64", "FP64", "BOOL", "BYTES", "BYTES", "BYTES"]
    assert metadata["outputs"][1] == {"name": "predict_proba", "datatype": "FP64", "shape": [-1, 2]}
    assert metadata["parameters"]["digest"] == model.digest
    assert client.ask("GET", "/v1/models/churn").json() == {"name": "churn", "ready": True}


def test_a_server_that_drains_is_alive_and_answers_but_is_not_ready(client: Client) -> None:
    client.application.draining = True
    assert client.ask("GET", "/v2/health/ready").status_code == 503
    assert client.ask("GET", "/v2/models/churn/ready").status_code == 503
    assert client.ask("GET", "/v2/health/live").status_code == 200
    assert client.rows(ROW).status_code == 200


def test_the_examples_of_the_openapi_document_are_answered(client: Client, model: Any) -> None:
    document = client.ask("GET", "/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    for path in (ROWS, TENSORS):
        example = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["example"]
        answer = client.ask("POST", path, json=example)
        assert answer.status_code == 200, answer.text
    row = document["components"]["schemas"]["Row"]
    assert row["properties"]["born"] == {"type": ["string", "null"], "format": "date"}
    assert row["properties"]["town"]["examples"] == ["Bonn", "Lyon", "Oslo"]
    assert row["required"] == list(ROW)


def test_the_page_says_what_is_served(client: Client) -> None:
    answer = client.ask("GET", "/")
    assert answer.headers["content-type"].startswith("text/html")
    assert "Predicts <b>left</b>" in answer.text
    assert "/v1/models/churn:predict" in answer.text


def test_metrics_count_requests_by_code_rows_and_time(client: Client) -> None:
    client.rows(ROW, ROW)
    client.rows("wrong")
    text = client.ask("GET", "/metrics").text
    samples = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["penstock_requests_total", (("code", "200"), ("route", "infer"))] == 1
    assert samples["penstock_requests_total", (("code", "400"), ("route", "infer"))] == 1
    assert samples["penstock_rows_total", ()] == 2
    assert samples["penstock_model_runs_total", ()] == 1
    assert samples["penstock_inference_seconds_count", ()] == 2
    assert samples["penstock_inference_seconds_bucket", (("le", "+Inf"),)] == 2
    assert samples["penstock_requests_in_flight", ()] == 1  # the one for the metrics
    [information] = [labels for name, labels in samples if name == "penstock_model_info"]
    assert dict(information)["model"] == "model"


def test_json_has_no_nan_so_a_number_that_is_not_finite_is_null(client: Client) -> None:
    from penstock_jobs.models.answers import ModelPredictions

    answers = client.application._answers
    body = b"".join(answers.rows([ModelPredictions(np.array([np.nan, np.inf]))]))
    assert json.loads(body)["predictions"] == [None, None]
