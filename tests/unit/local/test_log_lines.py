"""What a line of a job's log says, in either format."""

import io
import logging
import sys

import pytest

from penstock.local.log_lines import LogLine, parse_any
from penstock_jobs.logs import LogFormat, log, report_progress, set_up


def said(monkeypatch: pytest.MonkeyPatch, kind: LogFormat, message: str, count: tuple[int, int] | None) -> LogLine:
    """Return what is read of what a job says so."""
    stream, earlier = io.StringIO(), logging.root.handlers[:]
    monkeypatch.setattr(sys, "stderr", stream)
    try:
        set_up("INFO", kind)
        if count is None:
            log.warning(message)
        else:
            report_progress(*count, message)
    finally:
        logging.root.handlers[:] = earlier
    return parse_any(stream.getvalue().encode())


@pytest.mark.parametrize("kind", ["json", "text"])
def test_progress_and_warnings_are_told_apart_in_both_formats(monkeypatch: pytest.MonkeyPatch, kind: LogFormat) -> None:
    at = said(monkeypatch, kind, "12 of 40 candidates, best 0.9", (12, 40))
    warned = said(monkeypatch, kind, "One candidate failed.", None)

    assert (at.level, at.done, at.total, at.message) == ("INFO", 12, 40, "12 of 40 candidates, best 0.9")
    assert (warned.level, warned.done, warned.message) == ("WARNING", None, "One candidate failed.")
    assert all(each.time and each.time[:2] == "20" for each in (at, warned))


def test_what_a_library_prints_is_its_own_message() -> None:
    assert parse_any(b"Downloading 3 of 4 parts\n") == LogLine("Downloading 3 of 4 parts")
