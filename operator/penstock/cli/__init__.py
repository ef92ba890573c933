"""The command line: `penstock`. One file a group of commands; each is imported when it is asked for."""

import errno
import sys
import traceback
from importlib import import_module

import click

from penstock import version
from penstock.local.process import Stopped
from penstock_jobs.errors import BUG, REFUSED, SUCCEEDED, JobError, Refused

READER_GONE = 141  # 128 + SIGPIPE, as a shell says it

_COMMANDS = {
    "run": "run",
    "validate": "validate",
    "pipelines": "pipelines",
    "runs": "runs",
    "describe": "runs",
    "logs": "runs",
    "report": "runs",
    "models": "models",
    "predict": "models",
    "deploy": "models",
    "serve": "serve",
    "datasets": "datasets",
    "completion": "completion",
}


class _Commands(click.Group):
    def list_commands(self, _context: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        command = getattr(import_module(f"penstock.cli.{_COMMANDS[name]}"), name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version(), prog_name="penstock", message="%(prog)s %(version)s")
def commands() -> None:
    """From tables to a tested model behind an API, from one manifest.

    The exit code is 0 when all went well, 2 with a sentence when something must be mended first, 1 for a bug in
    Penstock, and 130 after Ctrl-C.
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit as it ended."""
    sys.exit(_run(arguments))


def _run(arguments: list[str] | None) -> int:
    try:
        code = commands.main(arguments, prog_name="penstock", standalone_mode=False)
        return code if isinstance(code, int) else SUCCEEDED
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.ClickException as error:
        return _said(f"{_sentence(error.format_message())}{_help(error)}")
    except Stopped as stopped:
        return 128 + stopped.number
    except (KeyboardInterrupt, click.Abort):
        return 130
    except BrokenPipeError:
        return _reader_gone()
    except SystemExit as exit_:  # how click ends where whoever read our output has gone
        if isinstance(exit_.__context__, OSError) and exit_.__context__.errno == errno.EPIPE:
            return _reader_gone()
        raise
    except JobError as error:
        _said(str(error))
        return BUG if error.exit_code == BUG else REFUSED
    except Exception:  # the boundary: what comes here is a bug
        traceback.print_exc()
        _said("This is a bug in Penstock; please report it with the lines above.")
        return BUG


def _reader_gone() -> int:
    sys.stderr.close()  # Python would complain again at exit
    return READER_GONE


def _said(sentence: str) -> int:
    click.echo(f"penstock: {sentence}", err=True)
    return Refused.exit_code


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _help(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f" See {context.command_path} --help." if context is not None else ""
