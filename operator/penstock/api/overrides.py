"""Overrides of a run: fields of its Pipeline's spec that have other values in this run, and nowhere else.

An override sets the field at its path to its value, as `kubectl set` or helm's `--set` would: what was there is
replaced as a whole. An item of a list is named by its key (`training.algorithms.forest.parameters.max_depth.values`);
where the list has no such item the value becomes a new one. Without a value the field is as if nobody had said it. They
go one after the other, and the whole is then checked as a Pipeline of its own.

Where the address of an input, or of the repository, is another, the Pipeline's credentials for it do not come along:
whoever writes the run might not be allowed to use them. `spec.credentials` names some for the run.
"""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import msgspec

from penstock.api.admission import pipeline_faults, spec_schema
from penstock.api.findings import Fault, Path, closest_name, join_names
from penstock.api.override_rights import right_of
from penstock.api.pipeline import Pipeline
from penstock.api.renamed_fields import FORMER_NAMES
from penstock.api.run import REFUSED_OVERRIDE, Override
from penstock.api.structural import Schema, item_key

_ADDRESS = ("uri", "endpoint", "region")


@dataclass(frozen=True)
class Overridden:
    """A Pipeline with the overrides of a run: the spec as a manifest has it, where each override went, what is wrong.

    `places` are the paths of the overrides in the spec, as indexes and names of fields, in their order.
    """

    spec: dict[str, Any]
    places: tuple[Path, ...]
    faults: tuple[Fault, ...]


def apply_overrides(spec: dict[str, Any], overrides: Sequence[Override]) -> Overridden:
    """Return the spec of a Pipeline, as a manifest has it, with these overrides; nothing of the whole is checked."""
    made, places, faults = deepcopy(spec), [], []
    for index, override in enumerate(overrides):
        parts = tuple(override.path.split("."))
        try:
            places.append(_set(made, spec_schema("Pipeline"), parts, override.value))
        except _NoSuchFieldError as error:
            places.append(parts)
            faults.append(Fault(("spec", "overrides", index, "path"), error.sentence))
        _forget_credentials(made, places[-1])
    return Overridden(made, tuple(places), tuple(faults))


def override_faults(pipeline: Pipeline, overrides: Sequence[Override]) -> tuple[Fault, ...]:
    """Return what is wrong with a run that has these overrides of this Pipeline: what they, and only they, bring."""
    if not overrides:
        return ()
    before = _plain(pipeline)
    made = apply_overrides(before["spec"], overrides)
    wrong = made.faults or tuple(_faults_without_right(overrides))
    if wrong:
        return wrong
    known = {(fault.path, fault.sentence) for fault in pipeline_faults(before)}
    found = [each for each in pipeline_faults({**before, "spec": made.spec}) if (each.path, each.sentence) not in known]
    return tuple(_fault_of_run(fault, made.places) for fault in found)


def unknown_field(path: str) -> str | None:
    """Return what is said of a path that leads to no field of any Pipeline, or None where it leads to one."""
    schema = spec_schema("Pipeline")
    for part in path.split("."):
        if schema.get("type") == "array":
            schema = schema["items"]
        elif {"properties", "additionalProperties"} & set(schema):
            try:
                schema = _field_of(schema, part)
            except _NoSuchFieldError as error:
                return error.sentence
    return None


def first_by_right(overrides: Sequence[Override]) -> tuple[int, str] | None:
    """Return which override is the first that only who may update the Pipeline may make, and its path."""
    found = ((index, each.path) for index, each in enumerate(overrides) if right_of(each.path) == "Pipeline")
    return next(found, None)


def with_overrides(pipeline: Pipeline, overrides: Sequence[Override]) -> Pipeline:
    """Return the Pipeline as a run with these overrides takes it. They have no faults."""
    if not overrides:
        return pipeline
    plain = _plain(pipeline)
    plain["spec"] = apply_overrides(plain["spec"], overrides).spec
    spec = msgspec.convert(plain, Pipeline).spec
    return msgspec.structs.replace(pipeline, spec=spec)


