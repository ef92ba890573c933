"""`--set PATH=VALUE`: an override of a run, as `spec.overrides` of its manifest would have it."""

from typing import Any

import msgspec

from penstock.api.admission import refusals
from penstock.api.manifests import NotYamlError, read_manifests
from penstock.api.overrides import unknown_field
from penstock.api.run import REFUSED_OVERRIDE, Override, PipelineRunSpec
from penstock.api.schema import API_VERSION
from penstock_jobs.contract.errors import Refused


def with_set(spec: PipelineRunSpec, said: tuple[str, ...]) -> PipelineRunSpec:
    """Return the run with these overrides too; they come after those of its manifest, and in place of the same path.

    Raises:
        Refused: one is not of the form PATH=VALUE, or the API server would not take it.
    """
    if not said:
        return spec
    given = {override.path: override for override in spec.overrides}
    for text in said:
        override = _read(text)
        given.pop(override.path, None)
        given[override.path] = override
    return msgspec.structs.replace(spec, overrides=tuple(given.values()))


def _read(text: str) -> Override:
    path, separator, value = text.partition("=")
    if not separator:
        raise Refused(f"--set is {text}; write a field of the Pipeline and its value, as training.keep=1.")
    plain: dict[str, Any] = {"path": path.strip(), "value": _value(path, value)}
    manifest = {"apiVersion": API_VERSION, "kind": "PipelineRun", "metadata": {"name": "any"}}
    wrong = refusals({**manifest, "spec": {"pipelineRef": {"name": "any"}, "overrides": [plain]}})
    if wrong and wrong[0].sentence == REFUSED_OVERRIDE and (sentence := unknown_field(plain["path"])):
        raise Refused(f"--set {path} {sentence}{'' if sentence.endswith('?') else '.'}")
    if wrong:
        said = wrong[0].full_sentence.removeprefix("spec.overrides[0].path")
        raise Refused(f"--set {path}{said}")
    return msgspec.convert(plain, Override)


def _value(path: str, text: str) -> object:
    """Return the value as a manifest of that text has it; none at all removes the field."""
    if not text.strip():
        return None
    try:
        (found,) = read_manifests(f"value: {text}")
    except (NotYamlError, ValueError) as error:
        raise Refused(f"--set {path} has a value that is no YAML; write one as 3, [4, 8] or 'yes'.") from error
    return found.value.get("value")
