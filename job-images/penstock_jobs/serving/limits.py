"""What one server takes from its clients, all of it in one place: bytes, counts and seconds.

Together they hold the memory that requests take beneath 100 MiB, whatever is sent: `held_bytes` of what waits, one
large request at a time beside it, and little for each connection. Whoever runs a server may set each of them by an
environment variable, `PENSTOCK_SERVER_` and its name (`PENSTOCK_SERVER_BODY_BYTES`); on a cluster in the `env` of the
job `deployment`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from penstock_jobs.contract.errors import Refused

VARIABLE = "PENSTOCK_SERVER_"
_MOST = 1 << 31


@dataclass(frozen=True)
class ServerLimits:
    """The limits of one server.

    Attributes:
        header_bytes: bytes of a request's line and headers, and of what stands behind a chunked body; 431 beyond.
        headers: how many headers a request has; 431 beyond.
        header_seconds: seconds from the first byte of a request to the end of its headers; 408 beyond.
        body_bytes: bytes of a body, its chunks' sizes included; 413 beyond.
        body_seconds: seconds from the end of the headers to that of the body; 408 beyond.
        body_marks: commas and opening brackets in a body, which bound how many values it can be read into; 413 beyond.
        answer_bytes: bytes of an answer, reckoned from the rows and the outputs before the Model runs; 413 beyond.
        answer_seconds: seconds in which a client has taken its answer; the connection is closed then.
        connections: open connections; one more, and the one that has waited longest for its client is closed.
        idle_seconds: seconds without a request after which a connection is closed.
        pipelined: requests of a connection that wait for the answers before theirs; 429 beyond.
        held_bytes: bytes of bodies that arrived and of answers that were not taken yet, on all connections together;
            beyond, the one that has waited longest for its client gives way, or 503.
    """

    header_bytes: int = 16 << 10
    headers: int = 100
    header_seconds: int = 10
    body_bytes: int = 8 << 20
    body_seconds: int = 60
    body_marks: int = 500_000
    answer_bytes: int = 16 << 20
    answer_seconds: int = 60
    connections: int = 1000
    idle_seconds: int = 75
    pipelined: int = 16
    held_bytes: int = 32 << 20

    @property
    def requests(self) -> int:
        """How many requests are answered, or wait for that, at one moment; 503 beyond.

        The other connections wait for their clients, so that one of them can always make room for a health check.
        """
        return max(1, self.connections * 9 // 10)


def read_limits(environment: Mapping[str, str]) -> ServerLimits:
    """Return the limits that the environment sets, and the usual ones for the rest.

    Raises:
        Refused: a value is no whole number, or a name is none of a limit.
    """
    names = {VARIABLE + field.name.upper(): field.name for field in fields(ServerLimits)}
    given = {name: value for name, value in environment.items() if name.startswith(VARIABLE)}
    limits: dict[str, int] = {}
    for name, value in given.items():
        if name not in names:
            raise Refused(f"{name} sets no limit of a server; it can be {', '.join(names)}.")
        if not value.isascii() or not value.isdecimal() or not 1 <= int(value[:11]) <= _MOST:
            raise Refused(f"{name} is {value[:40]!r}; give a whole number from 1 to {_MOST}.")
        limits[names[name]] = int(value)
    return ServerLimits(**limits)
