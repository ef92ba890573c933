"""What the cluster would refuse, found before it is asked, with the line: all of it at once.

A manifest is read as kubectl reads it and checked against the schema and the CEL rules of the very CRD; then comes what
only the operator could see. What nothing implements yet is refused, so that no field is ever silently ignored.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any

from penstock.api.admission import kind_faults, refusals, resource_of
from penstock.api.cluster_only import cluster_only
from penstock.api.findings import Fault, Finding
from penstock.api.manifests import Manifest, NotYamlError, read_manifests, read_text
from penstock.api.resource import Resource
from penstock.api.semantics import semantic_faults
from penstock.api.together import faults_between
from penstock.api.unimplemented import missing_feature_faults
from penstock_jobs.contract.errors import Refused


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
        text = read_text(File(path))
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
            resources.append(resource_of(manifest.value))
            notices += [_finding(fault, manifest, file) for fault in cluster_only(manifest.value)]
    findings += [_finding(fault, right[place], file) for place, fault in faults_between(resources)]
    return Checked(tuple(resources), tuple(findings), tuple(notices))


def _faults(value: Any) -> Iterator[Fault]:
    """Yield what is wrong with a document: what the API server refuses; and if nothing, what it means."""
    wrong = refusals(value)
    yield from wrong
    if not any(kind_faults(value)):
        yield from missing_feature_faults(value["kind"], value)
    if not wrong:
        yield from semantic_faults(resource_of(value))


def _finding(fault: Fault, manifest: Manifest, file: str) -> Finding:
    place = fault.place or manifest.place((*fault.path, *fault.beside))
    return Finding(file, place.line, place.column, fault.field, fault.full_sentence)


def _nothing(path: File | str, sentence: str) -> Checked:
    return Checked((), (Finding(str(path), 1, 1, "", sentence),), ())


__all__ = ["Checked", "Finding", "check_file", "check_text", "load_file", "notices_of", "refusals", "validate_file"]
