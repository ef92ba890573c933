"""Whatever is sent to a server, it answers with a sentence, stays small, and goes on answering everybody else."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import model_making as making
from unit.serving.attacked_server import (
    INFER,
    PREDICT,
    AttackedServer,
    answers,
    is_answered,
    post,
    read_to_end,
    send,
)
from unit.serving.test_inference_requests import ROW
from unit.serving.test_server_process import serving, specified

HEALTH = b"GET /v2/health/live HTTP/1.1\r\nhost: x\r\n\r\n"
LAST = HEALTH.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")
HASTY = {"HEADER_SECONDS": "1", "BODY_SECONDS": "1", "ANSWER_SECONDS": "1", "CONNECTIONS": "8", "BODY_BYTES": "3000000"}
HASTY |= {"HELD_BYTES": "4000000"}
TENSORS: list[dict[str, Any]] = [
    {"name": "age", "shape": [1], "datatype": "INT64", "data": [41]},
    {"name": "mean radius", "shape": [1], "datatype": "FP64", "data": [13.5]},
    {"name": "member", "shape": [1], "datatype": "BOOL", "data": [True]},
    {"name": "town", "shape": [1], "datatype": "BYTES", "data": ["Lyon"]},
    {"name": "joined", "shape": [1], "datatype": "BYTES", "data": ["2022-09-16T04:30:16"]},
    {"name": "born", "shape": [1], "datatype": "BYTES", "data": ["1980-05-17"]},
]

# A fraction in a whole number has each value looked at: the slowest that there is, and for nothing.
SLOW_ROWS = [list((ROW | {"age": 41.0}).values())] * 60_000 + [list((ROW | {"age": 0.5}).values())]
SLOW = post(PREDICT, {"instances": SLOW_ROWS})


@pytest.fixture(scope="module")
def specification(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("attacked")
    return specified(folder, making.save(folder, making.fit_model()))


@pytest.fixture(scope="module")
def server(specification: Path) -> Iterator[AttackedServer]:
    """A server with the usual limits."""
    with serving(specification) as (process, url):
        yield AttackedServer(process.pid, url)
        assert process.poll() is None


@pytest.fixture(scope="module")
def hasty(specification: Path) -> Iterator[AttackedServer]:
    """A server that waits for nobody longer than a second, and has few connections."""
    with serving(specification, **{f"PENSTOCK_SERVER_{name}": value for name, value in HASTY.items()}) as (
        process,
        url,
    ):
        yield AttackedServer(process.pid, url)
        assert process.poll() is None


def tensors(rows: int) -> list[dict[str, Any]]:
    return [tensor | {"shape": [rows], "data": tensor["data"] * rows} for tensor in TENSORS]


# --- what is no request -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_bytes", "status", "words"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400, "no header host"),
        (b"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", 400, "two headers host"),
        (b"GET / HTTP/1.1\r\nhost: a b/c\r\n\r\n", 400, "names no host"),
        (b"GET / HTTP/2.0\r\nhost: a\r\n\r\n", 505, "use HTTP/1.1"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "no request of HTTP/1.1"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "no request of HTTP/1.1"),
        (b"GET / HTTP/1.1\r\nhost: a\r\n b: c\r\n\r\n", 400, "no request of HTTP/1.1"),
        (b"GET / HTTP/1.1\r\nhost : a\r\n\r\n", 400, "no request of HTTP/1.1"),
        (b"GET / HTTP/1.1\r\nhost: a\r\nx: \x00\r\n\r\n", 400, "no request of HTTP/1.1"),
        (post(PREDICT, b"", "content-length: 5") + b"hello", 400, "no request of HTTP/1.1"),
        (post(PREDICT, b"", "transfer-encoding: chunked") + b"0\r\n\r\n", 400, "no request of HTTP/1.1"),
        (b"POST %b HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked\r\n\r\n", 501, "no transfer-encoding"),
        (b"POST %b HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, gzip\r\n\r\n", 400, "no request of HTTP/1.1"),
        (b"POST %b HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400, "send content-length"),
        (b"POST %b HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n", 400, "no request of HTTP/1.1"),
        (b"POST %b HTTP/1.1\r\nhost: a\r\ncontent-length: 1e3\r\n\r\n", 400, "no request of HTTP/1.1"),
        (b"POST %b HTTP/1.1\r\nhost: a\r\ncontent-length: 9999999999999999999999\r\n\r\n", 400, "no request of HTTP"),
        (b"POST %b HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n", 400, "no request of HTTP/1.1"),
        (post(PREDICT, b"{}", "content-encoding: gzip"), 415, "no compressed body"),
        (post(PREDICT, b"{}", "expect: a miracle"), 417, "100-continue"),
        (b"POST %b HTTP/1.1\r\nhost: a\r\ncontent-length: 9000000\r\n\r\n", 413, "larger than 8388608 bytes"),
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nhost: a\r\n\r\n", 431, "larger than 16384 bytes"),
        (b"GET / HTTP/1.1\r\nhost: a\r\nx: " + b"a" * 20_000 + b"\r\n\r\n", 431, "larger than 16384 bytes"),
        (b"GET / HTTP/1.1\r\nhost: a\r\n" + b"a: b\r\n" * 100 + b"\r\n", 431, "more than 100 headers"),
        (b"POST /nothing HTTP/1.1\r\nhost: a\r\ncontent-length: 900000\r\n\r\n", 404, "nothing at /nothing"),
        (b"CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n\r\n", 404, "nothing at a:1"),
    ],
)
def test_what_is_no_request_is_refused_in_a_sentence_and_its_connection_closed(
    server: AttackedServer, request_bytes: bytes, status: int, words: str
) -> None:
    found = server.say(request_bytes.replace(b"%b", PREDICT.encode()) + LAST)
    assert [answer.status for answer in found] == [status]
    assert words in found[0].sentence[0].lower() + found[0].sentence[1:]
    assert found[0].headers["connection"] == "close"


def test_a_request_of_http_1_0_needs_no_host(server: AttackedServer) -> None:
    [answer] = server.say(b"GET /v2/health/ready HTTP/1.0\r\n\r\n")
    assert answer.status == 200


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [
        (PREDICT, "GET", "POST"),
        (INFER, "DELETE", "POST"),
        ("/v2/health/live", "POST", "GET, HEAD"),
        ("/v2/health/ready", "PUT", "GET, HEAD"),
        ("/v2/models/churn/ready", "POST", "GET, HEAD"),
        ("/metrics", "POST", "GET, HEAD"),
        ("/openapi.json", "OPTIONS", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_told_which_are_right(server: AttackedServer, path: str, method: str, allowed: str) -> None:
    [answer] = server.say(f"{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
    assert (answer.status, answer.headers["allow"]) == (405, allowed)
    assert answer.sentence == f"{path} takes {allowed.replace(', ', ' and ')}, not {method}."


def test_a_head_has_the_headers_of_a_get_and_no_body(server: AttackedServer) -> None:
    with server.connect() as client:
        client.sendall(LAST.replace(b"GET", b"HEAD"))
        head, body = read_to_end(client).split(b"\r\n\r\n")
    assert b"content-length: 13" in head
    assert body == b""


# --- clients of all kinds ---------------------------------------------------------------------------------------------


def test_requests_that_are_sent_without_waiting_are_answered_in_their_order(server: AttackedServer) -> None:
    rows = post(PREDICT, {"instances": [ROW]}).replace(b"connection: close\r\n", b"")
    found = server.say(rows + HEALTH + rows, LAST)
    assert [answer.status for answer in found] == [200, 200, 200, 200]
    assert [b"predictions" in answer.body for answer in found] == [True, False, True, False]


def test_more_of_them_than_can_wait_are_refused_after_those_before(server: AttackedServer) -> None:
    rows = post(PREDICT, {"instances": [ROW]}).replace(b"connection: close\r\n", b"")
    *found, last = server.say(rows * 10_000)
    assert {answer.status for answer in found} == {200}
    assert last.status == 429
    assert last.sentence.startswith("Too many requests")


@pytest.mark.parametrize("headers", [(), ("connection: keep-alive",)])
def test_a_client_that_has_said_all_is_answered(server: AttackedServer, headers: tuple[str, ...]) -> None:
    request = post(PREDICT, {"instances": [ROW]}, *headers).replace(b"connection: close\r\n", b"")
    [answer] = server.say_all(request)
    assert answer.status == 200


@pytest.mark.parametrize("length", [10, 120])
def test_a_client_that_stops_in_the_middle_is_told(server: AttackedServer, length: int) -> None:
    [answer] = server.say_all(post(PREDICT, {"instances": [ROW]})[:length])
    assert answer.status == 400
    assert answer.sentence == "The client stopped in the middle of its request; send all of it."


def test_a_client_that_says_nothing_is_answered_nothing(server: AttackedServer) -> None:
    assert server.say_all(b"") == []
    assert server.say_all(b"\r\n\r\n") == []


def test_a_client_that_expects_a_word_before_its_body_gets_it(server: AttackedServer) -> None:
    head, _, body = post(PREDICT, {"instances": [ROW]}, "expect: 100-continue").partition(b"\r\n\r\n")
    with server.connect() as client:
        client.sendall(head + b"\r\n\r\n")
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(body)
        [answer] = answers(read_to_end(client))
    assert answer.status == 200


def test_a_client_that_would_rather_speak_http_2_is_answered_in_http_1(server: AttackedServer) -> None:
    request = post(PREDICT, {"instances": [ROW]}, "upgrade: h2c", "http2-settings: AAMAAABkAAQAAP__")
    request = request.replace(b"connection: close", b"connection: upgrade, http2-settings")
    for parts in ([request + request, LAST], [request[:-20], request[-20:] + LAST]):
        found = server.say(*parts)
        assert {answer.status for answer in found} == {200}
        assert len(found) == len(b"".join(parts).split(b"HTTP/1.1\r\n")) - 1


def test_a_body_in_chunks_is_read_whatever_stands_behind_it(server: AttackedServer) -> None:
    body = json.dumps({"instances": [ROW]}).encode()
    chunks = b"".join(b"%x;a=b\r\n%b\r\n" % (len(part), part) for part in (body[:7], body[7:8], body[8:]))
    head = f"POST {PREDICT} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n".encode()
    found = server.say(head + chunks + b"0\r\nx: y\r\n\r\n", LAST)
    assert [answer.status for answer in found] == [200, 200]


# --- more than a server can hold --------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", [b"a: b\r\n" * 5000, b"a" * 30_000], ids=["headers", "a header"])
def test_headers_without_an_end_are_refused(server: AttackedServer, part: bytes) -> None:
    with server.bounded():
        [answer] = server.say(b"GET / HTTP/1.1\r\nhost: x\r\nx: ", *[part] * 1000)
        assert answer.status == 431


@pytest.mark.parametrize(
    "part",
    [b"8000\r\n" + b" " * 0x8000 + b"\r\n", b"1\r\n \r\n" * 5000, b"1;" + b"a" * 30_000],
    ids=["large", "small", "extension"],
)
def test_a_body_without_an_end_is_refused(server: AttackedServer, part: bytes) -> None:
    with server.bounded():
        head = f"POST {PREDICT} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n".encode()
        [answer] = server.say(head, *[part] * 1000)
        assert (answer.status, answer.headers["connection"]) == (413, "close")


def test_what_stands_behind_a_body_is_bounded_too(server: AttackedServer) -> None:
    with server.bounded():
        head = f"POST {PREDICT} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: ".encode()
        [answer] = server.say(head, *[b"a" * 30_000] * 1000)
        assert answer.status in (413, 431)


def test_an_output_is_answered_once(server: AttackedServer) -> None:
    with server.bounded():
        outputs = [{"name": "predict_proba"}] * 40_000
        [answer] = server.say(post(INFER, {"inputs": tensors(1000), "outputs": outputs}))
        assert answer.status == 400
        assert answer.sentence == 'The output "predict_proba" is asked for twice; name each once.'


def test_parameters_are_not_built(server: AttackedServer) -> None:
    body = json.dumps({"instances": [ROW]})[:-1].encode() + b', "parameters": {"a": [' + b"[]," * 30_000 + b"[]]}}"
    [answer] = server.say(post(PREDICT, body))
    assert answer.status == 200
    for wrong in (b"3", b'"a"', b"[]", b"tru"):
        body = b'{"parameters": %b, "instances": [%b]}' % (wrong, json.dumps(ROW).encode())
        [answer] = server.say(post(PREDICT, body))
        assert answer.status == 400
        assert answer.sentence


@pytest.mark.parametrize(
    "body",
    [
        b'{"instances": [' + b"[]," * 2_500_000 + b"[]]}",
        b'{"instances": [[' + b"1," * 4_000_000 + b"1]]}",
        b'{"instances": [], "parameters": {"a": [' + b"[]," * 2_500_000 + b"[]]}}",
        b'{"inputs": [' + b'{"a":0},' * 1_000_000 + b"0]}",
    ],
    ids=["rows", "values", "parameters", "tensors"],
)
def test_more_values_than_can_be_held_are_refused_before_they_are_read(server: AttackedServer, body: bytes) -> None:
    with server.bounded():
        [answer] = server.say(post(INFER if b"inputs" in body else PREDICT, body))
        assert answer.status == 413
        assert "more than 500000 commas and opening brackets" in answer.sentence


@pytest.mark.parametrize(
    "text", ["\U0001f600" + "a" * 8_000_000, "," * 400_000, '\\"' * 1_000_000], ids=["wide", "commas", "escapes"]
)
@pytest.mark.parametrize("where", ["value", "column", "tensor", "id", "output"])
def test_a_text_that_fills_a_body_fits(server: AttackedServer, text: str, where: str) -> None:
    bodies: dict[str, Any] = {
        "value": {"instances": [ROW | {"town": text}]},
        "column": {"instances": [ROW | {text: 1}]},
        "tensor": {"inputs": [TENSORS[0] | {"name": text}]},
        "id": {"inputs": TENSORS, "id": text},
        "output": {"inputs": TENSORS, "outputs": [{"name": text}]},
    }
    with server.bounded():
        [answer] = server.say(post(PREDICT if where in ("value", "column") else INFER, bodies[where]))
        assert answer.status == (200 if where in ("value", "id") else 400)
        assert answer.status == 200 or answer.sentence


@pytest.mark.parametrize("depth", [1000, 1_000_000])
@pytest.mark.parametrize("start", ['{"instances":', '{"parameters":', '{"inputs":[{"data":', '{"instances":[{"age":'])
def test_any_depth_is_refused(server: AttackedServer, depth: int, start: str) -> None:
    with server.bounded():
        for path in (PREDICT, INFER):
            [answer] = server.say(post(path, start.encode() + b"[" * depth + b"]" * depth))
            assert answer.status in (400, 413)
            assert answer.sentence


@pytest.mark.parametrize("value", [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"9" * 100_000])
def test_numbers_that_are_none_are_refused(server: AttackedServer, value: bytes) -> None:
    body = json.dumps({"instances": [ROW | {"mean radius": 0.25}]}).encode().replace(b"0.25", value)
    [answer] = server.say(post(PREDICT, body))
    assert answer.status == 400
    assert answer.sentence


def test_an_answer_that_would_be_too_large_is_refused_with_how_many_rows_fit(specification: Path) -> None:
    with serving(specification, PENSTOCK_SERVER_ANSWER_BYTES="2000") as (process, url):
        small = AttackedServer(process.pid, url)
        [answer] = small.say(post(PREDICT, {"instances": [ROW] * 100}))
        assert answer.status == 413
        most = int(answer.sentence.removesuffix(" at once.").rpartition(" ")[2])
        for rows, status in ((most, 200), (most + 1, 413)):
            [answer] = small.say(post(PREDICT, {"instances": [ROW] * rows}))
            assert answer.status == status
            [answer] = small.say(post(INFER, {"inputs": tensors(rows)}))
            assert (answer.status, len(answer.body) <= 2000) == (status, True)


def test_as_many_rows_as_fit_get_the_answers_that_each_gets_alone(server: AttackedServer) -> None:
    rows = [ROW | {"age": 20 + number % 50, "mean radius": number / 1000} for number in range(10_000)]
    with server.bounded():
        [answer] = server.say(post(PREDICT, {"instances": [list(row.values()) for row in rows]}))
    whole = json.loads(answer.body)
    assert len(whole["predictions"]) == len(whole["probabilities"]) == len(rows)
    for number in (0, 4095, 4096, 9_999):
        [answer] = server.say(post(PREDICT, {"instances": [rows[number]]}))
        alone = json.loads(answer.body)
        assert alone["predictions"] == [whole["predictions"][number]]
        assert alone["probabilities"][0] == pytest.approx(whole["probabilities"][number])


def test_tensors_of_many_rows_are_answered_as_rows_are(server: AttackedServer) -> None:
    count = 9000
    [answer] = server.say(post(INFER, {"inputs": tensors(count), "id": "7"}))
    body = json.loads(answer.body)
    labels, probabilities = body["outputs"]
    assert (labels["shape"], probabilities["shape"]) == ([count], [count, 2])
    assert (len(labels["data"]), len(probabilities["data"])) == (count, 2 * count)
    assert body["id"] == "7"


def test_health_is_answered_while_a_large_body_is_read(server: AttackedServer) -> None:
    with server.bounded(), server.connect() as slow:
        slow.sendall(SLOW)
        meanwhile = 0
        while not is_answered(slow):
            assert server.is_healthy()
            meanwhile += 1
        [answer] = answers(read_to_end(slow))
    assert answer.sentence.startswith('Row 60000, column "age": ')
    assert meanwhile > 1


def test_health_is_answered_while_all_requests_are_that_there_may_be(specification: Path) -> None:
    with serving(specification, PENSTOCK_SERVER_CONNECTIONS="4") as (process, url):
        server = AttackedServer(process.pid, url)
        clients = [server.connect() for _ in range(3)]
        for client in clients:
            client.sendall(SLOW)
        statuses = []
        while not all(map(is_answered, clients)):
            assert server.is_healthy()
            [answer] = server.say(post(PREDICT, {"instances": [ROW]}))
            statuses.append((answer.status, answer.headers.get("retry-after")))
        assert set(statuses) <= {(200, None), (503, "1")}
        assert (503, "1") in statuses
        for client in clients:
            client.close()


def test_many_large_bodies_at_once_are_answered_or_told_to_come_again(server: AttackedServer) -> None:
    body = b'{"instances": [["' + b" " * 7_000_000 + b'"]]}'
    with server.bounded():
        clients = [server.connect() for _ in range(12)]
        for client in clients:
            send(client, post(PREDICT, body)[:-1])
        for client in clients:
            send(client, b"}")
        found = [answer for client in clients for answer in answers(read_to_end(client))]
        for client in clients:
            client.close()
    assert {answer.status for answer in found} <= {400, 503}
    assert sum(answer.status == 400 for answer in found) >= 3
    assert all(answer.headers["retry-after"] == "1" for answer in found if answer.status == 503)
    assert all(answer.sentence for answer in found)


# --- clients that take their time -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("begun", "words"),
    [
        (b"GET / HTTP/1.1\r\nhost: x\r\na: b", "The line and headers of the request took longer than 1 seconds"),
        (post(PREDICT, {"instances": [ROW]})[:-5], "The body took longer than 1 seconds"),
    ],
    ids=["header", "body"],
)
def test_what_takes_too_long_to_arrive_is_refused(hasty: AttackedServer, begun: bytes, words: str) -> None:
    [answer] = hasty.say(begun)
    assert (answer.status, answer.headers["connection"]) == (408, "close")
    assert answer.sentence.startswith(words)


def test_drops_do_not_make_a_request_last_longer(hasty: AttackedServer) -> None:
    with hasty.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nhost: x\r\nx: ")
        client.settimeout(0.02)
        found = b""
        while not found:
            send(client, b"a")
            try:
                found = client.recv(1 << 16)
            except TimeoutError:
                continue
    assert found.startswith(b"HTTP/1.1 408 ")


def test_more_connections_than_there_may_be_take_places_from_those_that_waited_longest(hasty: AttackedServer) -> None:
    clients = [hasty.connect() for _ in range(40)]
    try:
        assert hasty.is_healthy()
        assert [client.recv(1) for client in clients[:30]] == [b""] * 30
        send(clients[-1], LAST)
        [answer] = answers(read_to_end(clients[-1]))
        assert answer.status == 200
    finally:
        for client in clients:
            client.close()


def test_whoever_loses_a_place_in_the_middle_of_a_request_reads_why(hasty: AttackedServer) -> None:
    with hasty.connect() as slow:
        slow.sendall(b"GET / HTTP/1.1\r\n")
        assert hasty.is_healthy()
        others = [hasty.connect() for _ in range(16)]
        [answer] = answers(read_to_end(slow))
        for other in others:
            other.close()
    assert answer.status in (503, 408)
    assert answer.sentence


def test_a_client_that_does_not_read_its_answer_loses_it(hasty: AttackedServer) -> None:
    rows = [list(ROW.values())] * 20_000
    before = hasty.open_files()
    with hasty.bounded(), hasty.connect(receive_bytes=4096) as client:
        client.sendall(post(PREDICT, {"instances": rows}))
        client.recv(1)
        while hasty.open_files() > before:
            assert hasty.is_healthy()


def test_a_body_that_comes_by_drops_makes_room_for_others(hasty: AttackedServer) -> None:
    request = post(PREDICT, b'{"instances": [["' + b" " * 2_500_000 + b'"]]}')
    with hasty.connect() as slow, hasty.connect() as quick:
        slow.sendall(request[:-1])
        quick.sendall(request)
        [answer] = answers(read_to_end(quick))
        assert answer.status == 400
        [answer] = answers(read_to_end(slow))
        assert answer.status in (503, 408)


def test_what_is_refused_is_counted(server: AttackedServer) -> None:
    def count() -> float:
        [page] = server.say(LAST.replace(b"/v2/health/live", b"/metrics"))
        lines = page.body.decode().splitlines()
        return sum(
            float(line.rpartition(" ")[2]) for line in lines if line.startswith('penstock_requests_total{code="431"')
        )

    before = count()
    server.say(b"GET / HTTP/1.1\r\nhost: a\r\n" + b"a: b\r\n" * 100 + b"\r\n")
    assert count() == before + 1
