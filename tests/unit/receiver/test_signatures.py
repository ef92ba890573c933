"""Signatures: over the bytes that came, by one of the keys of that name, and about now where the sender says when."""

import base64
import hashlib
import hmac
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from penstock.decide.events.headers import read_headers
from penstock.decide.events.refusal import RequestRefused
from penstock.decide.events.signatures import WINDOW, Proof, verify_signature
from unit.receiver.receiver_parts import NOW, ReceiverApi, Reply, Site, cloud_event, make_trigger, with_receiver

KEY, OTHER = b"It's a Secret to Everybody", b"another one"
SENDERS = ("GitHub", "GitLab", "Gitea", "StandardWebhooks", "Generic")


def sign(sender: str, body: bytes, key: bytes = KEY, now: datetime = NOW, identity: str = "msg_1") -> dict[str, str]:
    """Return the headers by which that sender signs the body, written here after its own documents."""
    seconds = str(int(now.timestamp()))

    def mac(signed: bytes) -> bytes:
        return hmac.new(key, signed, hashlib.sha256).digest()

    match sender:
        case "GitHub":
            return {"X-Hub-Signature-256": f"sha256={mac(body).hex()}"}
        case "Gitea":
            return {"X-Gitea-Signature": mac(body).hex()}
        case "GitLab":
            return {"X-Gitlab-Token": key.decode()}
        case "StandardWebhooks":
            signed = base64.b64encode(mac(f"{identity}.{seconds}.".encode() + body)).decode()
            return {"webhook-id": identity, "webhook-timestamp": seconds, "webhook-signature": f"v1,{signed}"}
        case _:
            signed = f"sha256={mac(f'{seconds}.'.encode() + body).hex()}"
            return {"X-Penstock-Timestamp": seconds, "X-Penstock-Signature": signed}


def verify(sender: str, headers: dict[str, str], body: bytes, *keys: bytes, now: datetime = NOW) -> Proof:
    return verify_signature(sender, keys or (KEY,), read_headers(headers.items()), body, now)


def refusal(sender: str, headers: dict[str, str], body: bytes, *keys: bytes, now: datetime = NOW) -> str:
    with pytest.raises(RequestRefused) as refused:
        verify(sender, headers, body, *keys, now=now)
    assert refused.value.status == 401
    return str(refused.value)


@pytest.mark.parametrize("sender", SENDERS)
@given(body=some.binary(max_size=100))
def test_the_senders_own_signature_is_taken(sender: str, body: bytes) -> None:
    verify(sender, sign(sender, body), body)


