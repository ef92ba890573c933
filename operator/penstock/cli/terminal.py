"""The one way from here to a terminal, for lines and for what rich lays out: no control character passes."""

import sys
from collections.abc import Iterable
from typing import IO, Any

import click
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.terminal_text import escape_controls


def echo(text: object, *, err: bool = False, nl: bool = True, file: IO[Any] | None = None) -> None:
    """Write a line, as `click.echo` does."""
    click.echo(escape_controls(str(text)), err=err, nl=nl, file=file)


def confirm(question: str) -> None:
    """Ask the person who sits there, and go on only after a yes.

    Raises:
        Refused: nobody sits there.
        Abort: the answer is no.
    """
    if not sys.stdin.isatty():
        raise Refused(f"{question} There is no terminal to answer on; add --yes.")
    click.confirm(question, abort=True)


class TerminalConsole(Console):
    """A console of rich, which by itself passes on whatever a text holds."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield what is to be written; rich's own commands to the terminal are no text, and stay."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=escape_controls(segment.text))
