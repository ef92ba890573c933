"""A watch: what changes, as the API server tells it, from one version on."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol

import msgspec

from penstock.kubernetes.connection import Request
from penstock.kubernetes.errors import Expired
from penstock.kubernetes.kinds import Kind, Object

WATCHED_SECONDS = 300  # after which a watch begins anew


class LineConnection(Protocol):
    """Something that carries an answer line by line, for as long as the server has something to say."""

    def lines(self, request: Request) -> AsyncIterator[bytes]:
        """Yield the lines of the answer."""
        ...


async def watch_events(
    connection: LineConnection, kind: Kind, namespace: str | None, query: Mapping[str, object], version: str
) -> AsyncIterator[Object]:
    """Yield each change from that version on, bookmarks too, until the watch has lasted `WATCHED_SECONDS`.

    Raises:
        Expired: the version is too old; list anew.
        ApiError: the server refused, or the connection broke.
    """
    asked = {
        "watch": 1,
        "allowWatchBookmarks": "true",
        "timeoutSeconds": WATCHED_SECONDS,
        "resourceVersion": version,
    }
    async for line in connection.lines(Request("GET", kind.path(namespace, query={**query, **asked}))):
        event = msgspec.json.decode(line, type=dict[str, Any])
        if event["type"] == "ERROR":
            status = event["object"]
            raise Expired(int(status.get("code") or 410), "Expired", str(status.get("message")))
        yield event
