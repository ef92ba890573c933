"""What a run was, as a file for people: the Pipeline exactly as it was taken, the run, and what was resolved for it."""

from typing import Any

import msgspec
import yaml

from penstock.api.pipeline import Pipeline
from penstock.api.run import PipelineRun
from penstock.decide.run_state import status_of
from penstock_jobs.contract.parameters import ParameterValue
from penstock_jobs.contract.result import DatasetResult

# libyaml writes the same ten times faster; each step of a run has the snapshot beside its specification.
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def documents(
    pipeline: Pipeline, run: PipelineRun, parameters: tuple[ParameterValue, ...] = ()
) -> list[dict[str, Any]]:
    """Return the Pipeline, the run, and what was resolved for it. No credential is in any."""
    found = []
    for resource in (pipeline, run):
        content = msgspec.to_builtins(msgspec.structs.replace(resource, status=None))
        found.append(content | {"metadata": {"name": resource.metadata.name, "uid": resource.metadata.uid}})
    commit = status_of(run).commit
    resolved: dict[str, Any] = {} if commit is None else {"commit": commit}
    if parameters:
        resolved["parameters"] = msgspec.to_builtins(parameters)
    return [*found, {"resolved": resolved}]


def tables_of(made: DatasetResult) -> list[dict[str, Any]]:
    """Return which versions of the tables the run wrote or read."""
    return [
        {"name": name, "uri": table.uri, "version": table.version, "rows": table.rows, "digest": table.digest}
        for name, table in (("training", made.training), ("validation", made.validation), ("testing", made.testing))
    ]


def encode_documents(found: list[dict[str, Any]]) -> bytes:
    """Return the documents as YAML."""
    written: str = yaml.dump_all(found, Dumper=_DUMPER, sort_keys=False, allow_unicode=True)
    return written.encode()
