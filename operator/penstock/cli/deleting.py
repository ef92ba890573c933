"""What `delete` is like for runs, Models and Pipelines, on a laptop and on a cluster: it is told, asked, and done."""

from collections.abc import Callable, Sequence
from typing import Any

import click

from penstock.cli.options import Speaking
from penstock.cli.output import show
from penstock.cli.terminal import confirm, echo
from penstock.decide.commands.delete import Deletion


def delete_options(complete: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return what gives a command the names, completed in that way, and `--yes`."""

    def wrap(command: Callable[..., Any]) -> Callable[..., Any]:
        names = click.argument("names", metavar="NAME…", nargs=-1, required=True, shell_complete=complete)
        return names(click.option("--yes", is_flag=True, help="Do not ask.")(command))

    return wrap


def confirm_deletions(settings: Speaking, deletions: Sequence[Deletion], *, yes: bool) -> None:
    """Tell what goes and what stays, and ask whether it may; what a program reads is told when it is done."""
    for each in deletions:
        for line in _lines(each):
            echo(line, err=settings.output != "table")
    if not yes:
        confirm("Delete?")


def show_deletions(settings: Speaking, deletions: Sequence[Deletion], left: Sequence[str] = ()) -> None:
    """Say that it is done, and what is yet to be."""
    if settings.output != "table":
        show(settings, deletions)
    else:
        for each in deletions:
            echo(f"{each.kind} {each.name} is deleted.")
    for sentence in left:
        settings.notes.print(sentence, markup=False)


def _lines(deletion: Deletion) -> list[str]:
    goes, stays = (deletion.goes or ("nothing else",)), deletion.stays
    lines = [*(("goes along", each) for each in goes), *(("stays", each) for each in stays)]
    return [f"{deletion.kind} {deletion.name}", *(f"  {word + ':':<12}{text}" for word, text in lines)]
