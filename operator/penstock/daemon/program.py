"""What the programs of processes that stay have in common: their options, who they are, and how a mistake ends them."""

import argparse
import asyncio
import os
import socket
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Protocol, TypeVar

from penstock.daemon import logs
from penstock.daemon.settings import Logs
from penstock_jobs.contract.errors import Refused


class Settings(Protocol):
    """The settings of such a process, of whichever it is."""

    @property
    def logs(self) -> Logs:
        """What the process itself logs."""
        ...


SettingsType = TypeVar("SettingsType", bound=Settings)


def run_program(
    parser: argparse.ArgumentParser,
    arguments: list[str] | None,
    read_settings: Callable[[Path | None], SettingsType],
    work: Callable[[SettingsType, str | None], Coroutine[Any, Any, None]],
) -> int:
    """Run a process that stays, until it is told to end; return its exit code.

    Args:
        parser: the program's own, to which the common options are added.
        arguments: the words of the command line, without the program's name.
        read_settings: reads the settings out of the file.
        work: what it does, with the settings and the kubeconfig that was named.
    """
    parser.add_argument("--settings", type=Path, help="the settings, a YAML file; without it the defaults hold")
    parser.add_argument(
        "--kubeconfig", help="how to reach the cluster; without it as the pod's service account, or by KUBECONFIG"
    )
    options = parser.parse_args(arguments)
    try:
        settings = read_settings(options.settings)
        logs.set_up(settings.logs.level, settings.logs.format)
        asyncio.run(work(settings, options.kubeconfig))
    except Refused as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


def find_identity() -> str:
    """Return what tells this process from all others: the name of its pod, where it is in one."""
    return os.environ.get("POD_NAME") or f"{socket.gethostname()}-{os.getpid()}"
