"""Which way to have a cluster this machine has."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from testcluster.cluster import Provider
from testcluster.given import Given
from testcluster.kind import Kind
from testcluster.kind import impossible as impossible_with_kind
from testcluster.machine.provider import Machine, impossible
from testcluster.sentences import Lacking

PROVIDERS: dict[str, Callable[[], Provider]] = {"given": Given, "kind": Kind, "machine": Machine}


def provider_named(name: str) -> Provider:
    """Return the provider of this name."""
    if name not in PROVIDERS:
        raise Lacking(
            f"There is no test cluster called {name!r}; PENSTOCK_TEST_PROVIDER is one of {', '.join(PROVIDERS)}."
        )
    return PROVIDERS[name]()


@dataclass(frozen=True)
class Lacks:
    """Why the ways that need something of the machine are not open: a sentence each, or nothing."""

    kind: str
    machine: str


def choose(environment: Mapping[str, str] = os.environ) -> Provider:
    """Return the provider for this machine, or raise with the sentence that says what to do."""
    return provider_named(name_of_choice(environment, lambda: Lacks(impossible_with_kind(), impossible())))


def name_of_choice(environment: Mapping[str, str], lacks: Callable[[], Lacks]) -> str:
    """Return which provider it is. What the machine lacks is only asked where it matters: asking takes seconds."""
    if named := environment.get("PENSTOCK_TEST_PROVIDER"):
        return named
    if environment.get("KUBECONFIG"):
        return Given.name
    reasons = lacks()
    if not reasons.kind:
        return Kind.name
    if not reasons.machine:
        return Machine.name
    raise Lacking(
        f"There is no cluster for the tests. {reasons.kind} {reasons.machine} "
        "Start Docker, or run as root on Linux, or name a cluster with KUBECONFIG."
    )
