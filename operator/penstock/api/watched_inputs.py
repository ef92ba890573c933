"""Which input of a Pipeline a Trigger can wait for files of: one whose files can be listed, whatever a run gives."""

from penstock.api.addresses import names_in_address
from penstock.api.dataset import Input
from penstock.api.findings import Fault, join_names
from penstock.api.pipeline import PipelineSpec
from penstock_jobs.contract.errors import Refused


def find_watched_input(spec: PipelineSpec, pipeline: str, name: str) -> Input:
    """Return the input of that name.

    Args:
        spec: that of the Pipeline.
        pipeline: the name of the Pipeline, for the sentence.
        name: the input, as the Trigger names it.

    Raises:
        Refused: there is none, or nothing can arrive there.
    """
    fault = watched_input_fault(spec, pipeline, name)
    if fault is not None:
        raise Refused(fault.full_sentence)
    return next(each for each in _inputs(spec) if each.name == name)


def watched_input_fault(spec: PipelineSpec, pipeline: str, name: str) -> Fault | None:
    """Return why nothing can arrive for the input of that name, or None where it can."""
    found = next((each for each in _inputs(spec) if each.name == name), None)
    sentence = _why_not(found, pipeline, name, [each.name for each in _inputs(spec)])
    return None if sentence is None else Fault(("spec", "objects", "input"), f"is {name}, {sentence}")


def _why_not(found: Input | None, pipeline: str, name: str, names: list[str]) -> str | None:
    if found is None:
        instead = f"name {join_names(names)}" if names else "add it there"
        return f"and the Pipeline {pipeline} has no such input; {instead}"
    if parameters := names_in_address(found.uri):
        return (
            f"whose uri in the Pipeline {pipeline} is {found.uri}: where that is, only a run knows, which has a value "
            f"for {', '.join(parameters)}; name an input whose uri has no parameter, or use schedule"
        )
    if found.version is not None:
        return (
            f"of which the Pipeline {pipeline} reads version {found.version} alone, so nothing that arrives there "
            "changes a run; remove version from the input, or use schedule"
        )
    return None


def _inputs(spec: PipelineSpec) -> tuple[Input, ...]:
    return spec.dataset.inputs if spec.dataset is not None else ()
