"""Credentials come from a mounted Secret or from named environment variables, and what is wrong with them is said."""

from pathlib import Path

import pytest

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import Credentials
from penstock_jobs.storage.credentials import read_keys
from s3_server import write_secret


def test_a_secret_is_one_file_for_each_name(tmp_path: Path) -> None:
    keys = read_keys(Credentials(folder=str(write_secret(tmp_path / "secret", "me", "hush", "token"))))
    assert keys is not None
    assert (keys.access_key_id, keys.secret_access_key, keys.session_token) == ("me", "hush", "token")


def test_a_session_token_need_not_be_there(tmp_path: Path) -> None:
    keys = read_keys(Credentials(folder=str(write_secret(tmp_path / "secret", "me", "hush"))))
    assert keys is not None
    assert keys.session_token is None


def test_the_keys_of_a_secret_may_have_other_names(tmp_path: Path) -> None:
    (tmp_path / "AWS_ACCESS_KEY_ID").write_text("me")
    (tmp_path / "AWS_SECRET_ACCESS_KEY").write_text("hush")
    names = {"accessKeyId": "AWS_ACCESS_KEY_ID", "secretAccessKey": "AWS_SECRET_ACCESS_KEY"}
    keys = read_keys(Credentials(folder=str(tmp_path), keys=names))
    assert keys is not None
    assert (keys.access_key_id, keys.secret_access_key) == ("me", "hush")


def test_a_secret_without_the_key_says_which_it_has(tmp_path: Path) -> None:
    (tmp_path / "AWS_ACCESS_KEY_ID").write_text("me")
    with pytest.raises(Refused, match=r"have no accessKeyId \(it has AWS_ACCESS_KEY_ID\); add it, or name with `keys`"):
        read_keys(Credentials(folder=str(tmp_path)))


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="there is no such folder"):
        read_keys(Credentials(folder=str(tmp_path / "absent")))


def test_an_empty_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"secretAccessKey of the credentials in .* is empty"):
        read_keys(Credentials(folder=str(write_secret(tmp_path, "me", " "))))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    write_secret(tmp_path, "me", "hush")
    (tmp_path / "secretAccessKey").unlink()
    (tmp_path / "secretAccessKey").mkdir()
    with pytest.raises(Refused, match=r"secretAccessKey cannot be read: Is a directory\."):
        read_keys(Credentials(folder=str(tmp_path)))


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    write_secret(tmp_path, "me", "hush")
    (tmp_path / "accessKeyId").write_bytes(b"\xff\xfe")
    with pytest.raises(Refused, match="accessKeyId is not text"):
        read_keys(Credentials(folder=str(tmp_path)))


def test_environment_variables_stand_for_a_secret_on_a_laptop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHURN_ID", "me")
    monkeypatch.setenv("CHURN_SECRET", "hush")
    keys = read_keys(Credentials(environment={"accessKeyId": "CHURN_ID", "secretAccessKey": "CHURN_SECRET"}))
    assert keys is not None
    assert (keys.access_key_id, keys.secret_access_key, keys.session_token) == ("me", "hush", None)


def test_an_environment_variable_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHURN_ID", raising=False)
    with pytest.raises(Refused, match="environment variable CHURN_ID, which should hold the accessKeyId, is not set"):
        read_keys(Credentials(environment={"accessKeyId": "CHURN_ID", "secretAccessKey": "CHURN_SECRET"}))


def test_none_named_are_none() -> None:
    assert read_keys(Credentials()) is None


def test_no_credential_is_ever_printed(tmp_path: Path) -> None:
    keys = read_keys(Credentials(folder=str(write_secret(tmp_path, "the id", "the secret", "the token"))))
    assert "the " not in repr(keys).replace("the credentials in", "")
