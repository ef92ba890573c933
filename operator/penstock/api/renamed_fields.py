"""What fields of v1alpha1 were called, or held, before: an older manifest is refused with the words of today.

The validator says so of a file. In the CRD a field of an old name stays, so that the API server gets as far as the rule
that refuses it; what only holds another type now has nothing there but the error of the schema. Nothing reads either.
"""

from dataclasses import dataclass
from typing import Any

# In the schema of an object, its fields' old names; in that of a field, the type that it had. Neither is published.
FORMER_NAMES = "x-penstock-former-names"
FORMER_TYPE = "x-penstock-former-type"


@dataclass(frozen=True)
class RenamedField:
    """A field that had another name: in which type of `penstock.api`, and the type that its value had."""

    struct: str
    old: str
    new: str
    type: str
    example: str

    @property
    def sentence(self) -> str:
        """What is said of the old name, behind it."""
        return f"is {self.new} now; write {self.example}"


@dataclass(frozen=True)
class RetypedField:
    """A field that had a value of another type; `type` is that one."""

    struct: str
    name: str
    type: str
    sentence: str


RENAMED = (
    RenamedField("JobSettings", "environment", "env", "array", "env: [{name: NAME, value: VALUE}]"),
    RenamedField("ModelOrigin", "pipeline", "pipelineRef", "string", "pipelineRef: {name: NAME}"),
    RenamedField("ModelOrigin", "pipelineUid", "pipelineRef.uid", "string", "pipelineRef: {name: NAME, uid: UID}"),
    RenamedField("ModelOrigin", "run", "runRef", "string", "runRef: {name: NAME, uid: UID}"),
    RenamedField("ModelOrigin", "runUid", "runRef.uid", "string", "runRef: {name: NAME, uid: UID}"),
    RenamedField("ModelSpec", "created", "creationTime", "string", "creationTime: TIME"),
)
RETYPED = (
    RetypedField("PipelineSpec", "jobs", "object", "is a list by name now; write jobs: [{name: training, …}]"),
    RetypedField("ScheduleSource", "cron", "string", 'is a list now; write cron: ["0 3 * * *"]'),
    RetypedField("ImagePullSecret", "", "string", "is an object now; write imagePullSecrets: [{name: NAME}]"),
)
ANNOTATIONS = {
    "penstock.dev/pinned-model": "is spec.deployment.model now; write it there, or leave it to penstock deploy",
}


def with_former_fields(schema: dict[str, Any], struct: type) -> dict[str, Any]:
    """Return the schema of a struct with what its fields were called, or held, before."""
    structs = {each.__name__ for each in struct.__mro__}
    names = {each.old: {"type": each.type, "sentence": each.sentence} for each in RENAMED if each.struct in structs}
    schema = schema | ({FORMER_NAMES: names} if names else {})
    for each in RETYPED:
        if each.struct in structs:
            former = {FORMER_TYPE: {"type": each.type, "sentence": each.sentence}}
            fields: dict[str, Any] = schema["properties"]
            schema |= {"properties": fields | {each.name: fields[each.name] | former}} if each.name else former
    return schema


def with_refusals_of_former_names(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema as it is published: with a field for each old name, and a rule that refuses it."""
    published = {name: _beneath(name, each) for name, each in schema.items() if name not in (FORMER_NAMES, FORMER_TYPE)}
    if not published.get("properties", True):
        del published["properties"]  # of an object without fields; stored, it would not be as it was sent
    for old, former in schema.get(FORMER_NAMES, {}).items():
        sentence = f"{old} {former['sentence']}."
        rule = {"rule": f"!has(self.{old})", "message": sentence, "fieldPath": f".{old}"}
        published["properties"] = published.get("properties", {}) | {old: _placeholder(former["type"], sentence)}
        published["x-kubernetes-validations"] = [*published.get("x-kubernetes-validations", ()), rule]
    return published


def _beneath(name: str, value: Any) -> Any:
    match name, value:
        case ("properties", dict()):
            return {field: with_refusals_of_former_names(each) for field, each in value.items()}
        case ("items" | "additionalProperties", dict()):
            return with_refusals_of_former_names(value)
    return value


def _placeholder(kind: str, sentence: str) -> dict[str, Any]:
    # A rule sees a field only where its type is said.
    schema: dict[str, Any] = {"description": f"Refused: {sentence}", "type": kind}
    if kind == "array":
        schema["items"] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return schema
