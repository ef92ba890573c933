"""Parameters: what a Pipeline declares, what a run gives, and what is wrong with either.

A declared parameter is a bound variable of the inputs' query, as `:asOf`, or a whole segment of an input's address, as
`s3://lake/{asOf}/rows.csv`. What a run has in the end says `penstock.decide.parameters`.
"""

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar

from penstock.api.addresses import SEGMENT, is_segment, names_in_address
from penstock.api.findings import Fault, Path, closest_name, format_value, join_names
from penstock.api.scalars import PYTHON_NAME
from penstock.api.schema import Rule, Value, field
from penstock_jobs.contract.parameters import (
    MEANINGS,
    PATTERNS,
    SCHEDULED_TIME,
    ParameterType,
    ParameterValue,
    canonical_text,
)
from penstock_jobs.contract.query_parameters import names_in_query

if TYPE_CHECKING:  # the types of a Pipeline hold those of this file
    from penstock.api.pipeline import PipelineSpec

MOST = 16
LONGEST = 256
Text = Annotated[str, field("A value, as text.", max_length=LONGEST)]


class DeclaredParameter(Value, frozen=True, kw_only=True):
    """A value that each run of the Pipeline may give otherwise."""

    name: Annotated[
        str,
        field(
            "Its name: `:name` in `dataset.query`, and `{name}` as a whole segment of an input's `uri`.",
            min_length=1,
            max_length=63,
            pattern=PYTHON_NAME,
        ),
    ]
    type: Annotated[
        ParameterType,
        field(
            "Its type, as the query has it: text, a 64-bit integer, a floating-point number, a truth value, a day, or "
            "a moment."
        ),
    ]
    default: (
        Annotated[
            str,
            field(
                'Its value in a run that gives none, in quotes: `"30"`, `"2026-11-07"`. Without one a run must '
                "give it.",
                max_length=LONGEST,
            ),
        ]
        | None
    ) = None
    values: Annotated[
        tuple[Text, ...], field("The values that it may have; any of its type, where none is listed.", max_length=32)
    ] = ()
    description: Annotated[str, field("What it is for.", max_length=1024)] | None = None

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            f"self.name != '{SCHEDULED_TIME}'",
            f"A Trigger gives {SCHEDULED_TIME} to each of its runs, and nobody declares it; name this parameter "
            "otherwise.",
            field=".name",
        ),
        *(
            Rule(
                f"self.type != '{kind}' || ((!has(self.default) || self.default.matches({json.dumps(pattern)})) && "
                f"(!has(self.values) || self.values.all(each, each.matches({json.dumps(pattern)}))))",
                f"Its default and its values must each be {MEANINGS[kind]}.",
            )
            for kind, pattern in PATTERNS.items()
        ),
        Rule(
            "!has(self.default) || !has(self.values) || self.values.size() == 0 || self.default in self.values",
            "The default is not among values; write it as it is there, or add it.",
            field=".default",
        ),
    )


class GivenParameter(Value, frozen=True, kw_only=True):
    """The value of a parameter in this run."""

    name: Annotated[
        str,
        field(
            "Which parameter of the Pipeline; or `scheduledTime`, for a run that no Trigger makes.",
            min_length=1,
            max_length=63,
            pattern=PYTHON_NAME,
        ),
    ]
    value: Annotated[
        str,
        field('Its value, in quotes where it would be no text: `"30"`, `"2026-11-07"`, `"true"`.', max_length=LONGEST),
    ]


def declaration_faults(spec: "PipelineSpec") -> Iterator[Fault]:
    """Yield what is wrong with the parameters that a Pipeline declares and uses, which the API server does not see."""
    seen: dict[str, str] = {}
    for index, declared in enumerate(spec.parameters):
        path: Path = ("spec", "parameters", index)
        twin = seen.setdefault(declared.name.lower(), declared.name)
        if twin != declared.name or declared.name.lower() == SCHEDULED_TIME.lower():
            other = SCHEDULED_TIME if twin == declared.name else twin
            yield Fault((*path, "name"), f"is {declared.name}, which SQL does not tell from {other}; name it otherwise")
        for place, text in (
            (("default",), declared.default),
            *((("values", i), v) for i, v in enumerate(declared.values)),
        ):
            if text is not None:
                yield from _value_faults(spec, declared, text, (*path, *place))
    yield from _use_faults(spec)


