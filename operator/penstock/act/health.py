"""What can be asked of the operator over HTTP: whether it is well, whether it works, what it has counted.

Well is who has listed all objects not too long ago. That needs the event loop, the connection and the credentials; a
process that is deaf in any of them is started anew by its kubelet.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from penstock.act.metrics import OperatorMetrics
from penstock.daemon import health


def health_server(
    port: int, metrics: OperatorMetrics, healthy: Callable[[], bool], ready: Callable[[], bool]
) -> AbstractAsyncContextManager[int]:
    """Answer `/healthz`, `/readyz` and `/metrics` on this port (0: any that is free); yields the port."""
    return health.health_server(
        port,
        metrics.text,
        health.Probe(healthy, "All objects were listed too long ago."),
        health.Probe(ready, "The objects were not all listed yet."),
    )
