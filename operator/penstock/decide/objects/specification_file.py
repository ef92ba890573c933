"""The ConfigMap that holds what a job is asked to do: written once, before its Job, and never changed."""

from penstock.decide.objects.children import Object, Owner, metadata
from penstock.decide.objects.folders import SPECIFICATION
from penstock_jobs import document
from penstock_jobs.errors import Refused
from penstock_jobs.specification import JobSpecification, ServedModel

MOST_BYTES = 1_000_000  # a little less than the API server takes (1 MiB, with all the rest of the object)


def specification_map(
    owner: Owner, name: str, labels: dict[str, str], specification: JobSpecification | ServedModel
) -> Object:
    """Return the ConfigMap.

    Raises:
        Refused: the specification is longer than any object of Kubernetes may be.
    """
    content = document.encode(specification).decode()
    if len(content.encode()) > MOST_BYTES:
        raise Refused(
            f"What the job is asked to do takes {len(content.encode()):,} bytes, and an object of Kubernetes holds "
            f"{MOST_BYTES:,}; give it fewer columns, algorithms or values."
        )
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(owner, name, labels),
        "immutable": True,
        "data": {SPECIFICATION: content},
    }
