"""The Model object: found by its Pipeline and its run, and owned by nobody, since it outlives both."""

import msgspec

from penstock.api.model import Model
from penstock.decide.objects.children import Object, Owner, as_json, labels


def model(owner: Owner, made: Model) -> Object:
    """Return the object of a Model that a run made; its labels are those of the run's children."""
    content = as_json(msgspec.structs.replace(made, status=None))
    own = {**made.metadata.labels, **labels(owner)}
    return {
        "apiVersion": content["apiVersion"],
        "kind": content["kind"],
        "metadata": {"name": made.metadata.name, "namespace": owner.namespace, "labels": own},
        "spec": content["spec"],
    }
