"""What tests of several parts need."""

from collections.abc import Iterator

import pytest

import s3_server as server_of_the_tests
from s3_server import S3Server


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A real S3 server on the loopback interface, with the buckets `ml-team` and `lake`."""
    if reason := server_of_the_tests.missing():
        pytest.skip(reason)
    with server_of_the_tests.running(tmp_path_factory.mktemp("s3")) as server:
        yield server
