"""Progress of a run, for people: bars on a terminal, a line now and then elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from penstock.local.log_lines import LogLine
from penstock.local.watcher import Watcher

QUIET_SECONDS = 5.0  # between two lines of progress of one step, where there is no terminal


class Bars:
    """One bar a step, with what it is at; warnings stay above the bars."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def say(self, message: str) -> None:
        """Print the remark."""
        self._progress.console.print(escape(message))

    def begin_step(self, step: str) -> None:
        """Begin a bar, or a line."""
        self._tasks[step] = self._progress.add_task(step, total=None, at="")

    def line(self, step: str, line: LogLine) -> None:
        """Show what the line says."""
        if line.level in ("WARNING", "ERROR"):
            self._progress.console.print(f"[yellow]{step}[/]: {escape(line.message)}")
        elif line.is_progress:
            self._progress.update(self._tasks[step], completed=line.done, total=line.total, at=escape(_at(line)))
        elif line.level == "INFO":
            self._progress.update(self._tasks[step], at=escape(_short(line.message)))

    def end_step(self, step: str, outcome: str) -> None:
        """Show how the step ended."""
        task = self._tasks.pop(step, None)
        if task is not None:
            self._progress.update(task, total=1, completed=1, at=escape(_short(outcome)))
            self._progress.stop_task(task)


class Lines:
    """A line when a step begins and ends, a line for what it says, and progress every few seconds."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._told = float("-inf")

    def say(self, message: str) -> None:
        """Print the remark."""
        self._console.print(escape(message))

    def begin_step(self, step: str) -> None:
        """Begin a bar, or a line."""
        self._told = float("-inf")
        self._console.print(f"{step} begins")

    def line(self, step: str, line: LogLine) -> None:
        """Show what the line says."""
        if line.is_progress:
            last = line.total is not None and line.done == line.total
            if not last and self._clock() - self._told < QUIET_SECONDS:
                return
            self._told = self._clock()
            self._console.print(f"{step}: {escape(_at(line))}")
        elif line.level in ("INFO", "WARNING", "ERROR"):
            self._console.print(f"{step}: {escape(line.message)}")

    def end_step(self, step: str, outcome: str) -> None:
        """Show how the step ended."""
        self._console.print(f"{step}: {escape(outcome)}")


@contextmanager
def watching(console: Console) -> Iterator[Watcher]:
    """Yield who tells the run's progress on that console while the block runs."""
    if not console.is_terminal or console.quiet:
        yield Lines(console)
        return
    columns = (
        SpinnerColumn(finished_text=" "),
        TextColumn("{task.description:<10}"),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
        TextColumn("{task.fields[at]}"),
    )
    with Progress(*columns, console=console) as progress:
        yield Bars(progress)


def _at(line: LogLine) -> str:
    counted = f"{line.done:,}" if line.total is None else f"{line.done:,} of {line.total:,}"
    told_already = (not line.done and line.total is None) or line.message.startswith(f"{line.done} ")
    return _short(line.message if told_already else f"{counted} {line.message}")


def _short(text: str) -> str:
    first = text.splitlines()[0] if text else ""
    return first if len(first) <= 100 else f"{first[:99]}…"
