"""The ConfigMap that holds what a job is asked to do: written once, before its Job, and never changed."""

from penstock.decide.objects.children import Object, Owner, labels, metadata, specification_name
from penstock.decide.objects.folders import SNAPSHOT, SPECIFICATION
from penstock_jobs.contract import document
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import JobSpecification, ServerSpec

MOST_BYTES = 1_000_000  # a little less than the API server takes (1 MiB, with all the rest of the object)


def specification_file(
    owner: Owner,
    part: str,
    specification: JobSpecification | ServerSpec,
    snapshot: str | None = None,
    index: int = 1,
    edition: int = 1,
) -> Object:
    """Return the ConfigMap; `snapshot` is what the run was, which its job puts into storage before anything else.

    `index` is that of the run's execution name: another one is another place in the storage. A try that has more memory
    than the one before is told so, in another `edition`.

    Raises:
        Refused: together they are longer than any object of Kubernetes may be.
    """
    data = {SPECIFICATION: document.encode(specification).decode()} | ({SNAPSHOT: snapshot} if snapshot else {})
    size = sum(len(content.encode()) for content in data.values())
    if size > MOST_BYTES:
        raise Refused(
            f"What the {part} job is asked to do takes {size:,} bytes, and an object of Kubernetes holds "
            f"{MOST_BYTES:,}; give it fewer columns, algorithms or values."
        )
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(owner, specification_name(owner, part, index, edition), labels(owner, part, index=index)),
        "immutable": True,
        "data": data,
    }
