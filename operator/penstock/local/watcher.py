"""Who is told how a run goes; the command line draws it, a notebook may ignore it."""

from typing import Protocol

from penstock.local.log_lines import LogLine


class Watcher(Protocol):
    """Who is told how a run goes."""

    def say(self, message: str) -> None:
        """Hear a remark about the run itself."""

    def begin_step(self, step: str) -> None:
        """Hear that the step begins."""

    def line(self, step: str, line: LogLine) -> None:
        """Hear a line of the step's log."""

    def end_step(self, step: str, outcome: str) -> None:
        """Hear how the step ended, in a few words."""
