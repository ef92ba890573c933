"""What a cluster may have besides itself, the same on every provider.

`install(cluster, names)` is idempotent and waits until each is ready. Each comes when a test asks for it, so that a
plain cluster is there in seconds and stays light.
"""

from collections.abc import Iterable

from testcluster.addons import gateway_api, kueue, kwok, metrics_server, storage
from testcluster.addons.addon import Addon, read_mark
from testcluster.addons.addon import install as _install
from testcluster.addons.target import AddonTarget
from testcluster.kubectl import Kubectl
from testcluster.sentences import Lacking

ADDONS: dict[str, Addon] = {
    addon.name: addon for addon in (storage.ADDON, gateway_api.ADDON, metrics_server.ADDON, kwok.ADDON, kueue.ADDON)
}


def is_ours(cluster: AddonTarget, name: str) -> bool:
    """Whether we installed this addon in the cluster, or began to."""
    return read_mark(Kubectl(cluster.kubeconfig), name) is not None


def install(cluster: AddonTarget, names: Iterable[str]) -> None:
    """Install these addons and wait until they are ready."""
    for name in names:
        if name not in ADDONS:
            raise Lacking(f"There is no addon {name}; those there are: {', '.join(ADDONS)}.")
        _install(cluster, ADDONS[name])
