"""The command line: `penstock`. One file a group of commands; each is imported when it is asked for."""

import errno
import os
import select
import signal
import sys
import traceback
from contextlib import suppress
from importlib import import_module

import click
from click.shell_completion import ShellComplete

from penstock import version
from penstock.cli.cluster import COMMANDS
from penstock.cli.cluster.options import access_options
from penstock.cli.terminal import echo
from penstock.local.process import Stopped
from penstock_jobs.contract.errors import BUG, REFUSED, SUCCEEDED, JobError, Refused

READER_GONE = 141  # 128 + SIGPIPE, as a shell says it
_STOPPED = {128 + number for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)}
# What a machine refuses whoever works on it: a disk that is full, a folder that is somebody else's. No bug of ours.
_OF_THE_MACHINE = {
    getattr(errno, name)
    for name in (
        *("EACCES", "EPERM", "EROFS", "ENOSPC", "EDQUOT", "EFBIG", "EIO", "EMFILE", "ENFILE", "ENAMETOOLONG"),
        *("ELOOP", "ENOTDIR", "EISDIR", "ENOLCK", "EOPNOTSUPP", "ESTALE", "ENOMEM"),
    )
    if hasattr(errno, name)
}

_LAPTOP = {
    "run": "run",
    "rerun": "rerun",
    "validate": "validate",
    "explain": "explain",
    "pipelines": "pipelines",
    "runs": "runs",
    "describe": "runs",
    "compare": "compare",
    "logs": "runs",
    "report": "runs",
    "models": "models",
    "triggers": "triggers",
    "predict": "models",
    "deploy": "models",
    "serve": "serve",
    "trigger": "trigger",
    "watch": "watch",
    "datasets": "datasets",
    "wait": "cluster.wait",
    "completion": "completion",
}
_CLUSTER = {name: f"cluster.{module}" for name, module in COMMANDS.items()} | {
    name: _LAPTOP[name] for name in ("validate", "explain", "completion")
}
_WHICH = ("namespace", "context", "kubeconfig")


class _Commands(click.Group):
    def list_commands(self, context: click.Context) -> list[str]:
        return list(_CLUSTER if context.params.get("cluster") else _LAPTOP)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        on_cluster = bool(context.params.get("cluster"))
        there, elsewhere = (_CLUSTER, _LAPTOP) if on_cluster else (_LAPTOP, _CLUSTER)
        if name in elsewhere and name not in there and not context.resilient_parsing:
            way = "leave --cluster out" if on_cluster else f"say penstock --cluster {name}"
            raise Refused(f"{name} is for {'a laptop' if on_cluster else 'a cluster'} only; {way}.")
        if name not in there:
            return None
        command = getattr(import_module(f"penstock.cli.{there[name]}"), name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--cluster", is_flag=True, is_eager=True, help="Speak to a cluster, with your kubeconfig; not to the home."
)
@access_options
@click.version_option(version(), prog_name="penstock", message="%(prog)s %(version)s")
def commands(*, cluster: bool, **which: str | None) -> None:
    """From tables to a tested model behind an API, from one manifest.

    Commands work in a folder of this machine; with --cluster they speak to a cluster, and wait always does.

    The exit code is 0 when all went well, 2 with a sentence when something must be mended first, 1 for a bug in
    Penstock, and 130 after Ctrl-C.
    """
    named = [name for name in _WHICH if which[name] is not None]
    context = click.get_current_context()
    if named and not cluster and context.invoked_subcommand != "wait":
        raise click.UsageError(f"--{named[0]} says which cluster is meant; add --cluster", context)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit as it ended."""
    code = _run(arguments, "penstock")
    _let_go_of_streams()
    if arguments is None and code in _STOPPED:
        _leave_at_once(code)
    sys.exit(code)


def plugin() -> None:
    """Be `kubectl penstock …`: the command line that speaks to a cluster."""
    code = _run(["--cluster", *sys.argv[1:]], "kubectl penstock")
    _let_go_of_streams()
    sys.exit(code)


def plugin_completion() -> None:
    """Complete `kubectl penstock …`, as kubectl asks its plugins to: a word a line, and a directive at the end."""
    *words, typed = sys.argv[1:] or [""]
    found = ShellComplete(commands, {}, "penstock", "_PENSTOCK_COMPLETE").get_completions(["--cluster", *words], typed)
    files = any(each.type in ("file", "dir") for each in found)
    for each in found:
        if each.type == "plain":
            click.echo(f"{each.value}\t{each.help}" if each.help else each.value)
    click.echo(":0" if files else ":4")  # 4: there is nothing but these words, so no names of files


def _run(arguments: list[str] | None, program: str) -> int:
    _open_closed_streams()
    try:
        code = commands.main(arguments, prog_name=program, standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else SUCCEEDED
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.ClickException as error:
        return _print_error(_usage(error))
    except Stopped as stopped:
        return 128 + stopped.number
    except (KeyboardInterrupt, click.Abort):
        return 130
    except BrokenPipeError:
        return READER_GONE
    except SystemExit as exit_:  # how click, and rich, end where whoever read our output has gone
        if isinstance(exit_.__context__, BrokenPipeError) or _is_reader_gone():
            return READER_GONE
        raise
    except JobError as error:
        _print_error(str(error))
        return BUG if error.exit_code == BUG else REFUSED
    except Exception as error:  # the boundary: what comes here is a bug, or what the machine refuses
        return _end_of_the_unforeseen(error)


def _leave_at_once(code: int) -> None:
    """End without taking the interpreter apart: with the modules of scikit-learn that is a second of a busy machine."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _open_closed_streams() -> None:
    """Have somewhere to write to where the shell closed an output, as with `>&-`: it is not wanted, and no mistake."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - for the life of the process
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115


def _is_reader_gone() -> bool:
    asked = select.poll()
    for number in (1, 2):
        asked.register(number, 0)
    return any(event & select.POLLERR for _, event in asked.poll(0))


def _let_go_of_streams() -> None:
    """Write what is left, or nothing where nobody reads: Python would complain at its exit, with a code of its own."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _end_of_the_unforeseen(error: Exception) -> int:
    if isinstance(error, OSError) and error.errno in _OF_THE_MACHINE:
        file = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else None
        return _print_error(f"{file or 'A file'} cannot be used: {error.strerror}.")
    echo(traceback.format_exc(), err=True, nl=False)
    _print_error("This is a bug in Penstock; please report it with the lines above.")
    return BUG


def _print_error(sentence: str) -> int:
    echo(f"penstock: {sentence}", err=True)
    return Refused.exit_code


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _usage(error: click.ClickException) -> str:
    if isinstance(error, click.NoSuchOption) and error.option_name == "--cluster":
        return "--cluster stands before the command, as in penstock --cluster runs."
    return f"{_sentence(error.format_message())}{_help(error)}"


def _help(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f" See {context.command_path} --help." if context is not None else ""
