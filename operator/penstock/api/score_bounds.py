"""A Trigger's bound on the served Model's score: it names what the Pipeline's testing computes, on its right side."""

from collections.abc import Iterator

from penstock.api.findings import Fault, closest_name
from penstock.api.pipeline import PipelineSpec
from penstock.api.quantities import read_number
from penstock.api.run import MOST_SCORES
from penstock.api.scoring import Scoring
from penstock.api.trigger_sources import ModelSource
from penstock_jobs.contract.gate import is_error
from penstock_jobs.contract.specification import SelectionSpec


def scorings_of_testing(spec: PipelineSpec) -> tuple[Scoring, ...]:
    """Return the scoring functions that testing uses: without any of its own, the one that ranks the candidates."""
    own = spec.testing.scoring if spec.testing else ()
    return own or ((spec.training.scoring,) if spec.training else ())


def is_greater_better(spec: PipelineSpec, scoring: str) -> bool:
    """Return whether a greater result of a scoring function is a better one, as far as the Pipeline says."""
    own = next((each for each in scorings_of_testing(spec) if each.name == scoring), None)
    return own is None or own.greater_is_better is not False


def bound_of(source: ModelSource, spec: PipelineSpec) -> SelectionSpec:
    """Return the bound as the gate has one."""
    return SelectionSpec(
        scoring=source.scoring,
        greater_is_better=is_greater_better(spec, source.scoring),
        minimum=None if source.minimum is None else read_number(source.minimum, "spec.model.minimum"),
        maximum=None if source.maximum is None else read_number(source.maximum, "spec.model.maximum"),
    )


def bound_faults(source: ModelSource, spec: PipelineSpec) -> Iterator[Fault]:
    """Yield what is wrong with the bound beside the Pipeline."""
    names = [each.name for each in scorings_of_testing(spec)]
    if source.scoring not in names:
        likely = closest_name(source.scoring, names)
        ending = f"did you mean {likely}?" if likely else "add it to testing.scoring of the Pipeline"
        yield Fault(
            ("spec", "model", "scoring"), f"is {source.scoring}, which testing of the Pipeline does not use; {ending}"
        )
        return
    if (place := names.index(source.scoring)) >= MOST_SCORES:
        yield Fault(
            ("spec", "model", "scoring"),
            f"is {source.scoring}, number {place + 1} of testing.scoring, and the status of a run has room for the "
            f"first {MOST_SCORES}; move it up there",
        )
    bound = bound_of(source, spec)
    if bound.maximum is not None and not is_error(bound):
        sentence = f"is for errors, and of {source.scoring} more is better; use minimum"
        yield Fault(("spec", "model", "maximum"), sentence)
    if bound.minimum is not None and bound.minimum > 0 and is_error(bound):
        yield Fault(
            ("spec", "model", "minimum"),
            f"is {source.minimum}, and {source.scoring} is an error: its score, the error with a minus sign, reaches "
            "no positive minimum; write the greatest error to accept as maximum",
        )
