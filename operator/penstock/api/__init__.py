"""The four resources of `penstock.dev/v1alpha1`: types, CRDs, and what is refused before a cluster sees it."""

from penstock.api.findings import Finding
from penstock.api.model import Model
from penstock.api.pipeline import Pipeline
from penstock.api.resource import KINDS, Resource
from penstock.api.run import PipelineRun
from penstock.api.trigger import Trigger
from penstock.api.validation import load_file, notices_of, validate_file

__all__ = [
    "KINDS",
    "Finding",
    "Model",
    "Pipeline",
    "PipelineRun",
    "Resource",
    "Trigger",
    "load_file",
    "notices_of",
    "validate_file",
]
