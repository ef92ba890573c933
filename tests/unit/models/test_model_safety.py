"""A model file is data: nothing that is loaded from storage can run code."""

import io
import json
import os
import pickle
import subprocess
import sys
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import onnx
import pytest
import skops.io
from hypothesis import given
from hypothesis import strategies as st
from onnx import helper
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

import model_making as making
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import Location
from penstock_jobs.models import files, skops_file
from penstock_jobs.models.inputs import model_frame
from penstock_jobs.models.loading import load_model
from penstock_jobs.models.onnx_tensors import refuse_external_tensors
from penstock_jobs.models.trust import SAFE_TYPES


def _tensors(graph: Any) -> list[Any]:
    return [*graph.initializer, *(each.t for node in graph.node for each in node.attribute if each.HasField("t"))]


def _move_elsewhere(tensor: Any) -> None:
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="weights.bin")


class Harm:
    """Unpickled, it writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.path}",)


def replaced(folder: Path, name: str, content: bytes, *, digest: bool = True) -> Location:
    """Put another file in a saved Model's place; with `digest` its manifest is forged to agree."""
    (folder / name).write_bytes(content)
    if digest:
        manifest = json.loads((folder / files.MANIFEST).read_text())
        manifest["files"][name] = files.digest_of(content)
        (folder / files.MANIFEST).write_text(json.dumps(manifest))
    return Location(uri=folder.as_uri())


@pytest.fixture
def skops_model(tmp_path: Path) -> Path:
    reference = making.save(tmp_path, making.fit_model(LinearDiscriminantAnalysis()))
    return tmp_path / reference.name


@pytest.fixture
def onnx_model(tmp_path: Path) -> Path:
    return tmp_path / making.save(tmp_path, making.fit_model()).name


@pytest.mark.parametrize("dump", ["pickle", "joblib"])
@pytest.mark.parametrize("file", ["model.onnx", "model.skops"])
def test_a_pickle_in_the_place_of_a_model_runs_nothing_and_is_refused(
    tmp_path: Path, skops_model: Path, dump: str, file: str
) -> None:
    harm = Harm(tmp_path / "harmed")
    target = io.BytesIO()
    joblib.dump(harm, target) if dump == "joblib" else target.write(pickle.dumps(harm))
    folder = skops_model
    if file == "model.onnx":
        folder = tmp_path / making.save(tmp_path, making.fit_model(name="other")).name
    with pytest.raises(Refused, match=r"no readable skops file|The ONNX file cannot be loaded"):
        load_model(replaced(folder, file, target.getvalue()))
    assert not (tmp_path / "harmed").exists()


def test_a_skops_file_with_a_function_of_the_system_is_refused_by_the_name_of_its_type(skops_model: Path) -> None:
    content = skops.io.dumps(FunctionTransformer(func=os.system))
    with pytest.raises(Refused, match=r"holds objects of type posix.system, which are not trusted"):
        load_model(replaced(skops_model, "model.skops", content))


def test_a_type_that_the_artifact_says_is_trusted_is_not(skops_model: Path) -> None:
    location = replaced(skops_model, "model.skops", skops.io.dumps(FunctionTransformer(func=os.system)))
    path = skops_model / files.MANIFEST
    manifest = json.loads(path.read_text()) | {"untrustedTypes": ["posix.system"]}
    path.write_text(json.dumps(manifest))
    with pytest.raises(Refused, match=r"posix.system"):
        load_model(location)


def test_a_type_that_the_pipeline_trusts_is_loaded(tmp_path: Path) -> None:
    def wrap(pipeline: Any, frame: Any, target: Any) -> Any:
        steps = [*pipeline.steps[:1], ("own", FunctionTransformer(own_function)), *pipeline.steps[1:]]
        return Pipeline(steps)

    model = making.fit_model(wrap=wrap)
    trusted = (f"{own_function.__module__}.own_function",)
    with pytest.raises(Refused, match=f"{trusted[0]}, which are not trusted"):
        making.save(tmp_path, model)
    loaded = making.save_and_load(tmp_path, model, trusted_types=trusted)
    assert loaded.manifest.untrusted_types == trusted
    assert loaded.manifest.serving.format == "skops"
    assert loaded.manifest.serving.reason.count("It cannot be written as ONNX") == 1


