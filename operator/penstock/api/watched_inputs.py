"""Which input of a Pipeline a Trigger can wait for files of: one whose files can be listed, whatever a run gives."""

from penstock.api.addresses import names_in_address
from penstock.api.dataset import Input
from penstock.api.findings import join_names
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
    inputs = spec.dataset.inputs if spec.dataset is not None else ()
    found = next((each for each in inputs if each.name == name), None)
    if found is None:
        instead = f"name {join_names(each.name for each in inputs)}" if inputs else "add it there"
        raise Refused(f"spec.objects.input is {name}, and the Pipeline {pipeline} has no such input; {instead}.")
    parameters = names_in_address(found.uri)
    if parameters:
        raise Refused(
            f"spec.objects.input is {name}, whose uri in the Pipeline {pipeline} is {found.uri}: where that is, only a "
            f"run knows, which has a value for {', '.join(parameters)}; name an input whose uri has no parameter, or "
            "use schedule."
        )
    if found.version is not None:
        raise Refused(
            f"spec.objects.input is {name}, of which the Pipeline {pipeline} reads version {found.version} alone, so "
            "nothing that arrives there changes a run; remove version from the input, or use schedule."
        )
    return found
