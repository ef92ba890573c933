"""What a cluster may have besides itself, the same on every provider.

`install(cluster, names)` is idempotent and waits until each is ready. ALWAYS comes with every cluster of the tests; the
others when a test asks for them, so that a plain cluster stays light.
"""

from collections.abc import Iterable

from testcluster.addons import gateway_api, kueue, kwok, metrics_server, storage
from testcluster.addons.addon import Addon, Target
from testcluster.addons.addon import install as _install
from testcluster.sentences import Lacking

ADDONS: dict[str, Addon] = {
    addon.name: addon for addon in (storage.ADDON, gateway_api.ADDON, metrics_server.ADDON, kwok.ADDON, kueue.ADDON)
}
ALWAYS = ("s3",)


def install(cluster: Target, names: Iterable[str] = ALWAYS) -> None:
    """Install these addons and wait until they are ready."""
    for name in names:
        if name not in ADDONS:
            raise Lacking(f"There is no addon {name}; those there are: {', '.join(ADDONS)}.")
        _install(cluster, ADDONS[name])
