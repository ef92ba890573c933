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
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from penstock_jobs import logs
from penstock_jobs.contract import document, errors
from penstock_jobs.contract.errors import JobError, Refused, Unavailable
from penstock_jobs.contract.specification import ServerSpec
from penstock_jobs.models.loading import load_model
from penstock_jobs.models.source import put_source_on_path
from penstock_jobs.serving.application import Application
from penstock_jobs.serving.processors import count_processors
from penstock_jobs.serving.warming import warm

DRAIN_SECONDS = 25  # within the 30 s that Kubernetes gives a pod to end


def main(arguments: list[str] | None = None) -> int:
    """Serve the Model that the specification file describes; return the exit code."""
    options = _build_parser().parse_args(arguments)
    logs.set_up(options.log_level, options.log_format)
    try:
        specification = document.read(options.specification, ServerSpec)
        application = prepare_application(specification)
        with _open_listener(specification.host, specification.port) as listener:
            return _serve(application, specification, listener)
    except JobError as error:
        logs.log.error("%s", error)
        return error.exit_code
    except KeyboardInterrupt:
        return errors.INTERRUPTED


def prepare_application(specification: ServerSpec) -> Application:
    """Return the application of a Model that was loaded, checked and warmed."""
    put_source_on_path(specification.location, specification.manifest_digest, specification.trusted_types)
    model = load_model(
        specification.location,
        trusted_types=specification.trusted_types,
        threads=min(specification.threads, count_processors()),
        manifest_digest=specification.manifest_digest,
        threshold=specification.threshold,
    )
    application = Application(model, specification.name)
    warm(application, model, specification.name)
    application.reset_metrics()
    return application


def _serve(application: Application, specification: ServerSpec, listener: socket.socket) -> int:
    configuration = uvicorn.Config(
        application,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        interface="asgi3",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    server = _Server(configuration, application)
    host, port = listener.getsockname()[:2]
    address = f"[{host}]" if ":" in host else host
    server.ready_line = f"Serving {specification.name} at http://{address}:{port}\n"
    server.run(sockets=[listener])
    return errors.INTERRUPTED if server.received == signal.SIGINT else errors.SUCCEEDED


class _Server(uvicorn.Server):
    """uvicorn's server, which says when it is ready and drains when it is told to end."""

    def __init__(self, configuration: uvicorn.Config, application: Application) -> None:
        super().__init__(configuration)
        self._application = application
        self.ready_line = ""
        self.received: int | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        sys.stdout.write(self.ready_line)
        sys.stdout.flush()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn raises the signal again once it has drained; a server that ended as it was told to ended well.
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end, number)
        yield

    def _end(self, number: int) -> None:
        if self.should_exit and number == signal.SIGINT:
            self.force_exit = True
        self.received = self.received or number
        self._application.draining = True
        self.should_exit = True


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
