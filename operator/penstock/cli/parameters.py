"""`--param NAME=VALUE`: a parameter of a run, as `spec.parameters` of its manifest would have it."""

import msgspec

from penstock.api.admission import refusals
from penstock.api.parameters import GivenParameter
from penstock.api.run import PipelineRunSpec
from penstock.api.schema import API_VERSION
from penstock_jobs.contract.errors import Refused


def with_parameters(spec: PipelineRunSpec, said: tuple[str, ...]) -> PipelineRunSpec:
    """Return the run with these parameters too, in place of those of its manifest that have the same names.

    Raises:
        Refused: one is not of the form NAME=VALUE, is said twice, or the API server would not take it.
    """
    given = {each.name: each for each in spec.parameters} | read_parameters(said)
    return msgspec.structs.replace(spec, parameters=tuple(given.values())) if said else spec


def read_parameters(said: tuple[str, ...]) -> dict[str, GivenParameter]:
    """Return the parameters that were given so, by their names.

    Raises:
        Refused: one is not of the form NAME=VALUE, is said twice, or the API server would not take it.
    """
    found: dict[str, GivenParameter] = {}
    for text in said:
        parameter = _read(text)
        if parameter.name in found:
            raise Refused(f"--param gives {parameter.name} twice; remove one.")
        found[parameter.name] = parameter
    return found


def _read(text: str) -> GivenParameter:
    name, separator, value = text.partition("=")
    if not separator:
        raise Refused(f"--param is {text}; write the name of a parameter and its value, as asOf=2026-11-07.")
    plain = {"name": name.strip(), "value": value}
    manifest = {"apiVersion": API_VERSION, "kind": "PipelineRun", "metadata": {"name": "any"}}
    wrong = refusals({**manifest, "spec": {"pipelineRef": {"name": "any"}, "parameters": [plain]}})
    if wrong:
        raise Refused(f"--param {name}: {wrong[0].full_sentence.removeprefix('spec.parameters[0].')}")
    return msgspec.convert(plain, GivenParameter)
