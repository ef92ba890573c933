"""Which fields of its Pipeline a run may change, and by whose right: the one list, and nothing that is not on it.

It lists leaves, the fields that hold a value. `Run`: whoever may make a run may give them other values. `Pipeline`: who
may update the Pipeline may, since they name code, an address or a place to run, or outlive the run. A run changes no
other field, so that a new one of the Pipeline is no run's to change until somebody writes it here. What is above leaves
is changed as a whole by the strictest right beneath it.

The rule of the CRD, the policy of the chart, what the operator refuses and the page of the reference are made from it.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Literal

from penstock.api.jobs import OverridableSettings
from penstock.api.pipeline import PipelineSpec
from penstock.api.structural import Schema, annotation_schema

Right = Literal["Run", "Pipeline"]

# What of a scoring function is a value; the function itself is code.
_SCORING = "name greaterIsBetter response average"
LISTED: Mapping[Right, Mapping[str, str]] = {
    "Run": {
        "dataset": "task key weight updates minimumClassCount",
        "dataset.inputs[]": "format delimiter nullValues dateFormat decimal thousands",
        "dataset.inputs[].types[]": "column type",
        "dataset.target": "column positive",
        "dataset.split": "testing strategy salt",
        "dataset.split.group": "columns",
        "dataset.split.time": "column cutoff window gap retired",
        "dataset.expect[]": "remark severity column nulls",
        "dataset.expect[].range": "low high",
        "dataset.expect[].rows": "minimum decrease increase",
        "training": "keep refit calibration",
        "training.validation": "holdout folds repeats",
        "training.scoring": _SCORING,
        "training.additionalScoring[]": _SCORING,
        "training.search": "strategy samples seed",
        "training.search.adaptive": "rounds candidatesPerRound",
        "training.algorithms[]": "scale",
        "training.algorithms[].parameters[]": "value values",
        "training.algorithms[].parameters[].range": "low high scale type",
        "training.algorithms[].earlyStopping": "share patience tolerance",
        "training.features": "include exclude",
        "training.preprocessing": "strategy numericImputation maximumCategories minimumFrequency",
        "testing": "minimumPoints segments resamples seed",
        "testing.scoring[]": _SCORING,
        "deployment.selection": "scoring minimum maximum",
        "deployment.selection.mustImprove": "confidence margin",
        "deployment.decision": "threshold tune",
        "logs": "level format retention",
    },
    "Pipeline": {
        "source.git": "url revision path",
        "dataset": "query",
        "dataset.inputs[]": "uri version endpoint region",
        "training.scoring": "function",
        "training.additionalScoring[]": "function",
        "training.algorithms[]": "name estimator",
        "training.algorithms[].parameters[]": "name",
        "training.preprocessing": "transformer",
        "testing.scoring[]": "function",
        "jobs[]": "image nodeSelector tolerations[].key tolerations[].operator tolerations[].value "
        "tolerations[].effect tolerations[].tolerationSeconds runtimeClassName priorityClassName queueName",
        "jobs[].env[]": "name value",
        "retention": "tableVersions",
    },
}
# The hyper-parameter whose value is a dotted path (of networks): code, though others are values.
_CODE = {"training.algorithms[].parameters[]": "module"}
# Servers are the Pipeline's, and not a run's.
_JOBS_OF_A_RUN = ("dataset", "training", "testing")


def leaves_of(schema: Schema, path: str = "") -> Iterator[str]:
    """Yield the path of each field beneath that holds a value; `[]` stands for an item of a list."""
    items = schema.get("items", {})
    fields = schema.get("properties") or items.get("properties")
    if not fields:
        yield path
        return
    above = f"{path}[]." if items else f"{path}." if path else ""
    for name, each in fields.items():
        yield from leaves_of(each, f"{above}{name}")


@cache
def pipeline_spec_schema() -> Schema:
    """Return the schema of a Pipeline's spec."""
    return annotation_schema(PipelineSpec)


@cache
def listed_leaves(right: Right) -> frozenset[str]:
    """Return the leaves that may be changed by that right alone."""
    listed = {f"{above}.{name}" for above, names in LISTED[right].items() for name in names.split()}
    if right == "Run":  # what `spec.jobs` of a run may say of a job, an override may too
        listed |= set(leaves_of(annotation_schema(OverridableSettings), "jobs[]"))
    return frozenset(each.replace("jobs[][].", "jobs[].") for each in listed)


def right_of_leaf(leaf: str) -> Right | None:
    """Return by which right a run may change the leaf, or None where no run may."""
    rights: tuple[Right, ...] = ("Run", "Pipeline")
    return next((right for right in rights if leaf in listed_leaves(right)), None)


@cache
def path_pattern(*rights: Right) -> str:
    """Return a pattern of the paths that may be changed by one of these rights, for Python and for CEL alike."""
    allowed = frozenset().union(*(listed_leaves(right) for right in rights))
    return f"^({_beneath(pipeline_spec_schema(), '', allowed)})$"


def right_of(path: str) -> Right | None:
    """Return by which right a run may change what is at the path of an override, or None where no run may."""
    if re.match(path_pattern("Run"), path):
        return "Run"
    return "Pipeline" if re.match(path_pattern("Run", "Pipeline"), path) else None


def _beneath(schema: Schema, path: str, allowed: frozenset[str]) -> str:
    """Return a pattern of what may follow the path and its point, empty where nothing may."""
    if schema.get("type") == "array":
        keys, above = schema.get("x-kubernetes-list-map-keys", ()), f"{path}[]"
        fields = {_name_of_item(schema, key, above, allowed): schema["items"] for key in keys}
        return _alternatives(fields, "", above, allowed)
    if "additionalProperties" in schema:
        return "[^.]+" if path in allowed else ""
    return _alternatives(schema.get("properties", {}), f"{path}." if path else "", "", allowed)


def _alternatives(fields: Mapping[str, Schema], above: str, item: str, allowed: frozenset[str]) -> str:
    found = []
    for name, schema in fields.items():
        path = item or f"{above}{name}"
        whole, beneath = allowed.issuperset(leaves_of(schema, path)), _beneath(schema, path, allowed)
        if whole:
            found.append(f"{name}([.]({beneath}))?" if beneath else name)
        elif beneath:
            found.append(f"{name}[.]({beneath})")
    return "|".join(found)


def _name_of_item(schema: Schema, key: str, path: str, allowed: frozenset[str]) -> str:
    if "enum" in schema["items"]["properties"][key]:
        return f"({'|'.join(_JOBS_OF_A_RUN)})"
    code = _CODE.get(path)
    return f"({_other_than(code)})" if code is not None and f"{path}.{key}" not in allowed else "[^.]+"


def _other_than(word: str) -> str:
    """Return a pattern of all names but that word: neither CEL nor RE2 can say `not` in one."""
    if not word:
        return "[^.]+"
    return f"[^.{word[0]}][^.]*|{word[0]}({_other_than(word[1:])}){'' if len(word) == 1 else '?'}"
