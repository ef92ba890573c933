"""The page of the command line: each command with its usage, arguments and options, as `--help` has them."""

import inspect
from collections.abc import Iterator
from typing import Any

import click

from penstock.cli import commands
from penstock.reference.markdown import anchor, code, page, prose, table


def command_line_page() -> str:
    """Return the page of all commands: those of a laptop first, then those that are another on a cluster."""
    settings: dict[str, Any] = {"show_default": True, **commands.context_settings}
    laptop = click.Context(commands, info_name="penstock", **settings)
    cluster = click.Context(commands, info_name="penstock --cluster", **settings)
    cluster.params["cluster"] = True
    of_laptop = list(_commands_below(laptop))
    common = {context.command for context in of_laptop}
    of_cluster = [context for context in _commands_below(cluster) if context.command not in common]
    return page(
        "Command line",
        _help(commands),
        _usage(laptop),
        _options(laptop),
        "Each command takes `--help`. With the package installed, `kubectl penstock …` is `penstock --cluster …`.",
        "\n".join(f"- [{each.command_path}]({anchor(each.command_path)})" for each in (*of_laptop, *of_cluster)),
        "## On a laptop",
        (block for each in of_laptop for block in _section(each)),
        "## On a cluster",
        (block for each in of_cluster for block in _section(each)),
    )


def _commands_below(context: click.Context) -> Iterator[click.Context]:
    """Yield each command beneath a group that is no group itself."""
    group = context.command
    assert isinstance(group, click.Group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        own = click.Context(command, info_name=name, parent=context)
        if isinstance(command, click.Group):
            if command.invoke_without_command:
                yield own
            yield from _commands_below(own)
        else:
            yield own


def _section(context: click.Context) -> Iterator[str]:
    yield f"### {context.command_path}"
    yield _help(context.command)
    yield _usage(context)
    yield _options(context)


def _help(command: click.Command) -> str:
    paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    return "\n\n".join(prose(" ".join(paragraph.split())) for paragraph in paragraphs)


def _usage(context: click.Context) -> str:
    pieces = " ".join(context.command.collect_usage_pieces(context))
    return f"```text\n{context.command_path} {pieces}\n```"


def _options(context: click.Context) -> str:
    """Return the table of the options, and of arguments that say more than the usage does."""
    own = [each for each in context.command.get_params(context) if not {*each.opts} & {*context.help_option_names}]
    records = [record for each in own if (record := each.get_help_record(context)) and record[1]]
    return table(("option", "what it does"), [(code(names), prose(said)) for names, said in records]) if records else ""
