"""`penstock-operator`: watch Pipelines and their runs, and make what they say, until told to end."""

import argparse
import asyncio
import logging
import math
import sys
from functools import partial

from penstock.act.controllers import controllers
from penstock.act.health import health_server
from penstock.act.leadership import LeaseLost, Tenure, lead
from penstock.act.operator import Controllers, Operator, end_on_signal
from penstock.act.settings import OperatorSettings, read_settings
from penstock.daemon.program import find_identity, run_program
from penstock.kubernetes.client import Client
from penstock.kubernetes.connection import configuration, connect
from penstock.kubernetes.rate_limit import RateLimiter

log = logging.getLogger("penstock")

FAILED = 1
_FOR_THE_LEASE = 5  # requests at once, and a second


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
    ending, tenure = asyncio.Event(), Tenure()
    end_on_signal(ending)
    to, identity = await configuration(kubeconfig), find_identity()
    left = tenure.left if settings.lease is not None else lambda: math.inf
    watches = max(len(settings.namespaces), 1)  # of Kueue's Workloads; each holds a connection for as long as it lasts
    async with connect(to, settings.api.concurrent_requests + watches) as connection:
        operator = Operator(connection, settings, identity, table, left)
        async with health_server(settings.port, operator.metrics, operator.healthy, operator.ready):
            if settings.lease is None:
                await operator.run(to, ending)
                return
            # Connections of its own: a renewal that waits for another request would be late.
            async with connect(await configuration(kubeconfig), _FOR_THE_LEASE) as apart:
                client = Client(apart, RateLimiter(_FOR_THE_LEASE, _FOR_THE_LEASE), _FOR_THE_LEASE)
                work = partial(operator.run, to, ending)
                await lead(client, settings.lease, identity, work, tenure=tenure, ending=ending)


if __name__ == "__main__":
    sys.exit(main())
