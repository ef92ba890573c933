"""What an earlier version left in a home, as this one has it: objects in the words of before, results in other files.

A home is read as it is, and nothing of it is written again before it changes. The words were other ones in the
development versions of v1alpha1; a manifest that says them is refused (`penstock.api.renamed_fields`).
"""

from typing import Any

from penstock.decide.decision import ApiObject
from penstock.decide.objects.results import results
from penstock.decide.ownership import run_owner
from penstock.local.home import Home
from penstock_jobs.contract import document
from penstock_jobs.contract.result import JobResult
from penstock_jobs.contract.termination_message import TerminationMessage

Object = dict[str, Any]
_IN_A_STATUS = {
    "started": "startTime",
    "finished": "completionTime",
    "waitingSince": "waitStartTime",
    "since": "startTime",
    "until": "endTime",
}
_VALUES: dict[str, dict[str, str]] = {
    "average": {each: each.capitalize() for each in ("binary", "micro", "macro", "weighted", "samples")},
    "response": {"predict": "Predict", "predict_proba": "PredictProba", "decision_function": "DecisionFunction"},
    "numericImputation": {"mean": "Mean", "median": "Median", "most_frequent": "MostFrequent"},
    "format": {"text": "Text", "json": "JSON", "skops": "Skops"},
}
_PINNED = "penstock.dev/pinned-model"


def renew(found: Any) -> Any:
    """Return an object in the words of this version; what is none, or not as one should be, as far as it is one."""
    if not isinstance(found, dict):
        return found
    renewed = {**found}
    if isinstance(found.get("spec"), dict):
        renewed["spec"] = _with_values(found["spec"])
    if isinstance(found.get("status"), dict):
        renewed["status"] = _with_names(found["status"])
    if isinstance(found.get("spec"), dict) and isinstance(found.get("metadata"), dict):
        match found.get("kind"):
            case "Pipeline":
                return _pipeline(renewed)
            case "Model":
                return _model(renewed)
    return renewed


def results_of_old(home: Home, run: ApiObject) -> Object | None:
    """Return the ConfigMap with the results of a run that kept each in a file of its own."""
    folder = home.run(str(run["metadata"]["uid"])) / "results"
    files = sorted(folder.glob("*.json")) if folder.is_dir() else []
    known = {path.stem: TerminationMessage(result=document.read(path, JobResult)) for path in files}
    return results(run_owner(run), known) if known else None


def _pipeline(there: Object) -> Object:
    spec, metadata = dict(there["spec"]), dict(there["metadata"])
    if isinstance(spec.get("jobs"), dict):
        spec["jobs"] = [_job(name, settings) for name, settings in spec["jobs"].items() if settings is not None]
    annotations = metadata.get("annotations")
    if isinstance(annotations, dict) and annotations.get(_PINNED) is not None:
        deployment = spec.get("deployment") or {}
        if isinstance(deployment, dict):
            spec["deployment"] = {**deployment, "model": annotations[_PINNED]}
        metadata["annotations"] = {name: value for name, value in annotations.items() if name != _PINNED}
    return {**there, "metadata": metadata, "spec": spec}


def _job(name: str, settings: Any) -> Any:
    if not isinstance(settings, dict):
        return settings
    job = {("env" if key == "environment" else key): value for key, value in settings.items()}
    if isinstance(job.get("imagePullSecrets"), list):
        job["imagePullSecrets"] = [{"name": each} for each in job["imagePullSecrets"]]
    return {"name": name, **job}


def _model(there: Object) -> Object:
    spec = dict(there["spec"])
    if "created" in spec:
        spec["creationTime"] = spec.pop("created")
    origin = spec.get("origin") or {}
    if isinstance(origin, dict):
        spec["origin"] = _origin(dict(origin))
    return {**there, "spec": spec}


def _origin(origin: Object) -> Object:
    for kind in ("pipeline", "run"):
        named = {"name": origin.pop(kind, None), "uid": origin.pop(f"{kind}Uid", None)}
        if any(named.values()):
            origin[f"{kind}Ref"] = {name: value for name, value in named.items() if value is not None}
    return origin


def _with_values(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_values(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _VALUES[name].get(each, each) if name in _VALUES and isinstance(each, str) else _with_values(each)
        for name, each in value.items()
    }


def _with_names(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_names(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {_IN_A_STATUS.get(name, name): _with_names(each) for name, each in value.items()}
