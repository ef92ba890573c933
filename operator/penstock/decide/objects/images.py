"""Which image a step runs in: the settings' own, else the smallest of Penstock's that has what the step needs.

A tag may move while a run goes on: what the first pod found under it is what every later pod of the run is given.
"""

import re

from penstock.api.jobs import JobSettings
from penstock.api.model import Model
from penstock.api.pipeline import PipelineSpec
from penstock.decide.job_specification import settings_of
from penstock.decide.settings import Images

_DIGEST = re.compile(r"(?P<repository>\S+)@(?P<digest>sha256:[0-9a-f]{64})")
_OF_TORCH = ("penstock_jobs.networks.", "torch.", "skorch.")


def serving_image(model: Model, settings: JobSettings, images: Images) -> str:
    """Return the image of a Model's servers; where its file needs scikit-learn, the one it was trained in."""
    if settings.image is not None:
        return settings.image
    return images.serving if model.spec.serving.format == "ONNX" else model.spec.serving.image or images.jobs


def image_of_models(spec: PipelineSpec, images: Images) -> str:
    """Return the image that can read what is trained: one's own, else the jobs' own: networks are served as ONNX."""
    return settings_of(spec, "training").image or images.jobs


def image_of(part: str, spec: PipelineSpec, settings: JobSettings, images: Images) -> str:
    """Return the image of a part; the one with torch where an estimator is a network, or a GPU is asked for."""
    if part == "source":
        return images.source
    if settings.image is not None:
        return settings.image
    if part != "dataset" and settings.gpu is not None:
        return images.torch
    algorithms = spec.training.algorithms if spec.training and part == "training" else ()
    return images.torch if any(each.estimator.startswith(_OF_TORCH) for each in algorithms) else images.jobs


def pin_image(reference: str, image_id: str) -> str | None:
    """Return the image by its digest, as a node found it; None where no registry can be asked for it so.

    Args:
        reference: the image as the pod names it, by a tag.
        image_id: what the node says that it runs, of the container's status.
    """
    found = _DIGEST.search(image_id)
    # An image that was not pulled has an identity on its node, which is nothing to pull by.
    if found is None or "@" in reference or _whole(found["repository"]) != _whole(_repository(reference)):
        return None
    return f"{_repository(reference)}@{found['digest']}"


def _repository(reference: str) -> str:
    folder, slash, name = reference.rpartition("/")
    return f"{folder}{slash}{name.partition(':')[0]}"


def _whole(repository: str) -> str:
    """Return the repository with what runtimes put before it: `penstock/jobs` is `docker.io/penstock/jobs`."""
    name = repository.rpartition("://")[2]
    host, slash, _ = name.partition("/")
    if not slash:
        return f"docker.io/library/{name}"
    return name if "." in host or ":" in host or host == "localhost" else f"docker.io/{name}"
