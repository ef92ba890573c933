"""`penstock-operator`: watch Pipelines and their runs, and make what they say, until told to end."""

import argparse
import logging
import sys

from penstock.act.controllers import controllers
from penstock.act.health import health_server
from penstock.act.leadership import LeaseLost, lead
from penstock.act.operator import Controllers, Operator
from penstock.act.settings import OperatorSettings, read_settings
from penstock.daemon.program import find_identity, run_program
from penstock.kubernetes.connection import configuration, connect

log = logging.getLogger("penstock")

FAILED = 1


def main(arguments: list[str] | None = None, table: Controllers = controllers) -> int:
    """Run the operator, which reconciles what the table says; return the exit code."""
    parser = argparse.ArgumentParser(prog="penstock-operator", description="The operator of Penstock.")

    async def work(settings: OperatorSettings, kubeconfig: str | None) -> None:
        await operate(settings, kubeconfig, table)

    try:
        return run_program(parser, arguments, read_settings, work)
    except LeaseLost as lost:
        log.error("%s", lost)
        return FAILED


async def operate(settings: OperatorSettings, kubeconfig: str | None, table: Controllers) -> None:
    """Work, while holding the Lease where there is one, until told to end."""
    to = await configuration(kubeconfig)
    identity = find_identity()
    async with connect(to, settings.api.concurrent_requests) as connection:
        operator = Operator(connection, settings, identity, table)
        async with health_server(settings.port, operator.metrics, operator.healthy, operator.ready):
            if settings.lease is None:
                await operator.run(to)
            else:
                await lead(operator.client, settings.lease, identity, lambda: operator.run(to))


if __name__ == "__main__":
    sys.exit(main())
