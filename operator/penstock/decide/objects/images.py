"""Which image a step runs in: the settings' own, else the smallest of Penstock's that has what the step needs."""

from penstock.api.jobs import JobSettings
from penstock.api.model import Model
from penstock.api.pipeline import PipelineSpec
from penstock.decide.settings import Images

_OF_TORCH = ("penstock_jobs.training.network.", "torch.", "skorch.")


def serving_image(model: Model, settings: JobSettings, images: Images) -> str:
    """Return the image of a Model's servers; the jobs' own where its file needs scikit-learn to be read."""
    if settings.image is not None:
        return settings.image
    return images.serving if model.spec.serving.format == "ONNX" else images.jobs


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
