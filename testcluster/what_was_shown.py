"""What a run of the tests could not show on its cluster, told in the closing lines: never passed over in silence.

A test that needs what not every cluster has is marked `@pytest.mark.needs("gpu")`, with names of `features.FEATURES`,
and skipped where the cluster lacks it. A test that can show a part without it asks `lacking("gpu")` for the reason,
shows that the object is accepted, and says so with `accepted_only("what", reason)`.

A fixture that outlives a test is there before the test's mark is looked at: it asks `lacking` itself, and skips.

The hooks are for the conftest.py at the top, the fixtures for that of the tests on the cluster.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache

import pytest

from testcluster import features
from testcluster.addons.target import AddonTarget

ACCEPTED_ONLY = "object accepted only"
Lacks = Callable[[str], str | None]
AcceptedOnly = Callable[[str, str], None]


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark of tests that need what not every cluster has."""
    config.addinivalue_line("markers", "needs(*features): what the cluster must have, by its names in features.py")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in the closing lines what was not shown."""
    lines = summary(terminalreporter.getreports("passed"), terminalreporter.getreports("skipped"))
    if lines:
        terminalreporter.section("not shown on this cluster")
        for line in lines:
            terminalreporter.line(line)


@pytest.fixture(scope="session")
def lacking(cluster: AddonTarget) -> Lacks:
    """Return why the cluster lacks a feature, or None; what an addon can bring is installed. Asked once for each."""

    @lru_cache
    def reason(name: str) -> str | None:
        return features.why_not(cluster, name)

    return reason


@pytest.fixture
def accepted_only(request: pytest.FixtureRequest) -> AcceptedOnly:
    """Note that the test showed only that the API server accepts an object, and why no more."""

    def note(what: str, why: str) -> None:
        request.node.user_properties.append((ACCEPTED_ONLY, f"{what}: {why}"))

    return note


@pytest.fixture(autouse=True)
def _has_what_it_needs(request: pytest.FixtureRequest) -> None:
    names = [name for marker in request.node.iter_markers("needs") for name in marker.args]
    if not names:
        return
    lacks: Lacks = request.getfixturevalue("lacking")
    for name in names:
        if reason := lacks(name):
            pytest.skip(reason)


def summary(passed: Iterable[pytest.TestReport], skipped: Iterable[pytest.TestReport]) -> list[str]:
    """Return the closing lines: each thing once, with why, and how many tests it is about."""
    notes = [str(value) for report in passed for key, value in report.user_properties if key == ACCEPTED_ONLY]
    accepted = [f"{ACCEPTED_ONLY}: {note}" for note in dict.fromkeys(notes)]
    reasons = [_reason(report) for report in skipped if _is_of_the_cluster(report)]
    return accepted + [f"skipped ({reasons.count(reason)}): {reason}" for reason in dict.fromkeys(reasons)]


def _is_of_the_cluster(report: pytest.TestReport) -> bool:
    return "tests/cluster/" in report.nodeid and isinstance(report.longrepr, tuple)


def _reason(report: pytest.TestReport) -> str:
    assert isinstance(report.longrepr, tuple)
    return str(report.longrepr[2]).removeprefix("Skipped: ")
