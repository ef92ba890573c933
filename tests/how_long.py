"""How long each part of a run of all tests took, told before its closing line where `.ci/run` asks for it."""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

import pytest

BEGAN = time.time()
CHECK = "PENSTOCK_CHECK_SECONDS"  # variables of .ci/run: what the checks took,
SINCE = "PENSTOCK_TESTS_SINCE"  # and when the tests were asked for: until they begin, their cluster is set up
LONGEST = 10


def summary(reports: Iterable[pytest.TestReport], environment: Mapping[str, str], began: float = BEGAN) -> list[str]:
    """Return the lines; none where nobody asked. What tests took is summed over all who ran them at the same time."""
    if SINCE not in environment:
        return []
    parts: defaultdict[str, float] = defaultdict(float)
    files: defaultdict[str, float] = defaultdict(float)
    for report in reports:
        file = report.nodeid.partition("::")[0]
        files[file] += report.duration
        parts["/".join(file.split("/")[:2])] += report.duration
    longest = sorted(files.items(), key=lambda each: -each[1])[:LONGEST]
    return [*_lines(environment, began, parts), *(f"  {_line(*each)}" for each in longest)]


def _lines(environment: Mapping[str, str], began: float, parts: Mapping[str, float]) -> Iterator[str]:
    yield _line("check", float(environment.get(CHECK, 0)))
    yield _line("set-up of the cluster", began - float(environment[SINCE]))
    yield from (_line(part, parts[part]) for part in sorted(parts))
    yield "the longest files:"


def _line(what: str, seconds: float) -> str:
    return f"{what}: {seconds:.0f} s"
