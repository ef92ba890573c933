"""What a run was: the Pipeline exactly as it took it, the run, its commit and its table versions, in its storage.

`snapshot.yaml` is put there before the first job, only if nothing is there, so that it also says whose the execution
name is. The table versions join it when they are known. What it says once it never says otherwise.
"""

from typing import Any

import yaml

from penstock.api.pipeline import Pipeline
from penstock.api.run import PipelineRun
from penstock.decide.snapshot import documents, encoded, tables_of
from penstock_jobs.result import DatasetResult
from penstock_jobs.storage import Store

KEY = "snapshot.yaml"


def claim(store: Store, revision: Pipeline, run: PipelineRun) -> bool:
    """Put the snapshot there; return whether the place is this run's."""
    return store.write_if_absent(KEY, encoded(documents(revision, run))) or _run_of(store) == run.metadata.uid


def with_tables(store: Store, revision: Pipeline, run: PipelineRun, made: DatasetResult) -> None:
    """Let the snapshot say which versions of the tables the run wrote or read, unless it does already."""
    there = _read(store) if store.exists(KEY) else documents(revision, run)
    if "tables" in there[-1]["resolved"]:
        return
    there[-1]["resolved"]["tables"] = tables_of(made)
    store.write(KEY, encoded(there))


def _read(store: Store) -> list[Any]:
    return list(yaml.safe_load_all(store.read(KEY)))


def _run_of(store: Store) -> str | None:
    try:
        documents = _read(store)
    except yaml.YAMLError:  # whatever it is, it is not this run's
        return None
    runs = (each for each in documents if isinstance(each, dict) and each.get("kind") == "PipelineRun")
    return next((run["metadata"]["uid"] for run in runs), None)