def test_what_github_documents_is_what_we_verify() -> None:
    headers = {"X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}

    verify("GitHub", headers, b"Hello, World!")


def test_what_standard_webhooks_documents_is_what_we_verify() -> None:
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    key = b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    signed_at = datetime.fromtimestamp(1614265330, NOW.tzinfo)
    assert verify("StandardWebhooks", headers, b'{"test": 2432232314}', key, now=signed_at).id == headers["webhook-id"]


@pytest.mark.parametrize("sender", [each for each in SENDERS if each != "GitLab"])
def test_a_signature_over_other_bytes_is_refused(sender: str) -> None:
    headers = sign(sender, b'{"a": 1}')

    assert refusal(sender, headers, b'{"a":1}').startswith("The signature is not that of this body")


@pytest.mark.parametrize("sender", SENDERS)
def test_another_key_is_refused(sender: str) -> None:
    assert refusal(sender, sign(sender, b"{}", OTHER), b"{}").startswith("The signature is not that of this body")


@pytest.mark.parametrize("sender", SENDERS)
def test_while_keys_change_the_old_and_the_new_one_hold(sender: str) -> None:
    for key in (KEY, OTHER):
        verify(sender, sign(sender, b"{}", key), b"{}", KEY, OTHER)


@pytest.mark.parametrize("sender", SENDERS)
def test_no_signature_is_refused_with_the_header_that_is_missing(sender: str) -> None:
    for name in sign(sender, b"{}"):
        headers = sign(sender, b"{}")
        del headers[name]
        assert f"the header {name.lower()} is missing" in refusal(sender, headers, b"{}")


@pytest.mark.parametrize("sender", SENDERS)
@given(said=some.text(some.characters(max_codepoint=126, min_codepoint=33), max_size=80))
def test_whatever_stands_for_a_signature_is_refused(sender: str, said: str) -> None:
    for name in sign(sender, b"{}"):
        if not name.lower().endswith("-id"):
            refusal(sender, sign(sender, b"{}") | {name: said}, b"{}")


@pytest.mark.parametrize("sender", ["StandardWebhooks", "Generic"])
@pytest.mark.parametrize("direction", [1, -1])
def test_what_was_signed_too_long_ago_or_ahead_is_refused(sender: str, direction: int) -> None:
    window = timedelta(seconds=direction * WINDOW)
    verify(sender, sign(sender, b"{}"), b"{}", now=NOW + window)

    beyond = NOW + window + timedelta(seconds=direction)
    assert "is more than 5 minutes from now" in refusal(sender, sign(sender, b"{}"), b"{}", now=beyond)


@pytest.mark.parametrize("sender", ["GitHub", "Gitea", "StandardWebhooks", "Generic"])
def test_the_id_of_the_event_is_something_that_is_signed(sender: str) -> None:
    one, again = verify(sender, sign(sender, b"{}"), b"{}"), verify(sender, sign(sender, b"{}"), b"{}")
    other = verify(sender, sign(sender, b"[]", identity="msg_2"), b"[]")

    assert one == again
    assert one.id is not None
    assert one != other


def test_of_what_a_script_signs_anew_each_night_each_is_an_event() -> None:
    tomorrow = NOW + timedelta(days=1)

    one = verify("Generic", sign("Generic", b"{}"), b"{}")
    assert one != verify("Generic", sign("Generic", b"{}", now=tomorrow), b"{}", now=tomorrow)


# --- over HTTP ---


def signed_site(tmp_path: Path, told: Any, api: ReceiverApi, sender: str = "GitHub") -> Any:
    trigger = make_trigger(event={"signature": {"sender": sender, "key": "git"}})
    return with_receiver(told, trigger, api=api, keys=str(tmp_path))


def test_a_signed_webhook_makes_one_run_however_often_it_is_replayed(tmp_path: Path) -> None:
    (tmp_path / "git").write_bytes(KEY + b"\n")

    async def told(site: Site) -> list[int]:
        body = json.dumps({"after": "4bf5122f"}).encode()
        return [
            (await site.post(body, token=None, headers=sign("GitHub", body) | {"X-GitHub-Delivery": each})).status
            for each in ("a", "b", "c")
        ]

    api = ReceiverApi()
    assert signed_site(tmp_path, told, api) == [202, 202, 202]
    assert len(api.runs()) == 1
    assert api.asked("tokenreviews") == 0


def test_where_a_signature_is_asked_for_a_token_is_not_enough(tmp_path: Path) -> None:
    (tmp_path / "git").write_bytes(KEY)

    async def told(site: Site) -> int:
        return (await site.post()).status

    assert signed_site(tmp_path, told, ReceiverApi()) == 401


def test_where_none_is_asked_for_a_signature_is_not_enough(tmp_path: Path) -> None:
    (tmp_path / "git").write_bytes(KEY)

    async def told(site: Site) -> int:
        return (await site.post(token=None, headers=sign("GitHub", b"{}"))).status

    assert with_receiver(told, keys=str(tmp_path)) == 401


def test_a_key_that_is_changed_is_read_without_a_restart(tmp_path: Path) -> None:
    (tmp_path / "git").write_bytes(KEY)

    async def told(site: Site) -> list[int]:
        async def ask(key: bytes) -> int:
            return (await site.post(token=None, headers=sign("GitHub", b"{}", key))).status

        before = [await ask(OTHER)]
        (tmp_path / "git").write_bytes(OTHER + b"\n\n" + KEY + b"\n")
        during = [await ask(KEY), await ask(OTHER)]
        (tmp_path / "git").write_bytes(OTHER)
        return [*before, *during, await ask(KEY)]

    assert signed_site(tmp_path, told, ReceiverApi()) == [401, 202, 202, 401]


@pytest.mark.parametrize("content", [None, b"", b"\n \n"])
def test_a_key_that_is_not_there_lets_nobody_in(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "git").write_bytes(content)

    async def told(site: Site) -> Reply:
        return await site.post(token=None, headers=sign("GitHub", b"{}", b""))

    found: Reply = signed_site(tmp_path, told, ReceiverApi())
    assert found.status == 503
    assert found.text == "The Trigger's key is not there; put it into the Secret that receiver.keys names."


def test_a_signed_cloud_event_keeps_its_own_id(tmp_path: Path) -> None:
    (tmp_path / "git").write_bytes(KEY)

    async def told(site: Site) -> int:
        body = json.dumps(cloud_event("order-7")).encode()
        return (await site.post(body, "application/cloudevents+json", token=None, headers=sign("Generic", body))).status

    api = ReceiverApi()
    assert signed_site(tmp_path, told, api, "Generic") == 202
    assert api.runs()[0]["spec"]["trigger"]["event"]["id"] == "order-7"
