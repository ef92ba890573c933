"""How a field of a resource is described: once, for Python, for the CRD and for `kubectl explain`.

A resource is a frozen struct. Each of its fields is `Annotated[type, field("What it is.", bounds…)]`; each struct may
carry `rules`, the CEL rules that cross its fields. `penstock.api.crd` turns both into a structural schema, and
`penstock.api.validation` reads that very schema, so the three cannot differ.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from msgspec import Meta

from penstock_jobs.contract.document import Document

GROUP = "penstock.dev"
VERSION = "v1alpha1"
API_VERSION: Literal["penstock.dev/v1alpha1"] = "penstock.dev/v1alpha1"


@dataclass(frozen=True)
class Rule:
    """A CEL rule of a struct: what must hold of `self` (and, on an update, of `oldSelf`), and the sentence if not.

    `field` is the path, below the struct, of the field that the sentence is about, as `.spec.name`.
    """

    rule: str
    message: str
    field: str | None = None

    def as_schema(self) -> dict[str, str]:
        """Return the rule as an element of `x-kubernetes-validations`."""
        schema = {"rule": self.rule, "message": self.message}
        if self.field is not None:
            schema["fieldPath"] = self.field
        return schema


class Value(Document, frozen=True, kw_only=True):
    """A part of a resource: frozen, camelCase, unknown fields refused."""

    rules: ClassVar[tuple[Rule, ...]] = ()
    # CEL cannot see a field of any type, so what may be given once among such fields is said by the schema itself.
    exactly_one: ClassVar[tuple[str, ...]] = ()


def field(
    description: str,
    *,
    keys: tuple[str, ...] = (),
    unique: bool = False,
    preserve_unknown: bool = False,
    atomic: bool = False,
    text: dict[str, Any] | None = None,
    **bounds: Any,
) -> Meta:
    """Return the description and the bounds of a field.

    Args:
        description: what `kubectl explain` says of it, in sentences.
        keys: the fields that name an item of a list; makes it a list of type `map`.
        unique: no item of the list twice; makes it a list of type `set`.
        preserve_unknown: fields beneath it are another API's, and are kept as they are.
        atomic: a map that is replaced as a whole.
        text: bounds of the text of a field that is an integer or text.
        bounds: those of `msgspec.Meta`: `ge`, `le`, `min_length`, `max_length`, `pattern`.
    """
    extra: dict[str, Any] = {}
    if keys:
        extra |= {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}
    if unique:
        extra["x-kubernetes-list-type"] = "set"
    if preserve_unknown:
        extra["x-kubernetes-preserve-unknown-fields"] = True
    if atomic:
        extra["x-kubernetes-map-type"] = "atomic"
    if text is not None:
        extra |= text
    return Meta(description=description, extra_json_schema=extra or None, **bounds)


def immutable(sentence: str, *names: str) -> tuple[Rule, ...]:
    """Return rules by which these fields, some of them optional, keep what they had at first."""
    return tuple(
        Rule(
            f"has(self.{name}) == has(oldSelf.{name}) && (!has(self.{name}) || self.{name} == oldSelf.{name})",
            sentence,
            field=f".{name}",
        )
        for name in names
    )


JobName = Literal["dataset", "training", "testing", "deployment"]
JOBS: tuple[JobName, ...] = ("dataset", "training", "testing", "deployment")
