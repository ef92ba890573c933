"""From a fitted network to a Model that is loaded by the server's path, and from a training job to that Model."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from model_making import fit_model, fit_regression, people, save_and_load
from penstock_jobs.contract.errors import Refused, Unavailable
from penstock_jobs.contract.specification import (
    AlgorithmSpec,
    EarlyStoppingSpec,
    ScoringSpec,
    SourceSpec,
    TargetSpec,
    TrainingJob,
)
from penstock_jobs.models.inputs import model_frame
from penstock_jobs.networks import NeuralNetworkClassifier, NeuralNetworkRegressor
from penstock_jobs.training import train
from training_jobs import Tables, algorithm, make_tables

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")

CLASSIFIER = "penstock_jobs.networks.NeuralNetworkClassifier"


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    X, y = load_digits(return_X_y=True)
    frame = pd.DataFrame(X, columns=[f"p{n}" for n in range(64)]).assign(id=range(len(y)), y=y)
    target = {"target": TargetSpec(column="y"), "task": "Classification"}
    return make_tables(tmp_path_factory.mktemp("digits"), frame, **target)


def _job(tables: Tables, *algorithms: AlgorithmSpec, **changes: Any) -> TrainingJob:
    source = SourceSpec(folder=str(Path(__file__).parent))
    return tables.job(**{"algorithms": algorithms, "scoring": ScoringSpec(name="accuracy"), "source": source} | changes)


def test_a_saved_classifier_is_served_as_onnx_and_answers_as_it_did(tmp_path: Path) -> None:
    model = fit_model(NeuralNetworkClassifier(epochs=5, random_state=0, device="cpu"))
    served = save_and_load(tmp_path, model)
    assert served.manifest.serving.format == "ONNX"
    assert set(served.manifest.files) == {"model.onnx", "network.safetensors", "network.json"}
    assert served.manifest.versions["torch"] == version("torch")
    expected = model.estimator.predict_proba(model_frame(people(50, seed=3), model.features))
    answered = served.predict_frame(people(50, seed=3)).probabilities
    assert answered is not None
    np.testing.assert_allclose(answered, expected, atol=1e-12)


def test_a_saved_regressor_is_served_as_onnx_and_answers_as_it_did(tmp_path: Path) -> None:
    model = fit_regression(NeuralNetworkRegressor(epochs=5, random_state=0, device="cpu"))
    served = save_and_load(tmp_path, model)
    assert served.manifest.serving.format == "ONNX"
    expected = model.estimator.predict(model_frame(people(50, seed=3), model.features))
    np.testing.assert_allclose(served.predict_frame(people(50, seed=3)).labels, expected, rtol=1e-12)


def test_a_network_that_no_graph_can_say_is_refused_as_a_model_in_a_sentence(tmp_path: Path) -> None:
    model = fit_model(NeuralNetworkClassifier(module="own_networks.Branching", epochs=1, random_state=0, device="cpu"))
    with pytest.raises(Refused, match=r"cannot be saved as data: .*torch cannot export own_networks\.Branching"):
        save_and_load(tmp_path, model)


def test_a_job_trains_networks_beside_other_estimators_and_saves_the_best(digits: Tables) -> None:
    networks = algorithm(
        "network", CLASSIFIER, EarlyStoppingSpec(share=0.1, patience=4), learning_rate=[0.003, 1e-6], epochs=15
    )
    own = algorithm("own", CLASSIFIER, module="own_networks.Convolution", module__channels=[2, 4], epochs=3)
    linear = algorithm("linear", "sklearn.linear_model.LogisticRegression", C=1e-6)
    result = train(_job(digits, networks, own, linear, name="mixed", processes=2))
    assert (result.succeeded, result.failed) == (5, 0)
    assert result.best[0].algorithm == "network"
    assert result.best[0].score > 0.9


def test_a_job_gives_the_same_scores_again_in_any_number_of_processes(digits: Tables) -> None:
    network = algorithm("network", CLASSIFIER, hidden_layer_sizes=[(16,), (8,)], epochs=3)
    scores = []
    for processes in (1, 2):
        train(_job(digits, network, name=f"again-{processes}", processes=processes))
        scores.append({row.candidate: row.scores for row in digits.rows(f"again-{processes}")})
    assert scores[0] == scores[1]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"module": ["own_networks.Convolution", "own_networks.Missing"]}, "own_networks has no Missing"),
        ({"module": "no_such_file.Net"}, "there is no module no_such_file"),
        ({"module__width": 3}, "`module` names none"),
        ({"hidden": 3}, "has no hyper-parameter hidden"),
        ({"dropout": [0.1, 1.5]}, "dropout of algorithm network is 1.5"),
    ],
)
def test_a_mistake_is_refused_before_anything_is_trained(
    digits: Tables, values: dict[str, object], sentence: str
) -> None:
    with pytest.raises(Refused, match=sentence):
        train(_job(digits, algorithm("network", CLASSIFIER, **values), name="mistake"))
    assert not (digits.home / "mistake" / "run").exists()


def test_a_job_that_requires_a_gpu_ends_at_once_where_there_is_none(
    digits: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(Unavailable, match="A GPU was asked for and none was found"):
        train(_job(digits, algorithm("network", CLASSIFIER), name="gpu", gpu="Required"))
    assert not (digits.home / "gpu" / "run").exists()
