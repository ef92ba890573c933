"""Where continuous integration asks, the closing lines say what each part of it took."""

import pytest

import how_long


def report(file: str, seconds: float) -> pytest.TestReport:
    return pytest.TestReport(f"tests/{file}::test", ("", 0, ""), {}, "passed", None, "call", duration=seconds)


REPORTS = [report("unit/a/test_a.py", 1), report("cluster/test_b.py", 20), report("cluster/test_c.py", 100)]


def test_each_part_is_told_with_the_checks_and_the_cluster_and_the_longest_files() -> None:
    environment = {how_long.CHECK: "30", how_long.SINCE: "1000"}

    assert how_long.summary(REPORTS, environment, began=1042) == [
        "check: 30 s",
        "set-up of the cluster: 42 s",
        "tests/cluster: 120 s",
        "tests/unit: 1 s",
        "the longest files:",
        "  tests/cluster/test_c.py: 100 s",
        "  tests/cluster/test_b.py: 20 s",
        "  tests/unit/a/test_a.py: 1 s",
    ]


def test_nobody_else_is_told() -> None:
    assert how_long.summary(REPORTS, {}) == []
