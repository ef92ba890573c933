"""Who may do what with the buckets of the tests: read for one, read and write for the other, and nothing beside."""

import json
from typing import Any

from testcluster.s3 import Account, policy

READER, WRITER = Account("reader", "secret"), Account("writer", "secret")


def allowed(account: Account) -> set[tuple[str, str]]:
    statements: list[dict[str, Any]] = json.loads(policy("lake", READER, WRITER))["Statement"]
    assert all(each["Effect"] == "Allow" for each in statements)
    return {
        (each["Action"], each["Resource"]) for each in statements if each["Principal"]["AWS"] == [account.access_key]
    }


def test_the_reader_reads_and_lists_and_no_more() -> None:
    assert allowed(READER) == {
        ("s3:GetObject", "arn:aws:s3:::lake/*"),
        ("s3:ListBucket", "arn:aws:s3:::lake"),
        ("s3:GetBucketLocation", "arn:aws:s3:::lake"),
    }


def test_the_writer_may_do_all_that_the_reader_may() -> None:
    assert allowed(READER) < allowed(WRITER)


def test_nobody_may_change_the_policy_or_the_bucket() -> None:
    actions = {action for account in (READER, WRITER) for action, _ in allowed(account)}
    assert not [each for each in actions if "Policy" in each or each in ("s3:DeleteBucket", "s3:CreateBucket", "s3:*")]


def test_a_secret_has_the_keys_that_a_pipeline_reads() -> None:
    secret = WRITER.secret("storage", "there")
    assert secret["metadata"] == {"name": "storage", "namespace": "there"}
    assert secret["stringData"] == {"accessKeyId": "writer", "secretAccessKey": "secret"}
