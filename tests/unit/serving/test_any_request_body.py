"""Whatever the body, the answer is 200 or 400 with a sentence: never 500, never a hang, never a traceback."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import model_making as making
from penstock_jobs.serving.application import Application
from penstock_jobs.serving.warming import ask_application
from unit.serving.test_inference_requests import ROW, ROWS, TENSORS, numbers_only

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
LIKELY = st.one_of(
    SCALARS, st.sampled_from(["2022-01-01", "2022-01-01T00:00:00Z", "Lyon", 10**400, -(2**63), 2**64, 1e308, -0.0])
)
ROW_LIKE = st.fixed_dictionaries(dict.fromkeys(ROW, LIKELY)) | st.dictionaries(st.sampled_from([*ROW, "x"]), VALUES)
LOOP = asyncio.Runner()
TENSOR_LIKE = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from([*ROW, "x"]),
        "shape": st.lists(st.integers(-2, 7), max_size=3) | VALUES,
        "datatype": st.sampled_from(["FP64", "FP32", "INT64", "UINT8", "BOOL", "BYTES", "X"]) | st.text(max_size=3),
        "data": st.lists(LIKELY, max_size=7) | st.lists(st.lists(LIKELY, max_size=3), max_size=3) | VALUES,
        "parameters": VALUES,
    },
)


@pytest.fixture(scope="module")
def applications(tmp_path_factory: pytest.TempPathFactory) -> list[Application]:
    mixed = making.save_and_load(tmp_path_factory.mktemp("mixed"), making.fit_model())
    return [Application(mixed, "churn"), Application(numbers_only(tmp_path_factory.mktemp("numbers")), "churn")]


def answered(applications: list[Application], path: str, body: bytes) -> None:
    for application in applications:
        status, answer = LOOP.run(ask_application(application, path, body))
        assert status in (200, 400), answer
        decoded = json.loads(answer)
        if status == 400:
            assert decoded.keys() == {"error"}
            assert decoded["error"].endswith("."), decoded
            assert "Traceback" not in decoded["error"]


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_answered(applications: list[Application], body: bytes) -> None:
    answered(applications, ROWS, body)
    answered(applications, TENSORS, body)


@settings(deadline=None)
@given(VALUES | st.fixed_dictionaries({"instances": VALUES}))
def test_any_json_is_answered(applications: list[Application], body: Any) -> None:
    answered(applications, ROWS, json.dumps(body).encode())
    answered(applications, TENSORS, json.dumps(body).encode())


@settings(max_examples=300, deadline=None)
@given(st.lists(ROW_LIKE | st.lists(LIKELY, max_size=7), min_size=1, max_size=4))
def test_rows_of_any_values_are_answered(applications: list[Application], rows: list[Any]) -> None:
    answered(applications, ROWS, json.dumps({"instances": rows}).encode())


@pytest.mark.parametrize("application", [0, 1], ids=["mixed columns", "numbers only"])
def test_a_number_that_no_double_holds_is_refused(applications: list[Application], application: int) -> None:
    body = json.dumps({"instances": [ROW | {"age": 10**400}]}).encode()
    if application == 1:
        body = json.dumps({"instances": [{"age": 10**400, "mean radius": 1.0}]}).encode()
    status, answer = LOOP.run(ask_application(applications[application], ROWS, body))
    assert status == 400
    assert b"larger than a double can hold" in answer


@settings(max_examples=300, deadline=None)
@given(st.lists(TENSOR_LIKE, max_size=7))
def test_tensors_of_any_shape_and_type_are_answered(applications: list[Application], inputs: list[Any]) -> None:
    answered(applications, TENSORS, json.dumps({"inputs": inputs}).encode())


@pytest.mark.parametrize("text", ["\x00", "\ud800", "␀", "a" * 100_000, "é\u0301", "\U0001f600"])
def test_any_string_is_a_category(applications: list[Application], text: str) -> None:
    answered(applications[:1], ROWS, json.dumps({"instances": [ROW | {"town": text}]}).encode())


@pytest.mark.parametrize("depth", [10, 1000, 200_000])
def test_any_depth_is_answered(applications: list[Application], depth: int) -> None:
    for start in (b"", b'{"instances":', b'{"parameters":', b'{"inputs":[{"data":'):
        answered(applications, ROWS, start + b"[" * depth)
        answered(applications, TENSORS, start + b"[" * depth + b"]" * depth)


def test_the_helper_that_asks_is_the_servers_own(applications: list[Application], tmp_path: Path) -> None:
    status, answer = LOOP.run(ask_application(applications[0], ROWS, json.dumps({"instances": [ROW]}).encode()))
    assert status == 200
    assert json.loads(answer)["predictions"][0] in ("yes", "no")
