"""What is the same of a run when it comes back as another object: from a backup, or applied again in a new cluster."""

import hashlib

import msgspec

from penstock.api.run import PipelineRun
from penstock.decide.objects.children import as_json


def identity_of(run: PipelineRun) -> str:
    """Return a digest of the run's name and of what it asks for, without what may change of that.

    Fields that have their defaults are left out, so that a field that a newer version has makes no other run of it.
    """
    asked = as_json(msgspec.structs.replace(run.spec, suspend=False, cancel=False))
    content = msgspec.json.encode([run.metadata.name, asked], order="sorted")
    return hashlib.sha256(content).hexdigest()
