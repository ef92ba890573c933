"""What tests of several files need."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

import how_long
import s3_server as server_of_the_tests
from cluster.loading import list_loads_since
from penstock_jobs.contract.specification import TargetSpec
from s3_server import S3Server
from testcluster import what_was_shown
from testcluster.what_was_shown import pytest_configure
from training_jobs import Tables, make_mixed_frame, make_tables

# Hooks. Here, since the process that prints the closing lines of a run in parallel reads no other conftest.
__all__ = ["pytest_configure", "pytest_terminal_summary"]
# No property is a promise about time: on a busy machine each example takes as long as it takes.
settings.register_profile("penstock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("penstock")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in the closing lines what the cluster lacked, what bringing images to it took, and each part."""
    what_was_shown.pytest_terminal_summary(terminalreporter)
    for said in list_loads_since(how_long.BEGAN):
        terminalreporter.line(said)
    reports = [each for found in terminalreporter.stats.values() for each in found if hasattr(each, "duration")]
    if lines := how_long.summary(reports, os.environ):
        terminalreporter.section("how long it took")
        for line in lines:
            terminalreporter.line(line)


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A real S3 server on the loopback interface, with the buckets `ml-team` and `lake`."""
    if reason := server_of_the_tests.why_no_server():
        pytest.skip(reason)
    with server_of_the_tests.run_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="session")
def mixed_tables(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """Mixed and missing columns, two classes of text."""
    return make_tables(
        tmp_path_factory.mktemp("mixed"),
        make_mixed_frame(),
        target=TargetSpec(column="y", positive="yes"),
        task="Classification",
    )
