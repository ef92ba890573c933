"""`penstock completion SHELL`: what makes the shell complete commands, options and names."""

import click
from click.shell_completion import get_completion_class

from penstock.cli import commands


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of a shell.

    For bash: penstock completion bash > ~/.local/share/bash-completion/completions/penstock
    """
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(commands, {}, "penstock", "_PENSTOCK_COMPLETE").source())
