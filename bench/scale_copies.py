"""Copies of a run that has ended, and of what it left, under other names and uids, of other Pipelines."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

Object = dict[str, Any]


@dataclass(frozen=True)
class FinishedRun:
    """A run that has ended, what it left, and the names that are its own.

    Attributes:
        run: the run.
        left: its Model, its snapshot, the record of its files, its results.
        pipeline: the name of its Pipeline.
        model: the name of its Model.
    """

    run: Object
    left: tuple[Object, ...]
    pipeline: str
    model: str

    def copy_run(self, number: int, pipeline: str) -> Object:
        """Return the copy of the run of that number, of that Pipeline; it has no uid."""
        return self._copy(self.run, number, pipeline, {})

    def copy_left(self, number: int, pipeline: str, run_uid: str) -> list[Object]:
        """Return the copies of what it left, whose owner has this uid."""
        return [self._copy(each, number, pipeline, {self.run["metadata"]["uid"]: run_uid}) for each in self.left]

    def _copy(self, found: Object, number: int, pipeline: str, uids: Mapping[str, str]) -> Object:
        name = self.run["metadata"]["name"]
        # The Model's name may begin with that of the Pipeline, and what a run left with the run's.
        renamed = {self.model: f"model-{number}", name: f"crowd-run-{number}", self.pipeline: pipeline, **uids}
        text = json.dumps(found)
        for before, after in renamed.items():
            text = text.replace(before, after)
        made: Object = json.loads(text)
        kept = ("name", "namespace", "labels", "ownerReferences", "creationTimestamp")
        metadata = {each: made["metadata"][each] for each in kept if each in made["metadata"]}
        owners = [each for each in metadata.get("ownerReferences") or () if each["kind"] == "PipelineRun"]
        made["metadata"] = metadata | ({"ownerReferences": owners} if owners else {})
        return made


def with_identity(made: Object, version: int) -> Object:
    """Return the object as an API server would have it that has just made it."""
    return {**made, "metadata": {**made["metadata"], "uid": str(uuid4()), "resourceVersion": str(version)}}


def of_run(found: Iterable[Object], run: Object, pipeline: str) -> FinishedRun:
    """Return the run with those of the objects that are of its uid; what was only for its Jobs is left out."""
    uid = run["metadata"]["uid"]
    left = [
        each
        for each in found
        if uid in json.dumps(each["metadata"]) and each["kind"] in ("Model", "ConfigMap", "ControllerRevision")
    ]
    left = [each for each in left if "penstock.dev/step" not in each["metadata"]["labels"]]
    (model,) = (each["metadata"]["name"] for each in left if each["kind"] == "Model")
    return FinishedRun(run, tuple(left), pipeline, model)
