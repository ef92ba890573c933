"""Which way to have a cluster this machine has."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from testcluster import kind
from testcluster.cluster import Cluster, Provider
from testcluster.given import GivenCluster
from testcluster.kind import KindProvider
from testcluster.machine import folders
from testcluster.machine.provider import Machine
from testcluster.machine.provider import why_impossible as impossible_as_processes
from testcluster.sentences import Lacking

PROVIDERS: dict[str, Callable[[], Provider]] = {"given": GivenCluster, "kind": KindProvider, "machine": Machine}


@dataclass(frozen=True)
class Lacks:
    """Why the ways that need something of the machine are not open: a sentence each, or nothing."""

    kind: str
    machine: str


def provider_named(name: str) -> Provider:
    """Return the provider of this name."""
    if name not in PROVIDERS:
        raise Lacking(f"There is no provider {name!r}: PENSTOCK_TEST_PROVIDER is one of {', '.join(PROVIDERS)}.")
    return PROVIDERS[name]()


def choose(environment: Mapping[str, str] = os.environ) -> Provider:
    """Return the provider for this machine, or raise with the sentence that says what to do."""
    named = name_that_is_asked_for(environment)
    return provider_named(named or name_of_what_is_possible(Lacks(kind.why_impossible(), impossible_as_processes())))


def find(environment: Mapping[str, str] = os.environ) -> tuple[Provider, Cluster] | None:
    """Return the cluster that is up, and whose it is; None where none is. Starts, builds and fetches nothing."""
    named = name_that_is_asked_for(environment)
    candidates: list[Provider] = [provider_named(named)] if named else [Machine(), KindProvider()]
    for provider in candidates:
        if cluster := provider.find():
            return provider, cluster
    return None


def own_providers(environment: Mapping[str, str] = os.environ) -> list[Provider]:
    """Return the providers that may have left something of ours on this machine, whole or half-made."""
    named = name_that_is_asked_for(environment)
    if named:
        return [provider_named(named)]
    return [*([] if impossible_as_processes() else [Machine()]), KindProvider()]


def name_that_is_asked_for(environment: Mapping[str, str]) -> str:
    """Return which provider a person asks for; nothing if none. KUBECONFIG may well name our own cluster."""
    if named := environment.get("PENSTOCK_TEST_PROVIDER"):
        return named
    file = environment.get("KUBECONFIG")
    if not file:
        return ""
    return {folders.kubeconfig(): Machine.name, kind.kubeconfig(): KindProvider.name}.get(Path(file), GivenCluster.name)


def name_of_what_is_possible(lacks: Lacks) -> str:
    """Return which provider the machine can have."""
    if not lacks.kind:
        return KindProvider.name
    if not lacks.machine:
        return Machine.name
    raise Lacking(
        f"There is no cluster for the tests. {lacks.kind} {lacks.machine} "
        "Start Docker, or run as root on Linux, or name a cluster with KUBECONFIG."
    )
