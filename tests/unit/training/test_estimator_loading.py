import subprocess
import sys
from typing import Any

import pytest

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import AlgorithmSpec, EarlyStoppingSpec, ParameterSpec, Task
from penstock_jobs.training.candidates import Candidate
from penstock_jobs.training.estimators import load_algorithm


def algorithm(estimator: str, early_stopping: EarlyStoppingSpec | None = None, **values: Any) -> AlgorithmSpec:
    parameters = tuple(ParameterSpec(name=name, value=value) for name, value in values.items())
    return AlgorithmSpec(name="one", estimator=estimator, parameters=parameters, early_stopping=early_stopping)


def made(one: AlgorithmSpec, task: Task = "Classification", threads: int = 1) -> Any:
    parameters = tuple((each.name, each.value) for each in one.parameters)
    return load_algorithm(one, task, threads)(Candidate(0, one.name, one.estimator, parameters))


@pytest.mark.parametrize(
    ("one", "sentence"),
    [
        (algorithm("sklearn.linear_model.LogisticRegresion"), "the nearest is LogisticRegression"),
        (algorithm("sklearn.linear_modl.LogisticRegression"), "there is no module sklearn.linear_modl"),
        (algorithm("no_such_package.Model"), "there is no module no_such_package"),
        (algorithm("LogisticRegression"), "write its whole dotted path"),
        (algorithm("sklearn.metrics.accuracy_score"), "not a scikit-learn estimator"),
        (algorithm("sklearn.linear_model.Ridge"), "is not a classifier; the task is Classification"),
        (algorithm("sklearn.cluster.KMeans"), "is not a classifier"),
        (algorithm("sklearn.ensemble.RandomForestClassifier", n_estimator=5), "the nearest is n_estimators"),
        (
            algorithm("sklearn.ensemble.RandomForestClassifier", n_estimators=-5),
            "is -5; it must be an int",
        ),
        (algorithm("sklearn.svm.SVC", kernel="cubic"), "is 'cubic'; it must be"),
        (algorithm("sklearn.ensemble.VotingClassifier"), "needs the hyper-parameter estimators"),
        (algorithm("sklearn.svm.SVC", early_stopping=EarlyStoppingSpec()), "has no early stopping"),
    ],
)
def test_a_mistake_is_refused_before_anything_is_trained(one: AlgorithmSpec, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        load_algorithm(one, "Classification", 1)


def test_a_value_of_many_that_no_estimator_takes_is_found() -> None:
    one = AlgorithmSpec(
        name="one",
        estimator="sklearn.linear_model.Ridge",
        parameters=(ParameterSpec(name="alpha", values=(1.0, 0.1, -1.0)),),
    )
    with pytest.raises(Refused, match=r"alpha of algorithm one is -1\.0; it must be a float in the range \[0"):
        load_algorithm(one, "Regression", 1)


def test_the_seed_is_the_candidates() -> None:
    assert made(algorithm("sklearn.ensemble.RandomForestClassifier")).random_state is not None


def test_a_seed_in_the_manifest_is_left_alone() -> None:
    assert made(algorithm("sklearn.ensemble.RandomForestClassifier", random_state=7)).random_state == 7


def test_threads_come_from_the_specification() -> None:
    assert made(algorithm("sklearn.ensemble.RandomForestClassifier"), threads=3).n_jobs == 3


def test_early_stopping_is_said_in_the_estimators_own_words() -> None:
    stopping = EarlyStoppingSpec(share=0.2, patience=4, tolerance=0.01)
    one = made(algorithm("sklearn.neural_network.MLPClassifier", early_stopping=stopping))
    assert (one.early_stopping, one.validation_fraction, one.n_iter_no_change, one.tol) == (True, 0.2, 4, 0.01)


def test_the_processes_that_fit_do_not_carry_the_engine_that_reads_tables() -> None:
    code = "import sys, penstock_jobs.training.template; print('duckdb' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
