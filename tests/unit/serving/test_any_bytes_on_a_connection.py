"""Whatever bytes come on a connection, and however they are cut: whole answers, and a server that goes on."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import model_making as making
from unit.serving.attacked_server import INFER, PREDICT, Answer, AttackedServer, post
from unit.serving.test_inference_requests import ROW
from unit.serving.test_server_process import serving, specified

REFUSALS = {400, 404, 405, 408, 413, 415, 417, 429, 431, 501, 503, 505}
ROWS = {"instances": [ROW]}
LINES = st.sampled_from(
    [
        b"GET /v2/health/live HTTP/1.1\r\n",
        b"GET /metrics HTTP/1.0\r\n",
        b"HEAD / HTTP/1.1\r\n",
        f"POST {PREDICT} HTTP/1.1\r\n".encode(),
        f"POST {INFER} HTTP/1.1\r\n".encode(),
        b"OPTIONS * HTTP/1.1\r\n",
        b"CONNECT a:1 HTTP/1.1\r\n",
        b"GET http://a/v2 HTTP/1.1\r\n",
        b"GET %2f%00%ff?a=b HTTP/1.1\r\n",
    ]
)
HEADERS = st.sampled_from(
    [
        b"host: x\r\n",
        b"host: y\r\n",
        b"connection: close\r\n",
        b"connection: keep-alive\r\n",
        b"connection: upgrade\r\nupgrade: h2c\r\n",
        b"content-length: 0\r\n",
        b"content-length: 5\r\n",
        b"content-length: +5\r\n",
        b"transfer-encoding: chunked\r\n",
        b"transfer-encoding: identity\r\n",
        b"transfer-encoding:\r\n chunked\r\n",
        b"expect: 100-continue\r\n",
        b"content-encoding: br\r\n",
        b"x: \xff\xfe\r\n",
        b"x\x00y: z\r\n",
        b": z\r\n",
    ]
)
BODIES = st.sampled_from([b"", b"hello", b"5\r\nhello\r\n0\r\n\r\n", b"0\r\n\r\n", b"ffffffffffffffff\r\n", b"-1\r\n"])
REQUESTS = st.builds(
    lambda line, headers, body: line + b"".join(headers) + b"\r\n" + body, LINES, st.lists(HEADERS, max_size=5), BODIES
)
WELL = post(PREDICT, ROWS).replace(b"connection: close\r\n", b"")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AttackedServer]:
    folder = tmp_path_factory.mktemp("fuzzed")
    with serving(specified(folder, making.save(folder, making.fit_model()))) as (process, url):
        server = AttackedServer(process.pid, url)
        with server.bounded():
            yield server
        assert process.poll() is None


def cut(content: bytes, places: list[int]) -> list[bytes]:
    """Return the content cut at these places."""
    ends = sorted(place % (len(content) + 1) for place in places)
    return [content[start:end] for start, end in zip([0, *ends], [*ends, len(content)], strict=True)]


def require_whole(found: list[Answer]) -> None:
    for answer in found:
        assert answer.status in {200} | REFUSALS
        if answer.status != 200 and answer.body:
            assert answer.sentence


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=3))
def test_any_bytes_get_whole_answers(server: AttackedServer, content: bytes, places: list[int]) -> None:
    require_whole(server.say_all(*cut(content, places)))


def check_any_requests(server: AttackedServer, requests: list[bytes], places: list[int]) -> None:
    with server.connect() as client:
        for part in cut(b"".join(requests), places):
            try:
                client.sendall(part)
            except OSError:
                break
        found = bytearray()
        try:
            client.shutdown(1)
            while part := client.recv(1 << 20):
                found += part
        except OSError:
            pass
    # An answer to HEAD has no body, so that here only what the first lines say can be looked at.
    statuses = [int(line[9:12]) for line in bytes(found).split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]
    assert set(statuses) <= {100, 200} | REFUSALS
    assert b"Traceback" not in found


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(REQUESTS, min_size=1, max_size=4), st.lists(st.integers(0, 2000), max_size=6))
def test_any_requests_are_answered_or_refused(server: AttackedServer, requests: list[bytes], places: list[int]) -> None:
    check_any_requests(server, requests, places)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=20_000)
@given(
    st.lists(REQUESTS | st.binary(max_size=300), min_size=1, max_size=20), st.lists(st.integers(0, 5000), max_size=20)
)
def test_very_many_requests_are_answered_or_refused(
    server: AttackedServer, requests: list[bytes], places: list[int]
) -> None:
    check_any_requests(server, requests, places)


@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=50)
@given(st.integers(1, 15), st.lists(st.integers(0, 6000), max_size=8))
def test_however_requests_are_cut_each_gets_its_answer(server: AttackedServer, count: int, places: list[int]) -> None:
    found = server.say_all(*cut(WELL * count, places))
    assert [answer.status for answer in found] == [200] * count
    assert len({json.loads(answer.body)["predictions"][0] for answer in found}) == 1


@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=50)
@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=8), st.binary(min_size=1, max_size=8))
def test_a_request_with_bytes_changed_is_answered_or_refused(
    server: AttackedServer, places: list[int], values: bytes
) -> None:
    changed = bytearray(post(PREDICT, ROWS))
    for place, value in zip(places, values, strict=False):
        changed[place % len(changed)] = value
    check_any_requests(server, [bytes(changed)], [])
