"""The four CustomResourceDefinitions, generated from the types.

No conversion and no webhook: what the API server must know to refuse a bad manifest is in the schemas and their rules.
"""

from dataclasses import dataclass
from typing import Any, get_type_hints

import yaml

from penstock.api.model import Model
from penstock.api.pipeline import Pipeline
from penstock.api.renamed_fields import with_refusals_of_former_names
from penstock.api.run import PipelineRun
from penstock.api.scalars import PIPELINE_NAME
from penstock.api.schema import GROUP, VERSION, Value
from penstock.api.sentences import pattern_rule, with_sentences
from penstock.api.structural import Schema, annotation_schema, prose, schema_for_storage
from penstock.api.trigger import Trigger

HEADER = "# Generated from the types in operator/penstock/api by `make generated`; a change here is lost.\n"
LONGEST_FOR_CLIENT_SIDE_APPLY = 262144


@dataclass(frozen=True)
class PrinterColumn:
    """A column of `kubectl get`. Those of priority 1 are shown with `-o wide` only."""

    name: str
    path: str
    description: str
    type: str = "string"
    priority: int = 0

    def as_schema(self) -> dict[str, Any]:
        """Return the column as an element of `additionalPrinterColumns`."""
        column = {"name": self.name, "type": self.type, "description": self.description, "jsonPath": self.path}
        return column | ({"priority": self.priority} if self.priority else {})


@dataclass(frozen=True)
class KindDefinition:
    """A resource: its type, its names, what its `metadata.name` must be, and its columns.

    One that is `awaited` is not done until the operator has looked at it: until then it has a status that says so, by
    which kstatus, and with it Flux, does not take what was just applied for what is there.
    """

    struct: type[Value]
    plural: str
    short_name: str
    columns: tuple[PrinterColumn, ...]
    longest_name: int = 63
    name_pattern: str | None = None
    awaited: bool = False

    @property
    def name(self) -> str:
        """The kind, as manifests say it."""
        return self.struct.__name__


def _condition(kind: str, aspect: str) -> str:
    return f'.status.conditions[?(@.type=="{kind}")].{aspect}'


NOT_LOOKED_AT = {"observedGeneration": -1}
AGE = PrinterColumn("Age", ".metadata.creationTimestamp", "How old it is.", type="date")

KINDS = (
    KindDefinition(
        Pipeline,
        "pipelines",
        "pl",
        (
            PrinterColumn("Ready", _condition("Ready", "status"), "Whether it is as its spec says."),
            PrinterColumn("Model", ".status.servedModel.name", "The Model that is served."),
            PrinterColumn("URL", ".status.url", "The address of the inference API.", priority=1),
            PrinterColumn("Latest Run", ".status.latestRun", "The run started last."),
            PrinterColumn("Reason", _condition("Ready", "reason"), "Why it is ready or not.", priority=1),
            AGE,
        ),
        longest_name=52,
        name_pattern=PIPELINE_NAME,
        awaited=True,
    ),
    KindDefinition(
        PipelineRun,
        "pipelineruns",
        "plr",
        (
            PrinterColumn("Pipeline", ".spec.pipelineRef.name", "The Pipeline that is run."),
            PrinterColumn("Execution", ".status.executionName", "The name of the run, for people."),
            PrinterColumn(
                "Succeeded", _condition("Succeeded", "status"), "Whether it succeeded; Unknown while it is live."
            ),
            PrinterColumn("Reason", _condition("Succeeded", "reason"), "How far it is, or how it ended."),
            PrinterColumn("Message", _condition("Succeeded", "message"), "The same in a sentence.", priority=1),
            PrinterColumn("Parameters", ".status.parameters", "The parameters that it has.", priority=1),
            PrinterColumn("Started", ".status.startTime", "When it began.", type="date"),
            PrinterColumn("Finished", ".status.completionTime", "When it ended.", type="date"),
            AGE,
        ),
        awaited=True,
    ),
    KindDefinition(
        Trigger,
        "triggers",
        "trg",
        (
            PrinterColumn("Pipeline", ".spec.pipelineRef.name", "The Pipeline that is run."),
            PrinterColumn("Schedule", ".spec.schedule.cron[0]", "The first cron expression."),
            PrinterColumn("Time Zone", ".spec.schedule.timeZone", "Its time zone.", priority=1),
            PrinterColumn("Suspended", ".spec.suspend", "Whether it starts nothing.", type="boolean"),
            PrinterColumn("Ready", _condition("Ready", "status"), "Whether it fires."),
            PrinterColumn("Last", ".status.lastScheduleTime", "The moment dealt with last."),
            PrinterColumn("Next", ".status.nextScheduleTime", "The moment of the next run."),
            PrinterColumn(
                "Fired", ".status.counts.fired", "How many moments and events started a run.", type="integer"
            ),
            PrinterColumn("Skipped", ".status.counts.skipped", "How many were skipped.", type="integer"),
            PrinterColumn("Missed", ".status.counts.missed", "How many were missed.", type="integer"),
            PrinterColumn("Last Run", ".status.lastRun", "The run started last.", priority=1),
            AGE,
        ),
        awaited=True,
    ),
    KindDefinition(
        Model,
        "models",
        "mdl",
        (
            PrinterColumn("Pipeline", ".spec.origin.pipelineRef.name", "The Pipeline that made it."),
            PrinterColumn("Execution", ".spec.origin.executionName", "The run that made it."),
            PrinterColumn("Algorithm", ".spec.origin.algorithm", "The algorithm."),
            PrinterColumn("Scoring", ".spec.validationScores[0].name", "The scoring function that ranked it."),
            PrinterColumn("Validation", ".spec.validationScores[0].value", "Its score on validation."),
            PrinterColumn("Ready", _condition("Ready", "status"), "Whether its files are there.", priority=1),
            PrinterColumn("URI", ".spec.uri", "Where its files are.", priority=1),
            AGE,
        ),
    ),
)


