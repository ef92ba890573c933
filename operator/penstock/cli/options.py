"""What every command understands: `--home`, `--output`, `--quiet`."""

import functools
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import click
from rich.console import Console

from penstock.local.home import Home, find_home

Output = Literal["table", "json", "yaml"]


@dataclass(frozen=True)
class Settings:
    """The home to work in, and how to speak: results on standard output, everything else on standard error."""

    home: Home
    output: Output = "table"
    quiet: bool = False

    @property
    def results(self) -> Console:
        """Where results go; as wide as they need when it is not a terminal, so that nothing is cut for a program."""
        return Console(file=sys.stdout, width=None if sys.stdout.isatty() else 200, highlight=False, soft_wrap=False)

    @property
    def notes(self) -> Console:
        """Where progress and remarks go."""
        return Console(file=sys.stderr, quiet=self.quiet, highlight=False, soft_wrap=not sys.stderr.isatty())


def with_settings(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give the command the three options, and a `Settings` made of them as its first argument."""

    @click.option("--home", type=click.Path(path_type=Path), help="The folder that holds runs, Models and storage.")
    @click.option(
        "-o", "--output", type=click.Choice(["table", "json", "yaml"]), default="table", help="How results are written."
    )
    @click.option("-q", "--quiet", is_flag=True, help="No progress and no remarks; results and mistakes only.")
    @functools.wraps(command)
    def wrapped(*, home: Path | None, output: str, quiet: bool, **options: Any) -> Any:
        return command(Settings(find_home(home, os.environ), cast(Output, output), quiet), **options)

    return wrapped
