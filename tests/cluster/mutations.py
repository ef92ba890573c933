"""Manifests with mistakes: good ones in which something is taken away, put in, doubled or made into something else.

What is put in follows the schema, so that it is often right and nearly always close to it: a value at a bound or one
beyond, a text that fits or does not, an object with the fields that it needs.
"""

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

Path = tuple[str | int, ...]

TEXTS = [
    "", "a", "A", "a-b", "a_b", "1", "-1", "0", "0.5", "1.0", "+2", "1e3", "20%", "100%", "101%", "0%", "90s",
    "1h30m", "0s", "2Gi", "500m", "2GB", "s3://lake/a.csv", "gs://lake/a", "a.csv", "file:///a", "http://s3:9000",
    "s3:9000", "a/b", "/a", "a.b", "own.cost", "neg_cost", "cost", "roc_auc", "left", "churn", "None", "null", "true",
    "yes", "2026-01-31", "2026-02-30T00:00:00Z", "2026-01-31T03:00:00Z", "2026-01-31 03:00:00Z",
    "2026-01-31T03:00:00", "0 3 * * *", "0 3 * *", "Europe/Paris", "nvidia.com/gpu", f"sha256:{0:064}",
    "training.keep", "dataset.image", "a\n", "é", "x" * 65, "x" * 300, "git@host:ml", "https://me:word@host/ml",
    "https://host/ml", "-a", "a b", "CSV", "Delta", "Exists", "Time", "Random",
]  # fmt: skip
ODD: list[Any] = [
    None, True, False, 0, 1, -1, 3, 1.5, 2**31, 2**63 - 1, "", "a", [], {}, [None], ["a", "a"], {"a": 1},
    {"name": "a"}, [{}],
]  # fmt: skip
texts = st.sampled_from(TEXTS)
odd = st.sampled_from(ODD)


@st.composite
def mutants(draw: DrawFn, manifest: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """A manifest with a change or two beneath `spec`."""
    changed = copy.deepcopy(manifest)
    for _ in range(draw(st.sampled_from([1, 1, 2]))):
        # Changes may take away what others would change, so the places are found again each time.
        path, at = draw(st.sampled_from(list(_places(changed["spec"], schema["properties"]["spec"], ("spec",)))))
        _change(draw, changed, path, at)
    return changed


def _change(draw: DrawFn, document: dict[str, Any], path: Path, schema: dict[str, Any]) -> None:
    above: Any = document
    for part in path[:-1]:
        above = above[part]
    there = above[path[-1]]
    kinds = ["replace", "odd", *(["remove"] if len(path) > 1 else [])]
    kinds += ["add", "add", "add"] if isinstance(there, dict) and schema.get("properties") else []
    kinds += ["append", "double"] if isinstance(there, list) and there else []
    match draw(st.sampled_from(kinds)):
        case "remove":
            del above[path[-1]]
        case "replace":
            above[path[-1]] = draw(fitting_values(schema))
        case "odd":
            above[path[-1]] = copy.deepcopy(draw(odd))
        case "add":
            name = draw(st.sampled_from(sorted(schema["properties"])))
            there[name] = draw(fitting_values(schema["properties"][name]))
        case "append":
            there.append(draw(fitting_values(schema.get("items", {}))))
        case "double":
            there.append(copy.deepcopy(draw(st.sampled_from(there))))


def _places(value: Any, schema: dict[str, Any], path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    yield path, schema
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _places(each, schema.get("properties", {}).get(name, {}), (*path, name))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _places(each, schema.get("items", {}), (*path, index))


@st.composite
def fitting_values(draw: DrawFn, schema: dict[str, Any], depth: int = 0) -> Any:
    """A value that is of the schema's type, and often all that it asks for."""
    if schema.get("x-kubernetes-int-or-string"):
        return draw(st.one_of(texts, st.integers(-2, 3)))
    match schema.get("type"):
        case "string" if "enum" in schema:
            return draw(st.sampled_from(schema["enum"]))
        case "string":
            return draw(texts)
        case "integer":
            least, most = schema.get("minimum", 0), schema.get("maximum", 100)
            return draw(st.sampled_from([least - 1, least, least + 1, most, most + 1]))
        case "boolean":
            return draw(st.booleans())
        case "array":
            return [draw(fitting_values(schema["items"], depth + 1)) for _ in range(draw(st.integers(0, 2)))]
        case "object" if "properties" in schema:
            return draw(_object(schema, depth))
        case "object":
            return draw(st.dictionaries(texts, texts, max_size=2))
    return copy.deepcopy(draw(odd))


@st.composite
def _object(draw: DrawFn, schema: dict[str, Any], depth: int) -> dict[str, Any]:
    names = list(schema.get("required", ()))
    optional = sorted(set(schema["properties"]) - set(names))
    if optional and depth < 4:
        names += draw(st.lists(st.sampled_from(optional), max_size=2, unique=True))
    return {name: draw(fitting_values(schema["properties"][name], depth + 1)) for name in names}
