"""What a run was: the Pipeline exactly as it took it, the run, its commit and its table versions, in its storage.

`snapshot.yaml` is put there before the first job, only if nothing is there, so that it also says whose the execution
name is. The table versions join it when they are known. What it says once it never says otherwise.
"""

from typing import Any

import msgspec
import yaml

from penstock.api.pipeline import Pipeline
from penstock.api.run import PipelineRun
from penstock.decide.run_state import status_of
from penstock_jobs.result import DatasetResult
from penstock_jobs.storage import Store

KEY = "snapshot.yaml"


def claim(store: Store, revision: Pipeline, run: PipelineRun) -> bool:
    """Put the snapshot there; return whether the place is this run's."""
    return store.write_if_absent(KEY, _encoded(_snapshot(revision, run))) or _run_of(store) == run.metadata.uid


def with_tables(store: Store, revision: Pipeline, run: PipelineRun, made: DatasetResult) -> None:
    """Let the snapshot say which versions of the tables the run wrote or read, unless it does already."""
    there = _read(store) if store.exists(KEY) else _snapshot(revision, run)
    if "tables" in there[-1]["resolved"]:
        return
    there[-1]["resolved"]["tables"] = [
        {"name": name, "uri": table.uri, "version": table.version, "rows": table.rows, "digest": table.digest}
        for name, table in (("training", made.training), ("validation", made.validation), ("testing", made.testing))
    ]
    store.write(KEY, _encoded(there))


def _snapshot(revision: Pipeline, run: PipelineRun) -> list[dict[str, Any]]:
    """Return the Pipeline, the run, and what was resolved for it. No credential is in any."""
    documents = []
    for resource in (revision, run):
        content = msgspec.to_builtins(msgspec.structs.replace(resource, status=None))
        documents.append(content | {"metadata": {"name": resource.metadata.name, "uid": resource.metadata.uid}})
    commit = status_of(run).commit
    return [*documents, {"resolved": {} if commit is None else {"commit": commit}}]


def _encoded(documents: list[dict[str, Any]]) -> bytes:
    return yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True).encode()


def _read(store: Store) -> list[Any]:
    return list(yaml.safe_load_all(store.read(KEY)))


def _run_of(store: Store) -> str | None:
    try:
        documents = _read(store)
    except yaml.YAMLError:  # whatever it is, it is not this run's
        return None
    runs = (each for each in documents if isinstance(each, dict) and each.get("kind") == "PipelineRun")
    return next((run["metadata"]["uid"] for run in runs), None)
