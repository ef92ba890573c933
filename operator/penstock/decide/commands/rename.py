"""A Pipeline under a new name: Kubernetes has no rename, so it is copied, and the copy takes over step by step.

Whatever is interrupted can be done again: the copy says of which Pipeline it is one, and the old one goes last.
"""

import copy
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from penstock.api.findings import join_some
from penstock.api.scalars import PIPELINE_NAME
from penstock.api.schema import API_VERSION
from penstock.api.storage import S3Storage, Storage, VolumeStorage
from penstock.decide.decision import ApiObject
from penstock.decide.objects.children import as_json
from penstock.decide.observed.listers import is_live
from penstock.decide.serving import FIRST_MODEL
from penstock_jobs.contract.errors import Refused

Object = dict[str, Any]

RENAMED_FROM = "penstock.dev/renamed-from"  # an annotation: NAME/UID of the Pipeline that this one is a copy of
LONGEST = 52
# Who applied the old one said so under its name.
_NOT_COPIED = ("kubectl.kubernetes.io/last-applied-configuration", "argocd.argoproj.io/tracking-id")


@dataclass(frozen=True)
class Renaming:
    """What there is of both names: the Pipelines, all runs and all Triggers of the namespace."""

    old_name: str
    new_name: str
    old: ApiObject | None
    new: ApiObject | None
    runs: Sequence[ApiObject] = ()
    triggers: Sequence[ApiObject] = ()

    @property
    def is_done(self) -> bool:
        """Whether the old one is gone and the new one is its copy."""
        return self.old is None and self.new is not None and _origin(self.new).startswith(f"{self.old_name}/")

    @property
    def live_runs(self) -> list[str]:
        """The runs of the old one that have not ended."""
        return [name for name, ended in _runs_of(self.runs, self.old_name) if not ended]


def require_possible(asked: Renaming) -> None:
    """Raise `Refused` where it cannot be renamed, or not now."""
    old, new = asked.old_name, asked.new_name
    if old == new:
        raise Refused(f"Both names are {old}; name another.")
    if len(new) > LONGEST or not re.fullmatch(PIPELINE_NAME, new):
        raise Refused(
            f"{new} is no name of a Pipeline: small letters, digits and dashes, a letter first, at most {LONGEST}."
        )
    if asked.is_done:
        return
    if asked.old is None:
        raise Refused(f"There is no Pipeline {old}.")
    if asked.new is not None and _origin(asked.new) != _identity(asked.old):
        raise Refused(f"There is a Pipeline {new} already, which is no copy of {old}; choose another name.")
    require_at_rest(asked)


def require_at_rest(asked: Renaming) -> None:
    """Raise `Refused` where a run of the old one is at work."""
    live = asked.live_runs
    if live:
        many = f"{len(live)} runs of {asked.old_name} have" if len(live) > 1 else f"A run of {asked.old_name} has"
        raise Refused(f"{many} not ended: {join_some(live)}. Wait for it, or cancel it: penstock --cluster cancel RUN.")


def copy_of(asked: Renaming, default: Storage | None) -> Object:
    """Return the new Pipeline. `default` is the operator's default storage, as the newest run had it.

    A Pipeline that named no storage had a folder of its name there, which the new one must go on with.
    """
    old = asked.old
    if old is None:
        raise Refused(f"There is no Pipeline {asked.old_name}.")
    metadata = old["metadata"]
    spec = copy.deepcopy(dict(old["spec"]))
    if "storage" not in spec and default is not None:
        spec["storage"] = as_json(_folder(default, metadata["namespace"], asked.old_name))
    kept = {name: each for name, each in (metadata.get("annotations") or {}).items() if name not in _NOT_COPIED}
    first = _model_of(old) or kept.get(FIRST_MODEL)
    annotations = kept | {RENAMED_FROM: _identity(old)} | ({FIRST_MODEL: first} if first else {})
    labels = dict(metadata.get("labels") or {})
    made: Object = {"name": asked.new_name, "namespace": metadata["namespace"], "annotations": annotations}
    return {
        "apiVersion": API_VERSION,
        "kind": "Pipeline",
        "metadata": made | ({"labels": labels} if labels else {}),
        "spec": spec,
    }


def takes_over(old: ApiObject, new: ApiObject) -> bool:
    """Return whether the copy serves what the old one serves, so that the old one may go.

    Raises:
        Refused: it will not.
    """
    if _model_of(old) is None:
        return True
    conditions = {each["type"]: each for each in (new.get("status") or {}).get("conditions") or ()}
    if conditions.get("Stalled", {}).get("status") == "True":
        raise Refused(
            f"The new Pipeline does not come up, so the old one stays: {conditions['Stalled'].get('message', '')} "
            "Mend it and say this again, or delete the new one."
        )
    return _model_of(new) is not None and conditions.get("Ready", {}).get("status") == "True"


def remaining_mentions(asked: Renaming) -> list[str]:
    """Return sentences that say what else has the old name, which nothing changes."""
    triggers = [str(each["metadata"]["name"]) for each in asked.triggers if _pipeline_of(each) == asked.old_name]
    runs = [name for name, _ in _runs_of(asked.runs, asked.old_name)]
    said = []
    if triggers:
        many = f"Triggers start runs of {asked.old_name}" if len(triggers) > 1 else f"A Trigger runs {asked.old_name}"
        said.append(f"{many}: {join_some(triggers)}. Apply it with pipelineRef.name {asked.new_name}.")
    if runs:
        many = f"{len(runs)} runs that have ended" if len(runs) > 1 else "A run that has ended"
        said.append(f"{many} keep{'' if len(runs) > 1 else 's'} the name {asked.old_name}: {join_some(runs)}.")
    return said


def _folder(default: Storage, namespace: str, pipeline: str) -> Storage:
    if default.s3 is not None:
        s3: S3Storage = default.s3
        prefix = "/".join(filter(None, (s3.prefix, namespace, pipeline)))
        return msgspec.structs.replace(default, s3=msgspec.structs.replace(s3, prefix=prefix))
    if default.pvc is not None:
        pvc: VolumeStorage = default.pvc
        path = "/".join(filter(None, (pvc.path, namespace, pipeline)))
        return msgspec.structs.replace(default, pvc=msgspec.structs.replace(pvc, path=path))
    return default


def _model_of(found: ApiObject) -> str | None:
    served: str | None = ((found.get("status") or {}).get("servedModel") or {}).get("name")
    return served


def _identity(pipeline: ApiObject) -> str:
    metadata = pipeline["metadata"]
    return f"{metadata['name']}/{metadata['uid']}"


def _origin(pipeline: ApiObject) -> str:
    """Return the identity of the Pipeline that this one is a copy of; empty where it is none."""
    return str((pipeline["metadata"].get("annotations") or {}).get(RENAMED_FROM, ""))


def _pipeline_of(found: ApiObject) -> str | None:
    named: str | None = (found["spec"].get("pipelineRef") or {}).get("name")
    return named


def _runs_of(runs: Iterable[ApiObject], pipeline: str) -> list[tuple[str, bool]]:
    """Return the runs of that Pipeline, by name, and whether each has ended."""
    found = [each for each in runs if _pipeline_of(each) == pipeline]
    return sorted((str(each["metadata"]["name"]), not is_live(each)) for each in found)
