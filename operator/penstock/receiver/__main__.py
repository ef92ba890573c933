"""`penstock-receiver`: take events for Triggers by HTTP, until told to end."""

import argparse
import sys

from penstock.daemon.program import find_identity, run_program
from penstock.kubernetes.connection import configuration, connect
from penstock.receiver.service import REVIEWS_AT_ONCE, ReceiverService
from penstock.receiver.settings import ReceiverSettings, read_settings


def main(arguments: list[str] | None = None) -> int:
    """Run the receiver; return the exit code."""
    parser = argparse.ArgumentParser(prog="penstock-receiver", description="The receiver of events of Penstock.")
    return run_program(parser, arguments, read_settings, receive)


async def receive(settings: ReceiverSettings, kubeconfig: str | None) -> None:
    """Answer requests until told to end."""
    to = await configuration(kubeconfig)
    watches = 2 * max(len(settings.namespaces), 1)
    async with connect(to, settings.api.concurrent_requests + REVIEWS_AT_ONCE + watches) as connection:
        await ReceiverService(connection, settings, find_identity()).run()


if __name__ == "__main__":
    sys.exit(main())
