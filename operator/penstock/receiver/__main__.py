"""`penstock-receiver`: take events for Triggers by HTTP, until told to end."""

import argparse
import asyncio
import logging
import os
import socket
import sys
from pathlib import Path

from penstock.daemon import logs
from penstock.kubernetes.connection import configuration, connect
from penstock.receiver.service import REVIEWS_AT_ONCE, ReceiverService
from penstock.receiver.settings import ReceiverSettings, read_settings
from penstock_jobs.contract.errors import Refused

log = logging.getLogger("penstock")


def main(arguments: list[str] | None = None) -> int:
    """Run the receiver; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        settings = read_settings(options.settings)
        logs.set_up(settings.logs.level, settings.logs.format)
        asyncio.run(receive(settings, options.kubeconfig))
    except Refused as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


async def receive(settings: ReceiverSettings, kubeconfig: str | None) -> None:
    """Answer requests until told to end."""
    to = await configuration(kubeconfig)
    identity = os.environ.get("POD_NAME") or f"{socket.gethostname()}-{os.getpid()}"
    watches = 2 * max(len(settings.namespaces), 1)
    async with connect(to, settings.api.concurrent_requests + REVIEWS_AT_ONCE + watches) as connection:
        await ReceiverService(connection, settings, identity).run()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="penstock-receiver", description="The receiver of events of Penstock.")
    parser.add_argument("--settings", type=Path, help="the settings, a YAML file; without it the defaults hold")
    parser.add_argument(
        "--kubeconfig", help="how to reach the cluster; without it as the pod's service account, or by KUBECONFIG"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
