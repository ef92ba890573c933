"""The Service of a Pipeline, under the Pipeline's own name: it selects one revision of servers, never two."""

from penstock.decide.objects.children import Object, Owner, labels, metadata
from penstock.decide.objects.serving import selector


def service(owner: Owner, port: int, revision: str) -> Object:
    """Return the Service of the Pipeline, turned to this revision."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(owner, owner.name, labels(owner)),
        "spec": {
            "type": "ClusterIP",
            "selector": selector(owner, revision),
            "ports": [{"name": "http", "port": port, "targetPort": "http", "protocol": "TCP", "appProtocol": "http"}],
        },
    }


def url(owner: Owner, port: int) -> str:
    """Return the address of the inference API inside the cluster."""
    ending = "" if port == 80 else f":{port}"
    return f"http://{owner.name}.{owner.namespace}{ending}"
