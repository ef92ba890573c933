"""The server as a process, over a real loopback socket."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import httpx
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

import model_making as making
import penstock_jobs
from penstock_jobs.contract import document, errors
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import Location, ServerSpec
from penstock_jobs.models import files
from penstock_jobs.serving.limits import ServerLimits, read_limits
from penstock_jobs.serving.processors import count_processors
from unit.serving.test_inference_requests import ROW

ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(penstock_jobs.__file__).parents[1])}


def specified(folder: Path, reference: Any, **changes: Any) -> Path:
    path = folder / "serve.json"
    options: dict[str, Any] = {"name": "churn", "port": 0, "manifest_digest": reference.digest} | changes
    path.write_bytes(document.encode(ServerSpec(location=Location(uri=reference.uri), **options)))
    return path


def command(path: Path) -> list[str]:
    return [sys.executable, "-m", "penstock_jobs.serving", str(path)]


@contextmanager
def serving(path: Path, **variables: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    environment = ENVIRONMENT | variables
    process = subprocess.Popen(
        command(path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Serving churn at http://127.0.0.1:"), process.stderr and process.stderr.read()
        yield process, line.split()[-1]
    finally:
        process.kill()
        process.wait()


def refused(path: Path) -> tuple[int, str]:
    done = subprocess.run(command(path), capture_output=True, text=True, env=ENVIRONMENT, timeout=60, check=False)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


def wait_until_refused(host: str, port: int) -> None:
    """Return once the server takes no connection any more."""
    while True:
        try:
            socket.create_connection((host, port)).close()
        except ConnectionError:
            return


def test_it_says_in_one_line_when_it_is_ready_and_ends_well_when_told_to(tmp_path: Path) -> None:
    with serving(specified(tmp_path, making.save(tmp_path, making.fit_model()))) as (process, url):
        assert httpx.get(f"{url}/v2/health/ready").json() == {"ready": True}
        answer = httpx.post(f"{url}/v1/models/churn:predict", json={"instances": [ROW]})
        assert answer.json()["predictions"][0] in ("yes", "no")
        assert "penstock_rows_total 1.0\n" in httpx.get(f"{url}/metrics").text  # warming counts as nobody's request
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == errors.SUCCEEDED


def test_a_model_that_is_served_by_skops_answers_too(tmp_path: Path) -> None:
    reference = making.save(tmp_path, making.fit_model(LinearDiscriminantAnalysis()))
    with serving(specified(tmp_path, reference)) as (_, url):
        answer = httpx.post(f"{url}/v1/models/churn:predict", json={"instances": [ROW, ROW]}, timeout=30)
        assert len(answer.json()["predictions"]) == 2


def test_requests_at_the_same_time_each_get_their_own_answer(tmp_path: Path) -> None:
    with serving(specified(tmp_path, making.save(tmp_path, making.fit_model()))) as (_, url):
        path = f"{url}/v1/models/churn:predict"
        rows = [ROW | {"age": age} for age in range(18, 78)]
        with httpx.Client() as client:
            alone = [client.post(path, json={"instances": [row]}).json()["probabilities"][0][1] for row in rows]
        found: dict[int, list[float]] = {}

        def ask(number: int) -> None:
            with httpx.Client() as client:
                order = rows[number:] + rows[:number]
                answers = [client.post(path, json={"instances": [row]}).json() for row in order]
                found[number] = [answer["probabilities"][0][1] for answer in answers]

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(0, 60, 10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for number, answers in found.items():
            assert answers == pytest.approx(alone[number:] + alone[:number], rel=1e-12)


def test_a_request_under_way_is_answered_before_the_server_ends(tmp_path: Path) -> None:
    with serving(specified(tmp_path, making.save(tmp_path, making.fit_model()))) as (process, url):
        body = json.dumps({"instances": [ROW]}).encode()
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as connection:
            head = f"POST /v1/models/churn:predict HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body[:10])
            assert httpx.get(f"{url}/v2/health/live").status_code == 200  # by now the server has read the first half
            process.send_signal(signal.SIGTERM)
            wait_until_refused(host, int(port))
            connection.sendall(body[10:])
            answer = connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 200")
        assert process.wait(timeout=20) == errors.SUCCEEDED


def test_a_port_that_is_taken_may_be_free_later(tmp_path: Path) -> None:
    reference = making.save(tmp_path, making.fit_model())
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, log = refused(specified(tmp_path, reference, port=taken.getsockname()[1]))
    assert code == errors.UNAVAILABLE
    assert "cannot be served on: Address already in use." in log


def test_a_model_with_another_digest_is_not_served(tmp_path: Path) -> None:
    reference = making.save(tmp_path, making.fit_model())
    code, log = refused(specified(tmp_path, reference, manifest_digest="sha256:00"))
    assert code == errors.REFUSED
    assert "was changed" in log


def test_a_model_that_answers_otherwise_than_recorded_is_not_served(tmp_path: Path) -> None:
    reference = making.save(tmp_path, making.fit_model())
    path = tmp_path / "model" / files.MANIFEST
    manifest = json.loads(path.read_text())
    manifest["samples"][0]["probabilities"] = [0.123, 0.877]
    path.write_text(json.dumps(manifest))
    code, log = refused(specified(tmp_path, reference, manifest_digest=None))
    assert code == errors.REFUSED
    assert "this runtime computes otherwise, so it does not serve" in log


def test_a_specification_that_is_not_there_is_refused(tmp_path: Path) -> None:
    code, log = refused(tmp_path / "nothing.json")
    assert code == errors.REFUSED
    assert "nothing.json cannot be read" in log


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("PENSTOCK_SERVER_BODY_BYTES", "lots", "PENSTOCK_SERVER_BODY_BYTES is 'lots'; give a whole number from 1 to "),
        ("PENSTOCK_SERVER_CONNECTIONS", "0", "PENSTOCK_SERVER_CONNECTIONS is '0'; give a whole number from 1 to "),
        ("PENSTOCK_SERVER_BODY_SIZE", "1", "PENSTOCK_SERVER_BODY_SIZE sets no limit of a server; it can be "),
    ],
)
def test_a_limit_that_is_none_is_refused(variable: str, value: str, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        read_limits({"PATH": "/bin", variable: value})


def test_each_limit_may_be_set_by_its_name() -> None:
    names = [field.name for field in fields(ServerLimits)]
    environment = {f"PENSTOCK_SERVER_{name.upper()}": str(number) for number, name in enumerate(names, 1)}
    assert asdict(read_limits(environment)) == dict(zip(names, range(1, 100), strict=False))
    assert read_limits({}) == ServerLimits()


@pytest.mark.parametrize(("content", "expected"), [("150000 100000", 2), ("50000 100000", 1), ("max 100000", None)])
def test_threads_follow_the_limit_of_the_container(tmp_path: Path, content: str, expected: int | None) -> None:
    (tmp_path / "cpu.max").write_text(content)
    available = len(os.sched_getaffinity(0))
    assert count_processors(tmp_path) == min(available, expected or available)
