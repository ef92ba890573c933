"""The CRDs of the Gateway API. No implementation: what Penstock writes is accepted, and nobody routes by it."""

from testcluster.addons import shipped
from testcluster.addons.addon import Addon
from testcluster.kubectl import Object

MODULE = "sigs.k8s.io/gateway-api"


def objects(_: str) -> list[Object]:
    """Return the CRDs of the standard channel."""
    return shipped.read_files(shipped.folder("gateway-api", MODULE, "config", "crd", "standard"))


ADDON = Addon("gateway-api", objects)
