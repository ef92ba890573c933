"""What kopf is used for: to log in, to watch, to end when it is told to.

Each handler takes in what was seen, and nothing else: no finalizer, no annotation, no patch, no index, no timer.
"""

from collections.abc import Callable
from typing import Any

import kopf
from kopf._cogs.configs.configuration import WatchingSettings
from kopf._core.reactor.inventory import ResourceMemories, ResourceMemory
from kubernetes.aio.client.configuration import Configuration

from penstock.act.cache import version_of
from penstock.act.resync import Resync
from penstock.act.view import View
from penstock.act.watched import WATCHED
from penstock.kubernetes.kinds import Key, Kind, key_of


class NoMemories(ResourceMemories):
    """kopf's own memory of each object it ever saw, emptied: a kilobyte each, for what only its other handlers need."""

    async def recall(self, raw_body: Any, *, ephemeral: bool = False, **more: Any) -> ResourceMemory:
        """Return a memory that nobody keeps."""
        return await super().recall(raw_body, ephemeral=True, **more)


class NoDiffs(kopf.DiffBaseStorage):
    """kopf's differences between what an object was and is, which only change handlers need: a third of its time."""

    def build(self, *, body: kopf.Body, extra_fields: Any = None) -> kopf.BodyEssence:
        """Return nothing of the object."""
        return kopf.BodyEssence()

    def fetch(self, *, body: kopf.Body) -> kopf.BodyEssence | None:
        """Return nothing: nothing was stored."""
        return None

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: kopf.BodyEssence) -> None:
        """Store nothing."""


class Watching(WatchingSettings):
    """kopf's settings of watches, which tell when one begins anew: kopf reads its pause then, and at no other time.

    Its events alone would not tell where all objects of a kind went meanwhile: there is none to tell of.
    """

    def __init__(self, began_anew: Callable[[], None]) -> None:
        self._began_anew = began_anew
        self._pause = 0.0
        super().__init__()

    @property
    def reconnect_backoff(self) -> float:
        """Return the pause before a watch begins anew."""
        self._began_anew()
        return self._pause

    @reconnect_backoff.setter
    def reconnect_backoff(self, seconds: float) -> None:
        self._pause = seconds


def registry(connection: Configuration, view: View, resync: Resync) -> kopf.OperatorRegistry:
    """Return the handlers: one that logs in as our own connection does, and one for each kind that is watched."""
    made = kopf.OperatorRegistry()

    @kopf.on.login(registry=made)  # type: ignore[untyped-decorator, unused-ignore]
    async def login(**_: Any) -> kopf.ConnectionInfo:
        return await connection_info(connection)

    for each in WATCHED:
        kind = each.kind
        kopf.on.event(kind.group, kind.version, kind.plural, id=kind.plural, registry=made)(
            _event_handler(kind, view, resync)
        )
    return made


def settings(resync: Resync) -> kopf.OperatorSettings:
    """Return the settings of kopf: what the server filters, and everything off that we do ourselves."""
    made = kopf.OperatorSettings()
    made.watching = Watching(resync.suspect_all)
    made.peering.standalone = True
    made.posting.enabled = False
    made.scanning.disabled = True
    made.persistence.diffbase_storage = NoDiffs()
    made.watching.chunk_size = 100
    # A task for each object that was seen, for so many seconds: 25 KiB of each of thousands at the start, else.
    made.queueing.idle_timeout = 0.01
    made.watching.connect_timeout = 10
    made.networking.connect_timeout = 10
    for each in WATCHED:
        if each.selector is not None:
            made.watching.label_selectors[each.kind.group, each.kind.version, each.kind.plural] = each.selector
    return made


async def connection_info(connection: Configuration) -> kopf.ConnectionInfo:
    """Return, for kopf, how our own connection proves who we are; the token is read anew each time."""
    header = await connection.get_api_key_with_prefix("BearerToken")
    scheme, _, token = (header or "").partition(" ")
    return kopf.ConnectionInfo(
        server=connection.host,
        ca_path=connection.ssl_ca_cert,
        insecure=not connection.verify_ssl,
        username=connection.username or None,
        password=connection.password or None,
        scheme=scheme.capitalize() or None,
        token=token.strip() or None,
        certificate_path=connection.cert_file,
        private_key_path=connection.key_file,
    )


def _event_handler(kind: Kind, view: View, resync: Resync) -> Any:
    async def on_event(event: Any, **_: Any) -> None:
        found = {**event["object"], "apiVersion": kind.api_version, "kind": kind.kind}
        if event["type"] == "DELETED":
            key: Key = key_of(found)
            view.on_delete(key, found["metadata"]["uid"], version_of(found))
            return
        view.on_update(found)
        if event["type"] is None:  # of a list: the watch began anew, and does not say what went before it did
            resync.suspect(kind)

    return on_event
