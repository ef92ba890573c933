"""What the server says of its Model: metadata of the protocol, an OpenAPI document with real examples, and a page."""

from html import escape
from typing import Any

from penstock_jobs.contract.manifest import FeatureSpec
from penstock_jobs.models.loading import LoadedModel
from penstock_jobs.serving.tensors import DATATYPES

_SCHEMAS: dict[str, dict[str, Any]] = {
    "Integer": {"type": "integer"},
    "Float": {"type": "number"},
    "Boolean": {"type": "boolean"},
    "String": {"type": "string"},
    "Timestamp": {"type": "string", "format": "date-time"},
    "Date": {"type": "string", "format": "date"},
}


def metadata(model: LoadedModel, name: str) -> dict[str, Any]:
    """Return the Model's metadata, as the Open Inference Protocol has it, and what its manifest adds."""
    manifest = model.manifest
    return {
        "name": name,
        "versions": [version(model)],
        "platform": "onnxruntime_onnx" if manifest.serving.format == "ONNX" else "scikit-learn_skops",
        "inputs": [
            {"name": feature.name, "datatype": DATATYPES[feature.type], "shape": [-1, 1]}
            for feature in manifest.features
        ],
        "outputs": _outputs(model),
        "parameters": {
            "model": manifest.name,
            "digest": model.digest,
            "task": manifest.task,
            "target": manifest.target,
            "classes": list(manifest.classes),
            "positive": manifest.positive,
            "threshold": model.threshold,
            "pipeline": manifest.origin.pipeline,
            "run": manifest.origin.execution_name,
            "created": manifest.created,
        },
    }


def version(model: LoadedModel) -> str:
    """Return the Model's version: the first 12 digits of its manifest's digest."""
    return model.digest.removeprefix("sha256:")[:12]


def label_datatype(model: LoadedModel) -> str:
    """Return the datatype of the predicted class or number."""
    if model.manifest.task == "Regression":
        return "FP64"
    kinds = {type(value) for value in model.manifest.classes}
    if kinds == {bool}:
        return "BOOL"
    if kinds == {int}:
        return "INT64"
    return "BYTES" if kinds == {str} else "FP64"


def has_probabilities(model: LoadedModel) -> bool:
    """Return whether the Model answers with the probabilities of its classes too."""
    samples = model.manifest.samples
    return bool(samples and samples[0].probabilities)


def _outputs(model: LoadedModel) -> list[dict[str, Any]]:
    outputs: list[dict[str, Any]] = [{"name": "predict", "datatype": label_datatype(model), "shape": [-1]}]
    if has_probabilities(model):
        shape = [-1, len(model.manifest.classes)]
        outputs.append({"name": "predict_proba", "datatype": "FP64", "shape": shape})
    return outputs


def openapi(model: LoadedModel, name: str) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document, typed by the features, with the manifest's samples as examples."""
    row = {
        "type": "object",
        "properties": {feature.name: feature_schema(feature) for feature in model.manifest.features},
        "required": [feature.name for feature in model.manifest.features],
        "additionalProperties": False,
    }
    instances = {
        "type": "array",
        "minItems": 1,
        "items": {"anyOf": [{"$ref": "#/components/schemas/Row"}, {"type": "array"}]},
    }
    request = {
        "type": "object",
        "properties": {"instances": instances, "parameters": {"type": ["object", "null"]}},
        "required": ["instances"],
        "additionalProperties": False,
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": name,
            "version": version(model),
            "description": f"Predicts {model.manifest.target}: Model {model.manifest.name} of Pipeline "
            f"{model.manifest.origin.pipeline}, served by Penstock.",
        },
        "paths": _paths(model, name),
        "components": {
            "schemas": {
                "Row": row,
                "Rows": request,
                "Predictions": _answer(model),
                "Error": _ERROR,
                "Tensors": _TENSORS,
            }
        },
    }