def crd(kind: KindDefinition) -> dict[str, Any]:
    """Return the CustomResourceDefinition of a kind, as a plain document."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{GROUP}", "labels": {"app.kubernetes.io/part-of": "penstock"}},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": kind.name,
                "listKind": f"{kind.name}List",
                "plural": kind.plural,
                "singular": kind.name.lower(),
                "shortNames": [kind.short_name],
                "categories": ["penstock"],
            },
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": [column.as_schema() for column in kind.columns],
                    "schema": {"openAPIV3Schema": _schema_for_server(object_schema(kind), awaited=kind.awaited)},
                }
            ],
        },
    }


def object_schema(kind: KindDefinition) -> Schema:
    """Return the schema of a whole object of the kind, as the API server stores it."""
    return schema_for_storage(described_schema(kind))


def described_schema(kind: KindDefinition) -> Schema:
    """Return all that the types say of a whole object of the kind, the defaults in lists too."""
    hints = get_type_hints(kind.struct, include_extras=True)
    name: Schema = {"type": "string", "maxLength": kind.longest_name}
    if kind.name_pattern:
        name["pattern"] = kind.name_pattern
    described = {
        "apiVersion": {"description": f"Always `{GROUP}/{VERSION}`.", "type": "string"},
        "kind": {"description": f"Always `{kind.name}`.", "type": "string"},
        "metadata": {"type": "object", "properties": {"name": name}},
        "spec": annotation_schema(hints["spec"]),
        "status": annotation_schema(hints["status"]),
    }
    return {"description": prose(kind.struct), "type": "object", "properties": described, "required": ["spec"]}


def _schema_for_server(schema: Schema, *, awaited: bool) -> Schema:
    """Return the schema as the API server is given it: what a user can miss is refused with a sentence."""
    fields = schema["properties"]
    name = dict(fields["metadata"]["properties"]["name"])
    pattern = name.pop("pattern", None)
    metadata = {"type": "object", "properties": {"name": name}}
    own = {"metadata": metadata, "spec": with_refusals_of_former_names(with_sentences(fields["spec"]))}
    if awaited:
        own["status"] = fields["status"] | {"default": NOT_LOOKED_AT}
    published = schema | {"properties": fields | own}
    if pattern is not None:
        published["x-kubernetes-validations"] = [pattern_rule(pattern, ".metadata.name")]
    return published


def text(kind: KindDefinition) -> str:
    """Return the CustomResourceDefinition as YAML."""
    return HEADER + yaml.safe_dump(crd(kind), sort_keys=False, allow_unicode=True, width=110)
