"""What every command understands: `--output`, `--quiet`; and on a laptop `--home`."""

import functools
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import click
from rich.console import Console

from penstock.cli.terminal import TerminalConsole
from penstock.local.home import Home, find_home

Output = Literal["table", "json", "yaml"]


@dataclass(frozen=True, kw_only=True)
class Speaking:
    """How to speak: results on standard output, everything else on standard error."""

    output: Output = "table"
    quiet: bool = False

    @property
    def results(self) -> Console:
        """Where results go; as wide as they need when it is not a terminal, so that nothing is cut for a program."""
        return TerminalConsole(
            file=sys.stdout, width=None if sys.stdout.isatty() else 200, highlight=False, soft_wrap=False
        )

    @property
    def notes(self) -> Console:
        """Where progress and remarks go."""
        return TerminalConsole(file=sys.stderr, quiet=self.quiet, highlight=False, soft_wrap=not sys.stderr.isatty())


@dataclass(frozen=True, kw_only=True)
class LaptopSettings(Speaking):
    """The home to work in, and how to speak."""

    home: Home


def speaking_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give the command `--output` and `--quiet`."""
    quiet = click.option("-q", "--quiet", is_flag=True, help="No progress and no remarks; results and mistakes only.")
    output = click.option(
        "-o", "--output", type=click.Choice(["table", "json", "yaml"]), default="table", help="How results are written."
    )
    return output(quiet(command))


def with_settings(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give the command `--home`, `--output` and `--quiet`, and a `Settings` made of them as its first argument."""

    @click.option("--home", type=click.Path(path_type=Path), help="The folder that holds runs, Models and storage.")
    @speaking_options
    @functools.wraps(command)
    def wrapper(*, home: Path | None, output: str, quiet: bool, **options: Any) -> Any:
        settings = LaptopSettings(home=find_home(home, os.environ), output=cast(Output, output), quiet=quiet)
        return command(settings, **options)

    return wrapper
