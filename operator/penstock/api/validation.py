"""What the cluster would refuse, found before it is asked, with the line: all of it at once.

A manifest is read as kubectl reads it and checked against the schema and the CEL rules of the very CRD; then comes what
only the operator could see. What nothing implements yet is refused, so that no field is ever silently ignored.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path as File
from typing import Any

import msgspec

from penstock.api import definitions, structure
from penstock.api.cluster_only import cluster_only
from penstock.api.findings import Fault, Finding, listed, proposal, shown
from penstock.api.manifests import Manifest, NotYamlError, read_manifests
from penstock.api.metadata_schema import metadata_schema
from penstock.api.not_yet import not_yet
from penstock.api.resource import KINDS, Resource
from penstock.api.rules import broken_rules
from penstock.api.schema import API_VERSION
from penstock.api.semantics import semantic_faults
from penstock.api.structural import Schema
from penstock.api.together import faults_between
from penstock_jobs.errors import Refused

_LONGEST_PREFIX = 58


@dataclass(frozen=True)
class Checked:
    """A file, read: its resources (those of documents that are right), what is wrong, what only a cluster heeds."""

    resources: tuple[Resource, ...]
    findings: tuple[Finding, ...]
    notices: tuple[Finding, ...]


def validate_file(path: File | str) -> list[Finding]:
    """Return everything that is wrong in the manifests of a file, in the order of its lines."""
    return list(check_file(path).findings)


def load_file(path: File | str) -> list[Resource]:
    """Return the resources that a file describes, or raise `Refused` with everything that is wrong in it."""
    checked = check_file(path)
    if checked.findings:
        raise Refused("\n".join(str(finding) for finding in checked.findings))
    return list(checked.resources)


def notices_of(path: File | str) -> list[Finding]:
    """Return the fields of a file that mean nothing on a laptop, and why."""
    return list(check_file(path).notices)


def check_file(path: File | str) -> Checked:
    """Read a file and check every document in it. A file that cannot be read is a finding too."""
    try:
        text = File(path).read_text("utf-8")
    except OSError as error:
        return _nothing(path, f"{path} cannot be read: {error.strerror}.")
    except UnicodeDecodeError:
        return _nothing(path, f"{path} is not text in UTF-8; save it so.")
    return check_text(text, str(path))


def check_text(text: str, file: str) -> Checked:
    """Check the documents of a text; `file` names it in the findings."""
    try:
        manifests = read_manifests(text)
    except NotYamlError as error:
        finding = Finding(file, error.place.line, error.place.column, "", error.sentence)
        return Checked((), (finding,), ())
    if not manifests:
        return _nothing(file, f"{file} holds no manifest; write a Pipeline or a PipelineRun in it.")
    resources: list[Resource] = []
    findings: list[Finding] = []
    notices: list[Finding] = []
    right: list[Manifest] = []
    for manifest in manifests:
        faults = [*manifest.faults, *_faults(manifest.value)]
        findings += sorted((_finding(fault, manifest, file) for fault in faults), key=lambda each: each.line)
        if not faults:
            right.append(manifest)
            resources.append(_resource(manifest.value))
            notices += [_finding(fault, manifest, file) for fault in cluster_only(manifest.value)]
    findings += [_finding(fault, right[place], file) for place, fault in faults_between(resources)]
    return Checked(tuple(resources), tuple(findings), tuple(notices))


def _faults(value: Any) -> Iterator[Fault]:
    """Yield what is wrong with a document: what the API server refuses; and if nothing, what it means."""
    wrong = refusals(value)
    yield from wrong
    if not any(_of_no_kind(value)):
        yield from not_yet(value["kind"], value)
    if not wrong:
        yield from semantic_faults(_resource(value))


def refusals(value: Any) -> list[Fault]:
    """Return what the API server would refuse of a document: its kind first, or else its structure and its rules."""
    wrong = list(_of_no_kind(value))
    if wrong:
        return wrong
    schema = _schema(value["kind"])
    full = structure.with_defaults(value, schema)
    wrong = list(structure.faults(full, schema))
    wrong += _name_faults(full.get("metadata"), schema)
    return [*wrong, *broken_rules(full, schema, [fault.path for fault in wrong])]


def _name_faults(metadata: Any, schema: Schema) -> Iterator[Fault]:
    """Yield what is wrong with the name to be: there is none, or what is made of `generateName` would not do."""
    if not isinstance(metadata, dict):
        return
    prefix = metadata.get("generateName")
    if not prefix and "name" not in metadata:
        yield Fault(("metadata",), "is missing; add it", ("name",))
    elif prefix and isinstance(prefix, str) and "name" not in metadata:
        # The API server cuts a long prefix, and puts five letters or digits of its own behind it.
        name = schema["properties"]["metadata"]["properties"]["name"]
        said = structure.faults(f"{prefix[:_LONGEST_PREFIX]}bcdfg", name)
        yield from (Fault(("metadata", "generateName"), f"makes a name that {fault.sentence}") for fault in said)


def _of_no_kind(value: Any) -> Iterator[Fault]:
    if not isinstance(value, dict):
        yield Fault(
            (), f"is {shown(value)}, and a manifest is a mapping of fields: apiVersion, kind, metadata and spec"
        )
        return
    version, kind = value.get("apiVersion"), value.get("kind")
    if version is None:
        yield Fault((), f"is missing; add apiVersion: {API_VERSION}", ("apiVersion",))
    elif version != API_VERSION:
        yield Fault(("apiVersion",), f"is {shown(version)}, and Penstock knows {API_VERSION}; write that")
    if kind is None:
        yield Fault((), f"is missing; add one of {listed(KINDS)}", ("kind",))
    elif not isinstance(kind, str) or kind not in KINDS:
        likely = proposal(kind, KINDS) if isinstance(kind, str) else None
        ending = f"did you mean {likely}?" if likely else f"it is one of {listed(KINDS)}."
        yield Fault(("kind",), f"is {shown(kind)}, which Penstock does not have; {ending}")


@cache
def _schema(kind: str) -> Schema:
    found = next(each for each in definitions.KINDS if each.name == kind)
    schema = definitions.object_schema(found)
    name = schema["properties"]["metadata"]["properties"]["name"]
    fields = schema["properties"] | {"metadata": metadata_schema(name)}
    return schema | {"properties": fields, "required": ["metadata", "spec"]}


def _resource(value: Any) -> Resource:
    """Return the resource; with the defaults that the API server would fill in."""
    kind = KINDS[value["kind"]]
    return msgspec.convert(structure.with_defaults(value, _schema(value["kind"])), kind)


def _finding(fault: Fault, manifest: Manifest, file: str) -> Finding:
    place = fault.place or manifest.place((*fault.path, *fault.beside))
    sentence = fault.sentence if fault.sentence.endswith((".", "?")) else f"{fault.sentence}."
    field = fault.field or "The document"
    separator = ": " if sentence[:1].isupper() else " "
    return Finding(file, place.line, place.column, fault.field, f"{field}{separator}{sentence}")


def _nothing(path: File | str, sentence: str) -> Checked:
    return Checked((), (Finding(str(path), 1, 1, "", sentence),), ())


__all__ = ["Checked", "Finding", "check_file", "check_text", "load_file", "notices_of", "refusals", "validate_file"]
