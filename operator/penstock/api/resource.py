"""The four resources, by their kind."""

from penstock.api.model import Model
from penstock.api.pipeline import Pipeline
from penstock.api.run import PipelineRun
from penstock.api.trigger import Trigger

Resource = Pipeline | PipelineRun | Trigger | Model

KINDS: dict[str, type[Resource]] = {
    "Pipeline": Pipeline,
    "PipelineRun": PipelineRun,
    "Trigger": Trigger,
    "Model": Model,
}
