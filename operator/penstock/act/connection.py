"""The one connection to the API server: requests go out as bytes or plain dicts, answers come back as bytes.

The typed models of the package `kubernetes` are not used: they refuse what they do not know, are nine times slower, and
cost memory for each group of the API.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.config import ConfigException, load_incluster_config, load_kube_config

from penstock.act.errors import Transient
from penstock_jobs.errors import Refused

TIMEOUT = 30.0  # seconds, of one request


@dataclass(frozen=True)
class Request:
    """A request: `path` with its query, `body` as it will be in JSON."""

    method: str
    path: str
    body: Any = None
    content_type: str = "application/json"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connection(Protocol):
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
    """A pool of connections as the package `kubernetes` makes them, with its care for tokens and certificates."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    async def send(self, request: Request) -> Answer:
        """Return the answer, or raise `Transient` where none came."""
        headers = {"Accept": "application/json", "Content-Type": request.content_type}
        try:
            await self._client.update_params_for_auth(
                headers, [], ["BearerToken"], request.path, request.method, request.body
            )
            response = await self._client.rest_client.request(  # type: ignore[no-untyped-call]
                request.method,
                self._client.configuration.host + request.path,
                headers=headers,
                body=request.body,
                _request_timeout=aiohttp.ClientTimeout(total=TIMEOUT),
            )
            return Answer(response.status, response.headers, await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            sentence = f"The API server does not answer: {error or type(error).__name__}."
            raise Transient(0, "NoAnswer", sentence) from error


@asynccontextmanager
async def connect(to: Configuration, concurrent: int) -> AsyncIterator[KubernetesConnection]:
    """Open a pool of at most so many connections, and close it in the end."""
    to.connection_pool_maxsize = concurrent
    async with ApiClient(to) as client:
        yield KubernetesConnection(client)
