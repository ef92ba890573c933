"""What every command of a cluster understands: which cluster and namespace, as kubectl is told, and how to speak."""

import asyncio
import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from penstock.cli.options import Output, Speaking, speaking_options
from penstock.remote.access import Access, missing_library

if TYPE_CHECKING:
    from penstock.remote.cluster import Cluster

Answer = TypeVar("Answer")


@dataclass(frozen=True, kw_only=True)
class ClusterSettings(Speaking):
    """Which cluster is meant, and how to speak."""

    access: Access


def access_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give the command `--namespace`, `--context` and `--kubeconfig`."""
    namespace = click.option("-n", "--namespace", help="The namespace; that of the context without it.")
    context = click.option("--context", help="The context of the kubeconfig; its current one without it.")
    kubeconfig = click.option("--kubeconfig", help="The kubeconfig; KUBECONFIG or ~/.kube/config without it.")
    return namespace(context(kubeconfig(command)))


def with_cluster(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give the command these options, and a `ClusterSettings` made of them as its first argument.

    They may also stand before the command, as in `penstock --cluster -n ml runs`; behind it they win.
    """

    @access_options
    @speaking_options
    @functools.wraps(command)
    def wrapper(*, output: str, quiet: bool, **options: Any) -> Any:
        own = {name: options.pop(name) for name in ("namespace", "context", "kubeconfig")}
        access = access_of(click.get_current_context(), own)
        return command(ClusterSettings(output=cast(Output, output), quiet=quiet, access=access), **options)

    return wrapper


def access_of(context: click.Context, own: dict[str, str | None]) -> Access:
    """Return which cluster is meant: by the options of the command, else by those before it."""
    before = context.find_root().params

    def option_value(name: str) -> str | None:
        return own.get(name) or before.get(name)

    return Access(
        kubeconfig=option_value("kubeconfig"), context=option_value("context"), namespace=option_value("namespace")
    )


def ask(settings: ClusterSettings, question: "Callable[[Cluster], Awaitable[Answer]]") -> Answer:
    """Return what the cluster answers.

    Raises:
        Refused: the library of Kubernetes is not installed, there is no way to a cluster, or it said no.
    """
    try:
        from penstock.remote.cluster import open_cluster
    except ModuleNotFoundError as error:
        raise missing_library(error) from error

    def say(sentence: str) -> None:
        settings.notes.print(sentence, markup=False)

    async def run_question() -> Answer:
        async with open_cluster(settings.access, say) as cluster:
            return await question(cluster)

    return asyncio.run(run_question())