def _paths(model: LoadedModel, name: str) -> dict[str, Any]:
    sample = model.manifest.samples[0].row if model.manifest.samples else None
    rows = {"schema": {"$ref": "#/components/schemas/Rows"}}
    tensors: dict[str, Any] = {"schema": {"$ref": "#/components/schemas/Tensors"}}
    if sample is not None:
        rows["example"] = {"instances": [sample]}  # type: ignore[dict-item]
        tensors["example"] = {"inputs": [tensor(feature, sample[feature.name]) for feature in model.manifest.features]}
    return {
        f"/v1/models/{name}:predict": {"post": _operation("Predict rows", rows, "Predictions")},
        f"/v2/models/{name}/infer": {"post": _operation("Predict tensors (Open Inference Protocol v2)", tensors)},
        f"/v2/models/{name}": {"get": _operation("What the Model is")},
        f"/v2/models/{name}/ready": {"get": _operation("Whether the Model is ready")},
        "/v2": {"get": _operation("What the server is")},
        "/v2/health/live": {"get": _operation("Whether the server is alive")},
        "/v2/health/ready": {"get": _operation("Whether the server is ready")},
        "/metrics": {"get": _operation("Metrics for Prometheus")},
    }


def tensor(feature: FeatureSpec, value: Any) -> dict[str, Any]:
    """Return one value of a feature as a tensor of one row."""
    return {"name": feature.name, "shape": [1, 1], "datatype": DATATYPES[feature.type], "data": [value]}


def feature_schema(feature: FeatureSpec) -> dict[str, Any]:
    """Return the JSON schema of a feature's values."""
    schema = dict(_SCHEMAS[feature.type])
    if feature.nullable:
        schema["type"] = [schema["type"], "null"]
    if feature.categories:
        schema["examples"] = list(feature.categories[:10])
    return schema


def _operation(summary: str, body: dict[str, Any] | None = None, answer: str | None = None) -> dict[str, Any]:
    content = {"schema": {"$ref": f"#/components/schemas/{answer}"} if answer else {}}
    operation: dict[str, Any] = {
        "summary": summary,
        "responses": {"200": {"description": "The answer", "content": {"application/json": content}}},
    }
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": body}}
        refused = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
        for status, description in _REFUSALS.items():
            operation["responses"][status] = {"description": description, "content": refused}
    return operation


def _answer(model: LoadedModel) -> dict[str, Any]:
    kinds = {"BOOL": "boolean", "INT64": "integer", "BYTES": "string", "FP64": "number"}
    properties: dict[str, Any] = {
        "model": {"type": "string"},
        "predictions": {"type": "array", "items": {"type": kinds[label_datatype(model)]}},
    }
    if has_probabilities(model):
        properties["classes"] = {"const": list(model.manifest.classes)}
        properties["probabilities"] = {"type": "array", "items": {"type": "array", "items": {"type": "number"}}}
    return {"type": "object", "properties": properties, "required": list(properties)}


_REFUSALS = {
    "400": "The rows are wrong; a sentence says where",
    "413": "More than is taken at once; a sentence says how much that is",
    "503": "Too much arrives at once; Retry-After says when to send it again",
}
_ERROR = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}
_TENSORS = {
    "type": "object",
    "required": ["inputs"],
    "properties": {
        "id": {"type": "string"},
        "inputs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "shape", "datatype", "data"],
                "properties": {
                    "name": {"type": "string"},
                    "shape": {"type": "array", "items": {"type": "integer"}},
                    "datatype": {"type": "string"},
                    "data": {"type": "array"},
                },
            },
        },
    },
}


def page(model: LoadedModel, name: str) -> str:
    """Return a small HTML page: what this is, and a request to copy."""
    manifest = model.manifest
    features = "".join(
        f"<tr><td>{escape(feature.name)}</td><td>{feature.type}</td><td>{'yes' if feature.nullable else 'no'}</td></tr>"
        for feature in manifest.features
    )
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(name)}</title>"
        "<style>body{font:16px/1.5 system-ui;max-width:46rem;margin:3rem auto;padding:0 1rem}"
        "td,th{text-align:left;padding:.1rem 1rem .1rem 0}pre{background:#f4f4f4;padding:1rem;overflow:auto}</style>"
        f"<h1>{escape(name)}</h1><p>Predicts <b>{escape(manifest.target)}</b> ({manifest.task.lower()}). "
        f"Model {escape(manifest.name)}, trained by {escape(manifest.origin.estimator)} in run "
        f"{escape(manifest.origin.execution_name)} of Pipeline {escape(manifest.origin.pipeline)}.</p>"
        f"<p>POST rows to <code>/v1/models/{escape(name)}:predict</code>, or tensors to "
        f"<code>/v2/models/{escape(name)}/infer</code>. <a href=/openapi.json>OpenAPI</a>, "
        f"<a href=/metrics>metrics</a>, <a href='/v2/models/{escape(name, quote=True)}'>metadata</a>.</p>"
        f"<table><tr><th>feature</th><th>type</th><th>null</th></tr>{features}</table></html>"
    )
