"""What Penstock uses of its dependencies that they do not promise: all of it is named here, and is there.

When a dependency is raised and a name is gone, the test that fails says which one, and the module that uses it. Nothing
else may import such a name, and each of these dependencies has an upper bound, so that a new release is met here first.
"""

import ast
import importlib
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ("operator/penstock", "job-images/penstock_jobs", "job-images/penstock_images")

# The private name, and the distribution that it is of.
IMPORTED = {
    # Says when a watch begins anew, which kopf tells nobody (penstock.act.handlers.Watching).
    "kopf._cogs.configs.configuration.WatchingSettings": "kopf",
    # kopf takes a memory of ours (`memories=`), but names its type in private.
    "kopf._core.reactor.inventory.ResourceMemories": "kopf",
    "kopf._core.reactor.inventory.ResourceMemory": "kopf",
    # What scikit-learn itself checks hyper-parameters with: its estimators say in these words what they take.
    "sklearn.utils._param_validation.Interval": "scikit-learn",
    "sklearn.utils._param_validation.InvalidParameterError": "scikit-learn",
    "sklearn.utils._param_validation.RealNotInt": "scikit-learn",
    "sklearn.utils._param_validation.StrOptions": "scikit-learn",
    "sklearn.utils._param_validation.make_constraint": "scikit-learn",
    "sklearn.utils._param_validation.validate_parameter_constraints": "scikit-learn",
    "sklearn.utils.validation._check_sample_weight": "scikit-learn",
    # Our own converters are put beside those that are there, and fall back to them.
    "skl2onnx._supported_operators.sklearn_operator_name_map": "skl2onnx",
    "skl2onnx.common._registration.get_converter": "skl2onnx",
    "skl2onnx.common._registration.get_shape_calculator": "skl2onnx",
}
# Attributes of public objects.
ATTRIBUTES = {
    "kubernetes.aio.client.rest.RESTClientObject._create_pool_manager": "kubernetes",
    "sklearn.linear_model.LogisticRegression._parameter_constraints": "scikit-learn",
    "skl2onnx.operator_converters.calibrated_classifier_cv._transform_isotonic": "skl2onnx",
}
FITTED = ("_n_features_outs", "_default_to_infrequent_mappings", "_infrequent_enabled")


@pytest.mark.parametrize("name", [*IMPORTED, *ATTRIBUTES])
def test_each_private_name_that_is_used_is_there(name: str) -> None:
    assert resolve(name) is not None


def test_a_fitted_encoder_has_what_its_converter_reads() -> None:
    from sklearn.preprocessing import OneHotEncoder

    encoder = OneHotEncoder(min_frequency=2, handle_unknown="infrequent_if_exist")
    encoder.fit(np.array([["a"], ["a"], ["b"]], dtype=object))
    assert [name for name in FITTED if not hasattr(encoder, name)] == []


def test_no_other_private_name_is_imported() -> None:
    found = {name for folder in SOURCES for file in (ROOT / folder).rglob("*.py") for name in private_imports(file)}
    assert found == set(IMPORTED)


@pytest.mark.parametrize("distribution", sorted({*IMPORTED.values(), *ATTRIBUTES.values()}))
def test_a_dependency_of_which_a_private_name_is_used_has_an_upper_bound(distribution: str) -> None:
    requirements = [each for each in published_requirements() if re.split(r"[^\w-]", each)[0] == distribution]
    assert requirements
    assert [each for each in requirements if "<" not in each] == []


def test_every_published_requirement_has_bounds_that_are_known_to_work() -> None:
    assert [each for each in published_requirements() if ">=" not in each or ",<" not in each] == []


def resolve(name: str) -> object:
    """Return what a dotted name leads to; raise where it leads nowhere."""
    parts = name.split(".")
    for length in range(len(parts) - 1, 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            found = getattr(found, part)
        return found
    raise ModuleNotFoundError(name)


def private_imports(file: Path) -> set[str]:
    """Return the names that a file imports from another package, of which a part begins with an underscore."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{each.name}" for each in node.names}
        elif isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
    foreign = {each for each in found if each.split(".")[0] not in ("penstock", "penstock_jobs", "__future__")}
    return {each for each in foreign if any(part.startswith("_") for part in each.split("."))}


def published_requirements() -> list[str]:
    """Return the requirements of the package and of its extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [*project["dependencies"], *(each for extra in project["optional-dependencies"].values() for each in extra)]
