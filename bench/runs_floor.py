"""The floor: bare Jobs chained by a small script, which creates the next one when it sees that one is Complete.

`python bench/runs_floor.py --kubeconfig FILE --namespace NAME --job FILE --chains 1 --steps a,b,c` says `ready` once it
watches, and begins when it is sent a line. It ends when the last Job of each chain is complete.
"""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import aiohttp
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.config import load_kube_config

from runs_recorder import CHAIN, STEP

AT_ONCE = 16  # requests; the operator's own limit


class Chains:
    """So many chains of Jobs in a namespace.

    Args:
        session: what asks the API server.
        namespace: where the Jobs are.
        job: the Job, without a name.
        steps: the labels of a chain's Jobs, in their order.
    """

    def __init__(self, session: aiohttp.ClientSession, namespace: str, job: dict[str, Any], steps: list[str]) -> None:
        self._session = session
        self._path = f"/apis/batch/v1/namespaces/{namespace}/jobs"
        self._job = job
        self._steps = steps
        self._places = asyncio.Semaphore(AT_ONCE)
        self._seen: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, chains: int) -> None:
        """Create the first Job of each chain, and each next one, until all are complete."""
        async with self._session.get(self._path, params={"limit": "1"}) as listed:
            version = (await listed.json())["metadata"]["resourceVersion"]
        query = {"watch": "1", "resourceVersion": version}
        async with self._session.get(self._path, params=query) as watch:
            print("ready", flush=True)
            await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
            for chain in range(chains):
                self._begin(str(chain), 0)
            left = chains
            async for line in _lines(watch):
                left -= self._on_job(json.loads(line)["object"])
                if left == 0:
                    return

    def _on_job(self, job: dict[str, Any]) -> int:
        """Begin the next Job where this one is complete; return 1 where its chain has ended."""
        name = job["metadata"]["name"]
        conditions = (job.get("status") or {}).get("conditions") or ()
        if name in self._seen or not any(each["type"] == "Complete" for each in conditions):
            return 0
        self._seen.add(name)
        labels = job["metadata"]["labels"]
        following = self._steps.index(labels[STEP]) + 1
        if following == len(self._steps):
            return 1
        self._begin(labels[CHAIN], following)
        return 0

    def _begin(self, chain: str, step: int) -> None:
        task = asyncio.create_task(self._create(chain, self._steps[step]))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _create(self, chain: str, step: str) -> None:
        labels = {CHAIN: chain, STEP: step}
        job = json.loads(json.dumps(self._job))
        job["metadata"] = {"name": f"floor-{chain}-{step}", "labels": labels}
        job["spec"]["template"].setdefault("metadata", {})["labels"] = labels
        async with self._places, self._session.post(self._path, json=job) as response:
            response.raise_for_status()
            await response.read()


async def _lines(response: aiohttp.ClientResponse) -> Any:
    unfinished = b""
    async for chunk in response.content.iter_any():
        *lines, unfinished = (unfinished + chunk).split(b"\n")
        for line in lines:
            yield line


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("kubeconfig", "namespace", "job", "steps"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--chains", type=int, default=1)
    options = parser.parse_args()
    asyncio.run(run_chains(options, json.loads(Path(options.job).read_text())))


async def run_chains(options: argparse.Namespace, job: dict[str, Any]) -> None:
    """Run the chains against the cluster of the kubeconfig."""
    configuration = Configuration()
    await load_kube_config(options.kubeconfig, client_configuration=configuration)  # type: ignore[no-untyped-call]
    async with ApiClient(configuration) as client:
        context, headers = client.rest_client.ssl_context, {}  # type: ignore[var-annotated]
        await client.update_params_for_auth(headers, [], ["BearerToken"], "", "", None)
    connector = aiohttp.TCPConnector(ssl=context, limit=0)
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(
        configuration.host, connector=connector, headers=headers, timeout=timeout
    ) as session:
        await Chains(session, options.namespace, job, options.steps.split(",")).run(options.chains)


if __name__ == "__main__":
    main()
