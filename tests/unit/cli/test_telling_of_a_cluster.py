"""What is told of a run of a cluster, whose steps and logs come by two ways: in the order that a person expects."""

import io

import pytest
from rich.console import Console

from penstock.cli.progress import Bars, Lines, watching
from penstock.decide.commands.progress import ProgressUpdate
from penstock.local.telling import Teller


def told(*events: ProgressUpdate | tuple[str, bytes]) -> list[str]:
    written = io.StringIO()
    teller = Teller(Lines(Console(file=written, width=200)))
    for each in events:
        teller.tell(each) if isinstance(each, ProgressUpdate) else teller.line(*each)
    return written.getvalue().splitlines()


LINE = b"2026-11-21 12:00:00,000 INFO 1 of 4 candidates"
STARTED, ENDED = ProgressUpdate("started", "", "training"), ProgressUpdate("ended", "4 candidates", "training")


def test_a_line_that_comes_before_its_step_begins_it() -> None:
    assert told(("training", LINE), STARTED, ENDED) == [
        "training begins",
        "training: 1 of 4 candidates",
        "training: 4 candidates",
    ]


def test_a_line_that_comes_after_the_end_of_its_step_is_left_out() -> None:
    assert told(STARTED, ENDED, ("training", LINE)) == ["training begins", "training: 4 candidates"]


def test_a_job_that_is_no_step_is_told_of_only_where_it_warns() -> None:
    warned = b'{"level": "WARNING", "message": "The branch has moved.", "time": "2026-11-21T12:00:00Z"}'

    assert told(("source", LINE), ("source", warned)) == ["source: The branch has moved."]


@pytest.mark.parametrize("terminal", [True, False])
def test_it_is_told_on_a_terminal_and_elsewhere(terminal: bool) -> None:
    written = io.StringIO()
    with watching(Console(file=written, width=120, force_terminal=terminal)) as watcher:
        assert isinstance(watcher, Bars if terminal else Lines)
        teller = Teller(watcher)
        for each in (STARTED, ProgressUpdate("said", "No node takes its pod."), ENDED):
            teller.tell(each)
        teller.line("training", LINE)

    assert "No node takes its pod." in written.getvalue()
    assert "4 candidates" in written.getvalue()
