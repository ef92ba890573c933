"""`penstock-operator`: watch Pipelines and their runs, and make what they say, until told to end."""

import argparse
import asyncio
import logging
import os
import socket
import sys
from pathlib import Path

from penstock.act.controllers import controllers
from penstock.act.health import health_server
from penstock.act.leadership import LeaseLost, lead
from penstock.act.operator import Controllers, Operator
from penstock.act.settings import OperatorSettings, read_settings
from penstock.daemon import logs
from penstock.kubernetes.connection import configuration, connect
from penstock_jobs.contract.errors import Refused

log = logging.getLogger("penstock")

FAILED = 1


def main(arguments: list[str] | None = None, table: Controllers = controllers) -> int:
    """Run the operator, which reconciles what the table says; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        settings = read_settings(options.settings)
        logs.set_up(settings.logs.level, settings.logs.format)
        asyncio.run(operate(settings, options.kubeconfig, table))
    except Refused as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except LeaseLost as lost:
        log.error("%s", lost)
        return FAILED
    return 0


async def operate(settings: OperatorSettings, kubeconfig: str | None, table: Controllers) -> None:
    """Work, while holding the Lease where there is one, until told to end."""
    to = await configuration(kubeconfig)
    identity = os.environ.get("POD_NAME") or f"{socket.gethostname()}-{os.getpid()}"
    async with connect(to, settings.api.concurrent_requests) as connection:
        operator = Operator(connection, settings, identity, table)
        async with health_server(settings.port, operator.metrics, operator.healthy, operator.ready):
            if settings.lease is None:
                await operator.run(to)
            else:
                await lead(operator.client, settings.lease, identity, lambda: operator.run(to))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="penstock-operator", description="The operator of Penstock.")
    parser.add_argument("--settings", type=Path, help="the settings, a YAML file; without it the defaults hold")
    parser.add_argument(
        "--kubeconfig", help="how to reach the cluster; without it as the pod's service account, or by KUBECONFIG"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
