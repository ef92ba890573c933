"""`python -m penstock_jobs.serving SPECIFICATION`: serve one Model until told to end.

It prints one line when it is ready, and ends with 0 once it was asked to (SIGTERM) and has answered what was under
way; the other exit codes are those of the jobs.
"""

from penstock_jobs.isolation import hear_sigterm, start_again

if __name__ == "__main__":  # before what takes a while to import
    start_again("penstock_jobs.serving")
    hear_sigterm()

import argparse
import asyncio
import contextlib
import errno
import os
import resource
import signal
import socket
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import uvloop

from penstock_jobs import logs
from penstock_jobs.contract import document, errors
from penstock_jobs.contract.errors import JobError, Refused, Unavailable
from penstock_jobs.contract.specification import ServerSpec
from penstock_jobs.models.loading import load_model
from penstock_jobs.models.source import put_source_on_path
from penstock_jobs.serving.application import Application
from penstock_jobs.serving.connection import Connection
from penstock_jobs.serving.connections import Connections
from penstock_jobs.serving.limits import ServerLimits, read_limits
from penstock_jobs.serving.processors import count_processors
from penstock_jobs.serving.warming import warm

DRAIN_SECONDS = 25  # within the 30 s that Kubernetes gives a pod to end
_OTHER_FILES = 64  # files that the process opens beside those of connections


def main(arguments: list[str] | None = None) -> int:
    """Serve the Model that the specification file describes; return the exit code."""
    options = _build_parser().parse_args(arguments)
    logs.set_up(options.log_level, options.log_format)
    try:
        specification = document.read(options.specification, ServerSpec)
        application = prepare_application(specification, _allow_files(read_limits(os.environ)))
        with (
            _open_listener(specification.host, specification.port) as listener,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            return runner.run(_serve(application, specification.name, listener))
    except JobError as error:
        logs.log.error("%s", error)
        return error.exit_code
    except KeyboardInterrupt:
        return errors.INTERRUPTED


def prepare_application(specification: ServerSpec, limits: ServerLimits | None = None) -> Application:
    """Return the application of a Model that was loaded, checked and warmed."""
    put_source_on_path(specification.location, specification.manifest_digest, specification.trusted_types)
    model = load_model(
        specification.location,
        trusted_types=specification.trusted_types,
        threads=min(specification.threads, count_processors()),
        manifest_digest=specification.manifest_digest,
        threshold=specification.threshold,
    )
    application = Application(model, specification.name, limits)
    warm(application, model, specification.name)
    application.reset_metrics()
    return application


async def _serve(application: Application, name: str, listener: socket.socket) -> int:
    """Answer requests until told to end, and what is under way then; return the exit code."""
    loop = asyncio.get_running_loop()
    connections = Connections(application)
    watching = loop.create_task(connections.watch_deadlines())
    server = await loop.create_server(lambda: Connection(connections), sock=listener)
    signals: asyncio.Queue[int] = asyncio.Queue()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, signals.put_nowait, number)
    host, port = listener.getsockname()[:2]
    address = f"[{host}]" if ":" in host else host
    sys.stdout.write(f"Serving {name} at http://{address}:{port}\n")
    sys.stdout.flush()
    received = await signals.get()
    application.draining = True
    server.close()
    draining = loop.create_task(connections.drain(DRAIN_SECONDS))
    hurry = loop.create_task(_wait_for_interrupt(signals))
    await asyncio.wait((draining, hurry), return_when=asyncio.FIRST_COMPLETED)
    watching.cancel()
    return errors.INTERRUPTED if received == signal.SIGINT else errors.SUCCEEDED


async def _wait_for_interrupt(signals: "asyncio.Queue[int]") -> None:
    """Return once somebody at a terminal does not want to wait."""
    while await signals.get() != signal.SIGINT:
        pass


def _allow_files(limits: ServerLimits) -> ServerLimits:
    """Raise the number of files that this process may open to what its connections need, or bound them by it."""
    wanted = limits.connections + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return replace(limits, connections=max(1, min(limits.connections, soft - _OTHER_FILES)))


@contextlib.contextmanager
def _open_listener(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            kind = Unavailable if error.errno == errno.EADDRINUSE else Refused
            raise kind(f"{host}:{port} cannot be served on: {os.strerror(error.errno or 0)}.") from error
        listener.listen(2048)
        listener.set_inheritable(True)
        yield listener


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m penstock_jobs.serving", description="Serve one Model over HTTP.")
    parser.add_argument("specification", type=Path, help="what to serve, a JSON file")
    parser.add_argument("--log-level", default="INFO", choices=["DEBUG", "INFO", "WARNING", "ERROR"])
    parser.add_argument("--log-format", default="text", choices=["text", "json"])
    return parser


if __name__ == "__main__":
    sys.exit(main())