def own_function(values: np.ndarray) -> np.ndarray:
    return values + 0.0


@pytest.mark.parametrize("name", ["model.onnx", "manifest.json"])
def test_a_changed_file_is_refused_by_its_digest(onnx_model: Path, name: str) -> None:
    recorded = files.digest_of((onnx_model / files.MANIFEST).read_bytes())
    content = (onnx_model / name).read_bytes().replace(b"e", b"f", 1)
    location = replaced(onnx_model, name, content, digest=False)
    with pytest.raises(Refused, match=rf"{name} was changed: its digest is sha256:.*recorded|records"):
        load_model(location, manifest_digest=recorded)


@pytest.mark.parametrize("name", ["model.onnx", "manifest.json", "model.skops"])
def test_a_truncated_file_is_refused(tmp_path: Path, skops_model: Path, name: str) -> None:
    folder = skops_model
    if name == "model.onnx":
        folder = tmp_path / making.save(tmp_path, making.fit_model(name="other")).name
    content = (folder / name).read_bytes()
    location = replaced(folder, name, content[: len(content) // 2], digest=name != "manifest.json")
    with pytest.raises(Refused, match=r"cannot be read|cannot be loaded|no readable skops file"):
        load_model(location)


@pytest.mark.parametrize("name", ["model.onnx", "manifest.json"])
def test_a_missing_file_is_refused_by_name(onnx_model: Path, name: str) -> None:
    (onnx_model / name).unlink()
    with pytest.raises(Refused, match=name):
        load_model(Location(uri=onnx_model.as_uri()))


def test_a_file_that_the_manifest_has_no_digest_of_is_not_loaded(onnx_model: Path) -> None:
    path = onnx_model / files.MANIFEST
    manifest = json.loads(path.read_text())
    del manifest["files"]["model.onnx"]
    path.write_text(json.dumps(manifest))
    with pytest.raises(Refused, match=r"records no digest of model.onnx"):
        load_model(Location(uri=onnx_model.as_uri()))


def test_a_served_file_outside_of_the_models_folder_is_refused(onnx_model: Path) -> None:
    outside = onnx_model.parent / "outside.onnx"
    outside.write_bytes((onnx_model / "model.onnx").read_bytes())
    path = onnx_model / files.MANIFEST
    manifest = json.loads(path.read_text())
    manifest["serving"]["file"] = "../outside.onnx"
    manifest["files"]["../outside.onnx"] = files.digest_of(outside.read_bytes())
    path.write_text(json.dumps(manifest))
    with pytest.raises(Refused):
        load_model(Location(uri=onnx_model.as_uri()))


def test_tensors_of_a_model_that_are_in_another_file_are_refused_though_they_are_there(
    onnx_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = onnx.load(onnx_model / "model.onnx")
    _move_elsewhere(next(iter(_tensors(model.graph))))
    (onnx_model / "weights.bin").write_bytes(bytes(64))
    monkeypatch.chdir(onnx_model)  # where the runtime would look for it

    with pytest.raises(Refused, match="has tensors in other files, whose digests nobody recorded"):
        load_model(replaced(onnx_model, "model.onnx", model.SerializeToString()))


@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize("sparse", [False, True])
def test_an_external_tensor_is_found_wherever_a_tensor_may_be(depth: int, sparse: bool) -> None:
    tensor = helper.make_tensor("w", onnx.TensorProto.FLOAT, [1], [1.0])
    _move_elsewhere(tensor)
    kept = helper.make_sparse_tensor(tensor, tensor, [1]) if sparse else tensor
    named = {"sparse_value": kept} if sparse else {"value": kept}
    node = helper.make_node("Constant", [], ["location"], **named)
    for _ in range(depth):
        inner = helper.make_graph([node], "inner", [], [])
        node = helper.make_node("If", ["location"], ["location"], then_branch=inner, else_branch=inner)
    function = helper.make_function("own", "f", [], ["location"], [node], [])
    plain = helper.make_model(helper.make_graph([], "g", [], []))
    in_graph = helper.make_model(helper.make_graph([node], "g", [], []))
    in_function = helper.make_model(helper.make_graph([], "g", [], []), functions=[function])

    refuse_external_tensors(plain.SerializeToString())
    for model in (in_graph, in_function):
        with pytest.raises(Refused, match="tensors in other files"):
            refuse_external_tensors(model.SerializeToString())


def test_a_feature_that_is_called_location_is_no_tensor_elsewhere() -> None:
    value = helper.make_tensor_value_info("location", onnx.TensorProto.FLOAT, [1])
    node = helper.make_node("Identity", ["location"], ["y"], doc_string="location")
    model = helper.make_model(helper.make_graph([node], "location", [value], [], doc_string="location"))

    refuse_external_tensors(model.SerializeToString())


@given(st.binary(max_size=64), st.binary(max_size=8))
def test_no_bytes_are_too_odd_to_be_walked(content: bytes, end: bytes) -> None:
    with suppress(Refused):
        refuse_external_tensors(content + b"location" + end)


def test_a_skops_file_that_is_far_larger_than_it_looks_is_not_read(skops_model: Path) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", bytes(80 << 20))

    with pytest.raises(Refused, match=r"model.skops is 200 times as large as the archive that holds it"):
        load_model(replaced(skops_model, "model.skops", target.getvalue()))


def test_a_skops_model_of_another_minor_version_of_scikit_learn_is_refused(skops_model: Path) -> None:
    path = skops_model / files.MANIFEST
    manifest = json.loads(path.read_text())
    manifest["versions"]["scikit-learn"] = "1.2.3"
    path.write_text(json.dumps(manifest))
    with pytest.raises(Refused, match=r"saved with scikit-learn 1.2.3 .* needs the same minor version"):
        load_model(Location(uri=skops_model.as_uri()))


def test_every_type_known_to_be_safe_exists() -> None:
    import importlib

    for name in SAFE_TYPES:
        module, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(module), attribute), name


def test_a_canonical_skops_file_loads_equal(tmp_path: Path) -> None:
    model = making.fit_model(LinearDiscriminantAnalysis())
    content = skops_file.dump(model.estimator)
    assert content == skops_file.dump(model.estimator)
    again = skops_file.load(content, (), "it")
    seen = model_frame(making.people(50, seed=4), making.FEATURES)
    np.testing.assert_array_equal(again.predict_proba(seen), model.estimator.predict_proba(seen))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert all(entry.date_time[0] == 1980 for entry in archive.infolist())


def test_no_module_of_models_or_serving_names_pickle_or_joblib() -> None:
    root = Path(skops_file.__file__).parent.parent
    for path in [*(root / "models").glob("*.py"), *(root / "serving").glob("*.py")]:
        for line in path.read_text().splitlines():
            words = line.strip().split()
            assert not (words[:1] in (["import"], ["from"]) and words[1].partition(".")[0] in ("pickle", "joblib")), (
                path
            )


def test_loading_and_answering_with_onnx_imports_neither_pandas_nor_scikit_learn(onnx_model: Path) -> None:
    program = (
        "import sys, msgspec\n"
        "from penstock_jobs.contract.specification import Location, ServerSpec\n"
        "from penstock_jobs.serving.__main__ import prepare_application\n"
        f"prepare_application(ServerSpec(location=Location(uri={onnx_model.as_uri()!r}), name='m'))\n"
        "print(sorted({'pandas', 'sklearn', 'scipy', 'skops', 'onnx', 'joblib'} & set(sys.modules)))"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(skops_file.__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=False)
    assert done.stdout == "[]\n", done.stderr
