"""The way to the cluster that is meant: --kubeconfig, else KUBECONFIG, else ~/.kube/config, else the pod's own."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.config import ConfigException, load_incluster_config
from kubernetes.aio.config.kube_config import KubeConfigLoader, KubeConfigMerger

from penstock.api.findings import closest_name
from penstock.remote.access import Access
from penstock_jobs.contract.errors import Refused

DEFAULT = "~/.kube/config"
IN_CLUSTER_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
DEFAULT_NAMESPACE = "default"


@dataclass(frozen=True)
class Way:
    """A cluster, who we are to it, and the namespace that is meant."""

    configuration: Configuration
    namespace: str


async def way_to(access: Access) -> Way:
    """Return the way to the cluster.

    Raises:
        Refused: there is no kubeconfig, it cannot be read, or it does not have what is named.
    """
    paths = _paths(access)
    if paths is None:
        return _from_within(access)
    merged = _read(paths)
    found = Configuration()
    try:
        loader = KubeConfigLoader(merged, _context(merged, access.context, paths), config_base_path=None)  # type: ignore[no-untyped-call]
        await loader.load_and_set(found)  # type: ignore[no-untyped-call]
        named = loader.current_context["context"]
    except (ConfigException, OSError, ValueError, TypeError) as error:
        raise Refused(f"The kubeconfig {paths} does not lead to a cluster: {_sentence(error)}") from error
    own = named.get("namespace")
    return Way(found, access.namespace or own or DEFAULT_NAMESPACE)


def _paths(access: Access) -> str | None:
    """Return the files, separated as KUBECONFIG separates them; None where there are none and nobody named one."""
    if access.kubeconfig is not None:
        if not _is_file(access.kubeconfig):
            raise Refused(f"There is no kubeconfig {access.kubeconfig}; name one that is there with --kubeconfig.")
        return access.kubeconfig
    named = os.environ.get("KUBECONFIG") or DEFAULT
    there = [each for each in named.split(os.pathsep) if each and _is_file(each)]
    return os.pathsep.join(there) or None


def _is_file(path: str) -> bool:
    try:
        return Path(path).expanduser().is_file()
    except (RuntimeError, OSError):  # of a home that nobody has; of a folder that is somebody else's
        return False


def _from_within(access: Access) -> Way:
    found = Configuration()
    try:
        load_incluster_config(client_configuration=found)  # type: ignore[no-untyped-call]
    except ConfigException:
        named = os.environ.get("KUBECONFIG") or DEFAULT
        raise Refused(
            f"No cluster is known: there is no kubeconfig {named}. Name one with --kubeconfig, or set KUBECONFIG."
        ) from None
    own = IN_CLUSTER_NAMESPACE.read_text("utf-8").strip() if IN_CLUSTER_NAMESPACE.exists() else ""
    return Way(found, access.namespace or own or DEFAULT_NAMESPACE)


def _read(paths: str) -> Any:
    try:
        merged = KubeConfigMerger(paths).config  # type: ignore[no-untyped-call]
    except (yaml.YAMLError, OSError, UnicodeDecodeError) as error:
        raise Refused(f"The kubeconfig {paths} cannot be read: {_sentence(error)}") from error
    except (AttributeError, KeyError, TypeError) as error:
        raise Refused(f"{paths} is no kubeconfig: it has no clusters, contexts and users.") from error
    return merged


def _context(merged: Any, wished: str | None, paths: str) -> str:
    names = [str(each["name"]) for each in merged.value["contexts"] if "name" in each]
    name = wished or merged.value.get("current-context")
    if name in names:
        return str(name)
    there = f"it has {', '.join(names)}" if names else "it has none"
    if not name:
        raise Refused(f"The kubeconfig {paths} has no current context; choose one with --context: {there}.")
    likely = closest_name(str(name), names)
    raise Refused(
        f"The kubeconfig {paths} has no context {name}; {f'did you mean {likely}?' if likely else f'{there}.'}"
    )


def _sentence(error: Exception) -> str:
    said = " ".join(str(error).split()) or type(error).__name__
    return said if said.endswith(".") else f"{said}."