def given_faults(spec: "PipelineSpec", given: Sequence[GivenParameter]) -> Iterator[Fault]:
    """Yield what is wrong with the parameters that a run of the Pipeline gives, beside its Pipeline."""
    declared = {each.name: each for each in known_parameters(spec)}
    for index, each in enumerate(given):
        path: Path = ("spec", "parameters", index)
        if each.name not in declared:
            sentence = f"is {each.name}, which the Pipeline does not declare; {_known(each.name, tuple(declared))}"
            yield Fault((*path, "name"), sentence)
        else:
            yield from _value_faults(spec, declared[each.name], each.value, (*path, "value"))


def known_parameters(spec: "PipelineSpec") -> tuple[DeclaredParameter, ...]:
    """Return the parameters that a run of the Pipeline may have: those declared, and the moment of a Trigger."""
    return (*spec.parameters, DeclaredParameter(name=SCHEDULED_TIME, type="Timestamp"))


def used_parameters(spec: "PipelineSpec") -> dict[str, Path]:
    """Return the names of the parameters that the Pipeline uses, and the field that uses each first."""
    if spec.dataset is None:
        return {}
    query, path = spec.dataset.query, ("spec", "dataset", "query")
    used: dict[str, Path] = dict.fromkeys(names_in_query(query), path) if query is not None else {}
    for index, table in enumerate(spec.dataset.inputs):
        for name in names_in_address(table.uri):
            used.setdefault(name, ("spec", "dataset", "inputs", index, "uri"))
    return used


def as_value(declared: DeclaredParameter, text: str) -> ParameterValue:
    """Return the parameter with the value that the text means, which has no fault."""
    return ParameterValue(name=declared.name, type=declared.type, value=canonical_text(declared.type, text))


def _value_faults(spec: "PipelineSpec", declared: DeclaredParameter, text: str, path: Path) -> Iterator[Fault]:
    said = f"is {format_value(text)} for {declared.name}, which"
    try:
        value = canonical_text(declared.type, text)
        allowed = {canonical_text(declared.type, each): each for each in declared.values}
    except ValueError as error:
        yield Fault(path, f"{said} {error}")
        return
    if allowed and value not in allowed:
        yield Fault(path, f"{said} is not allowed; {declared.name} is {join_names(map(format_value, declared.values))}")
    for index, table in enumerate(spec.dataset.inputs if spec.dataset else ()):
        if declared.name in names_in_address(table.uri) and not is_segment(value):
            yield Fault(
                path, f"{said} spec.dataset.inputs[{index}].uri has as a segment of its path; that is {SEGMENT}"
            )


def _use_faults(spec: "PipelineSpec") -> Iterator[Fault]:
    used, known = used_parameters(spec), tuple(each.name for each in known_parameters(spec))
    for name, path in used.items():
        if name not in known:
            written = f":{name}" if path[-1] == "query" else f"{{{name}}}"
            sentence = f"has {written}, and spec.parameters declares no {name}; declare it there, with a type"
            likely = closest_name(name, known)
            yield Fault(path, f"{sentence}, or did you mean {likely}?" if likely else sentence)
    for index, declared in enumerate(spec.parameters):
        if declared.name not in used:
            sentence = (
                f"is {declared.name}, which nothing uses; write :{declared.name} in spec.dataset.query, or "
                f"{{{declared.name}}} as a segment of an input's uri, or remove the parameter"
            )
            yield Fault(("spec", "parameters", index, "name"), sentence)


def _known(name: str, known: tuple[str, ...]) -> str:
    likely = closest_name(name, known)
    return f"did you mean {likely}?" if likely else f"it knows {join_names(known)}"