def _faults_without_right(overrides: Sequence[Override]) -> Iterator[Fault]:
    """Yield the overrides that no run may make: the CRD refuses them too, but there may be an older one."""
    for index, each in enumerate(overrides):
        if right_of(each.path) is None:
            yield Fault(("spec", "overrides", index, "path"), REFUSED_OVERRIDE)


class _NoSuchFieldError(Exception):
    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def _plain(pipeline: Pipeline) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(pipeline))
    return {**found, "metadata": {"name": pipeline.metadata.name or "any"}, "status": {}}


def _set(there: Any, schema: Schema, parts: Path, value: Any) -> Path:
    """Set the field of that path beneath `there`; return where it is, with the indexes of items."""
    part, rest = str(parts[0]), parts[1:]
    if not {"items", "properties", "additionalProperties"} & set(schema):
        raise _NoSuchFieldError(f"goes on with {part} where there is a value without fields; end it before that")
    if schema.get("type") == "array" and isinstance(there, list):
        return _set_in_list(there, schema, part, rest, value)
    if schema.get("type") == "array" or not isinstance(there, dict):
        raise _NoSuchFieldError(f"goes on with {part} beneath what another override made something else; remove one")
    beneath = _field_of(schema, part)
    if not rest:
        if value is None:
            there.pop(part, None)
        else:
            there[part] = deepcopy(value)
        return (part,)
    return (part, *_set(there.setdefault(part, [] if beneath.get("type") == "array" else {}), beneath, rest, value))


def _field_of(schema: Schema, part: str) -> Schema:
    beneath: Schema | None = schema.get("properties", {}).get(part) or schema.get("additionalProperties")
    if beneath is not None:
        return beneath
    if former := schema.get(FORMER_NAMES, {}).get(part):
        raise _NoSuchFieldError(f"has {part}, which {former['sentence']}")
    known = sorted(schema["properties"])
    likely = closest_name(part, known)
    ending = f"did you mean {likely}?" if likely else f"there are {join_names(known)}"
    raise _NoSuchFieldError(f"has {part}, which is an unknown field; {ending}")


def _set_in_list(there: list[Any], schema: Schema, part: str, rest: Path, value: Any) -> Path:
    key = item_key(schema)
    if key is None:
        raise _NoSuchFieldError(f"goes on with {part} in a list whose items have no name; give the whole list")
    names = [str(each.get(key)) if isinstance(each, dict) else "" for each in there]
    if part not in names and rest and part in schema["items"]["properties"][key].get("enum", ()):
        there.append({key: part})  # a job that the Pipeline says nothing of is a job all the same
        names.append(part)
    if part in names:
        index = names.index(part)
        if rest:
            return (index, *_set(there[index], schema["items"], rest, value))
        there[index : index + 1] = [] if value is None else [_item(key, part, value)]
        return (index,)
    if rest or value is None:
        ending = f"there are {join_names(names)}" if names else "there is none"
        raise _NoSuchFieldError(f"names {part}, and the Pipeline has no such item; {ending}")
    there.append(_item(key, part, value))
    return (len(there) - 1,)


def _item(key: str, name: str, value: Any) -> Any:
    return {**value, key: name} if isinstance(value, dict) else value  # its name is that of the path, whatever it says


def _forget_credentials(spec: dict[str, Any], place: Path) -> None:
    if len(place) == 4 and place[:2] == ("dataset", "inputs") and place[3] in _ADDRESS:
        spec["dataset"]["inputs"][place[2]].pop("credentials", None)
    if place == ("source", "git", "url"):
        spec["source"]["git"].pop("credentials", None)


def _fault_of_run(fault: Fault, places: Sequence[Path]) -> Fault:
    """Return the fault of the whole as one of the run: of the last override that set it, or of all of them."""
    path = (*fault.path, *fault.beside)[1:]
    for index, place in reversed(list(enumerate(places))):
        if path[: len(place)] == place:
            return Fault(("spec", "overrides", index, "value"), fault.sentence, path[len(place) :])
    separator = ": " if fault.sentence[:1].isupper() else " "
    return Fault(("spec", "overrides"), f"make a Pipeline that is wrong: {fault.field}{separator}{fault.sentence}")
