"""The one connection to the API server: requests go out as bytes or plain dicts, answers come back as bytes.

The typed models of the package `kubernetes` are not used: they refuse what they do not know, are nine times slower, and
cost memory for each group of the API.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

import aiohttp
import msgspec
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.config import ConfigException, load_incluster_config, load_kube_config

from penstock.kubernetes.errors import Transient, error_of
from penstock_jobs.contract.errors import Refused

TIMEOUT = 30.0  # seconds, of one request
JSON = "application/json"

_LIMITS = aiohttp.ClientTimeout(total=TIMEOUT, sock_connect=10)
SILENCE = 330.0  # seconds: longer than a watch lasts; after it the other end is taken for gone
_ENDLESS = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=SILENCE)
_ESCAPED = tuple((each.encode(), f"\\u{ord(each):04x}".encode()) for each in "<>&\u2028\u2029")


@dataclass(frozen=True)
class Request:
    """A request: `path` with its query, `body` as it is sent; `accept` is the form that is asked for."""

    method: str
    path: str
    body: bytes | None = None
    content_type: str = JSON
    accept: str = JSON


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class ApiConnection(Protocol):
    """Something that carries requests to an API server."""

    async def send(self, request: Request) -> Answer:
        """Return the answer, whatever its status, or raise `Transient` where none came."""
        ...


async def configuration(kubeconfig: str | None = None) -> Configuration:
    """Return where the API server is and how to prove who we are: from the pod we run in, else from a kubeconfig."""
    found = Configuration()
    try:
        if kubeconfig is None:
            try:
                load_incluster_config(client_configuration=found)  # type: ignore[no-untyped-call]
                return found
            except ConfigException:
                pass
        await load_kube_config(config_file=kubeconfig, client_configuration=found)  # type: ignore[no-untyped-call]
    except ConfigException as error:
        raise Refused(f"No way to a cluster: {error} Set KUBECONFIG, or run in a pod.") from error
    return found


class KubernetesConnection:
    """A pool of connections as the package `kubernetes` makes them, with its care for tokens and certificates.

    Its own way of sending would encode each body a second time, and not as the API server does (`encoded`).
    """

    def __init__(self, client: ApiClient, session: aiohttp.ClientSession) -> None:
        self._client = client
        self._session = session

    async def send(self, request: Request) -> Answer:
        """Return the answer, or raise `Transient` where none came."""
        async with self._answering(request, _LIMITS) as response:
            return Answer(response.status, response.headers, await response.read())

    async def lines(self, request: Request) -> AsyncIterator[bytes]:
        """Yield the lines of an answer that goes on for as long as the server has something to say.

        Raises:
            ApiError: the server refused, no answer came, or the connection broke or was silent for `SILENCE`.
        """
        async with self._answering(request, _ENDLESS) as response:
            if response.status >= 400:
                raise error_of(response.status, response.headers, await response.read())
            unfinished = b""
            async for chunk in response.content.iter_any():
                *whole, unfinished = (unfinished + chunk).split(b"\n")
                for line in whole:
                    yield line
            if unfinished:
                yield unfinished

    @asynccontextmanager
    async def _answering(
        self, request: Request, limits: aiohttp.ClientTimeout
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        headers = {"Accept": request.accept, "Content-Type": request.content_type}
        settings = self._client.configuration
        try:
            await self._client.update_params_for_auth(headers, [], ["BearerToken"], request.path, request.method, None)
            async with self._session.request(
                request.method,
                settings.host + request.path,
                headers=headers,
                data=request.body,
                timeout=limits,
                proxy=settings.proxy,
                proxy_headers=settings.proxy_headers,
                server_hostname=settings.tls_server_name,
            ) as response:
                yield response
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            sentence = f"The API server does not answer: {error or type(error).__name__}."
            raise Transient(0, "NoAnswer", sentence) from error


@asynccontextmanager
async def connect(
    to: Configuration, concurrent: int, *, proxy_of_environment: bool = False
) -> AsyncIterator[KubernetesConnection]:
    """Open a pool of at most so many connections, and close it in the end."""
    to.connection_pool_maxsize = concurrent
    # The operator's proxy is that of the kubeconfig, as for kopf's watches; to look in the environment takes a thread a
    # request.
    to.client_session_kwargs = {"trust_env": proxy_of_environment}
    async with ApiClient(to) as client, client.rest_client._create_pool_manager() as session:
        yield KubernetesConnection(client, session)


def encode(body: object) -> bytes:
    """Return JSON as the API server itself writes it: no spaces, keys in order, `<`, `>` and `&` escaped.

    The data of a ControllerRevision is immutable to the byte, and the server writes it anew at each patch.
    """
    content = msgspec.json.encode(body, order="sorted")
    for found, escaped in _ESCAPED:
        content = content.replace(found, escaped)
    return content
