import json
from typing import Any

import msgspec
import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import SVC, SVR, LinearSVC
from sklearn.tree import DecisionTreeClassifier

import model_making as making
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.manifest import FeatureSpec
from penstock_jobs.contract.specification import Location
from penstock_jobs.models.inputs import MISSING, model_frame
from penstock_jobs.models.loading import LoadedModel, load_model, read_manifest
from penstock_jobs.models.samples import rows_for_json
from penstock_jobs.models.saving import save_model
from penstock_jobs.serving.warming import rehearse

CLASSIFIERS = [
    LogisticRegression(),
    RandomForestClassifier(20, random_state=0),
    ExtraTreesClassifier(20, random_state=0),
    HistGradientBoostingClassifier(max_iter=20),
    GradientBoostingClassifier(n_estimators=20),
    DecisionTreeClassifier(),
    KNeighborsClassifier(),
    GaussianNB(),
    MLPClassifier(max_iter=20, random_state=0),
    SVC(),
    LinearSVC(),
    SGDClassifier(random_state=0),
    RidgeClassifier(),
]
REGRESSORS = [
    Ridge(),
    RandomForestRegressor(20, random_state=0),
    HistGradientBoostingRegressor(max_iter=20),
    SVR(),
    MLPRegressor(max_iter=20, random_state=0),
]


def named(estimator: Any) -> str:
    return type(estimator).__name__


def calibrated(method: str) -> Any:
    return lambda pipeline, frame, target: CalibratedClassifierCV(FrozenEstimator(pipeline), method=method).fit(
        frame, target
    )


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("estimator", CLASSIFIERS, ids=named)
def test_a_classifier_is_served_as_onnx_and_answers_as_it_did(tmp_path: Any, estimator: Any) -> None:
    fitted = making.fit_model(estimator)
    model = making.save_and_load(tmp_path, fitted)
    assert model.manifest.serving.format == "ONNX", model.manifest.serving.reason
    frame = making.people(60, seed=2)
    answer = model.predict_frame(frame)
    seen = model_frame(frame, making.FEATURES)
    assert answer.labels.tolist() == fitted.estimator.predict(seen).tolist()
    if answer.probabilities is not None:
        np.testing.assert_allclose(answer.probabilities, fitted.estimator.predict_proba(seen), atol=1e-6)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("estimator", REGRESSORS, ids=named)
def test_a_regression_is_served_as_onnx_and_answers_as_it_did(tmp_path: Any, estimator: Any) -> None:
    fitted = making.fit_regression(estimator)
    model = making.save_and_load(tmp_path, fitted)
    assert model.manifest.serving.format == "ONNX", model.manifest.serving.reason
    frame = making.people(60, seed=2)
    expected = fitted.estimator.predict(model_frame(frame, making.FEATURES))
    np.testing.assert_allclose(model.predict_frame(frame).labels, expected, rtol=1e-5)


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_a_calibrated_classifier_answers_with_its_calibrated_probabilities(tmp_path: Any, method: str) -> None:
    fitted = making.fit_model(RandomForestClassifier(10, random_state=0), wrap=calibrated(method))
    model = making.save_and_load(tmp_path, fitted)
    frame = making.people(60, seed=2)
    expected = fitted.estimator.predict_proba(model_frame(frame, making.FEATURES))
    answered = model.predict_frame(frame).probabilities
    assert answered is not None
    np.testing.assert_allclose(answered, expected, atol=1e-6)
    assert model.manifest.serving.format == "ONNX", model.manifest.serving.reason


def test_an_estimator_whose_onnx_answers_otherwise_is_served_by_skops_and_the_manifest_says_why(tmp_path: Any) -> None:
    # skl2onnx writes a softmax where scikit-learn has a sigmoid for two classes.
    model = making.save_and_load(tmp_path, making.fit_model(LinearDiscriminantAnalysis()))
    serving = model.manifest.serving
    assert serving.format == "skops"
    assert "it answers otherwise: the largest difference on" in serving.reason
    assert "answers as the estimator does" in serving.reason
    assert "model.onnx" not in model.manifest.files


def test_parity_is_checked_on_every_validation_row_and_on_nulls_and_unseen_categories(tmp_path: Any) -> None:
    fitted = making.fit_model()
    manifest, _ = read_manifest(making.store_at(tmp_path / making.save(tmp_path, fitted).name))
    rows = len(fitted.validation) + len(making.FEATURES) + 1
    assert f"on {rows} rows" in manifest.serving.reason


def test_a_category_not_seen_in_training_and_a_null_are_answered_as_the_estimator_answers_them(tmp_path: Any) -> None:
    fitted = making.fit_model(RandomForestClassifier(20, random_state=0))
    model = making.save_and_load(tmp_path, fitted)
    frame = making.people(4, seed=3)
    frame.loc[0, "town"] = "Atlantis"
    frame.loc[1, "town"] = None
    frame["member"] = [True, None, False, None]
    seen = model_frame(frame, making.FEATURES)
    assert seen["town"].tolist()[:2] == ["Atlantis", MISSING]
    expected = fitted.estimator.predict_proba(seen)
    answered = model.predict_frame(frame).probabilities
    assert answered is not None
    np.testing.assert_allclose(answered, expected, atol=1e-6)


def test_a_feature_whose_null_the_estimator_refuses_is_not_nullable(tmp_path: Any) -> None:
    frame = making.people().dropna()
    features = (FeatureSpec(name="age", type="Integer"), FeatureSpec(name="mean radius", type="Float"))
    estimator = LogisticRegression(max_iter=1000).fit(model_frame(frame, features), making.outcome(frame))
    fitted = making.change_model(making.fit_model(), estimator=estimator, features=features, validation=frame)
    assert [feature.nullable for feature in making.save_and_load(tmp_path, fitted).manifest.features] == [False, False]
    whole = making.save_and_load(tmp_path, making.fit_model(name="whole"))
    assert all(feature.nullable for feature in whole.manifest.features)


def test_equal_models_have_equal_files_and_a_manifest_that_differs_only_in_when_it_was_made(tmp_path: Any) -> None:
    def bytes_at(folder: str, moment: str) -> dict[str, bytes]:
        store = making.store_at(tmp_path / folder)
        save_model(
            store, making.fit_model(RandomForestClassifier(5, random_state=0)), rehearse, clock=making.clock_at(moment)
        )
        return {key: store.read(key) for key in store.keys("")}

    first, second = bytes_at("one", "2026-01-31T12:00:00"), bytes_at("two", "2026-02-28T12:00:00")
    assert first["model/model.onnx"] == second["model/model.onnx"]
    assert first["model/model.skops"] == second["model/model.skops"]
    manifests = [json.loads(files["model/manifest.json"]) for files in (first, second)]
    assert [manifest.pop("created") for manifest in manifests] == [
        "2026-01-31T12:00:00+00:00",
        "2026-02-28T12:00:00+00:00",
    ]
    assert manifests[0] == manifests[1]


def test_the_manifest_is_written_last(tmp_path: Any) -> None:
    written = []

    class Recording:
        def __init__(self, store: Any) -> None:
            self._store = store

        def __getattr__(self, name: str) -> Any:
            return getattr(self._store, name)

        def child(self, prefix: str) -> Any:
            return Recording(self._store.child(prefix))

        def write(self, key: str, content: bytes) -> None:
            written.append(key)
            self._store.write(key, content)

        def write_if_absent(self, key: str, content: bytes) -> bool:
            written.append(key)
            return bool(self._store.write_if_absent(key, content))

    save_model(Recording(making.store_at(tmp_path)), making.fit_model(), rehearse)
    assert sorted(written[:-1]) == ["model.onnx", "model.skops"]
    assert written[-1] == "manifest.json"


def test_saving_the_same_candidate_again_changes_nothing(tmp_path: Any) -> None:
    first = making.save(tmp_path, making.fit_model())
    again = save_model(
        making.store_at(tmp_path), making.fit_model(), rehearse, clock=making.clock_at("2027-01-01T00:00:00")
    )
    assert again == first


def test_a_model_of_another_run_is_never_overwritten(tmp_path: Any) -> None:
    making.save(tmp_path, making.fit_model())
    with pytest.raises(Refused, match="holds another Model already, of run first"):
        making.save(tmp_path, making.with_origin(making.fit_model(), run_uid="run-2"))


def test_the_recorded_samples_are_answers_of_the_served_file_to_rows_of_validation(tmp_path: Any) -> None:
    fitted = making.fit_model()
    model = making.save_and_load(tmp_path, fitted)
    samples = model.manifest.samples
    assert len(samples) == 5
    assert samples[0].row.keys() == {feature.name for feature in making.FEATURES}
    assert samples[0].row["town"] is None
    assert samples[1].row["joined"].startswith("202")
    answer = model.predict_frame(fitted.validation.head(5))
    assert [sample.prediction for sample in samples] == answer.labels.tolist()
    assert answer.probabilities is not None
    assert [list(sample.probabilities) for sample in samples] == answer.probabilities.tolist()


def test_a_threshold_for_an_estimator_without_probabilities_is_refused(tmp_path: Any) -> None:
    with pytest.raises(Refused, match="predicts no probabilities"):
        making.save(tmp_path, making.fit_model(LinearSVC(), threshold=0.3))


def test_the_threshold_is_applied_to_the_probability_of_the_positive_class(tmp_path: Any) -> None:
    model = making.save_and_load(tmp_path, making.fit_model(threshold=0.2))
    answer = model.predict_frame(making.people(200, seed=5))
    assert answer.probabilities is not None
    expected = ["yes" if probability >= 0.2 else "no" for probability in answer.probabilities[:, 1]]
    assert answer.labels.tolist() == expected
    assert "yes" in expected
    assert "no" in expected


@pytest.mark.parametrize("classes", [(0, 1), (False, True)])
def test_classes_keep_their_type(tmp_path: Any, classes: tuple[Any, Any]) -> None:
    frame = making.people()
    target = np.array([classes[answer == "yes"] for answer in making.outcome(frame)])
    estimator = Pipeline([("preprocessing", making.preprocessing()), ("estimator", LogisticRegression())])
    estimator.fit(model_frame(frame, making.FEATURES), target)
    fitted = making.change_model(making.fit_model(), estimator=estimator, classes=classes, positive=classes[1])
    model = making.save_and_load(tmp_path, fitted)
    assert model.manifest.classes == classes
    assert {type(label) for label in model.predict_frame(frame).labels.tolist()} == {type(classes[0])}


def test_names_of_features_need_not_be_identifiers(tmp_path: Any) -> None:
    names = {"age": "a b", "mean radius": "a_b", "member": "é – %", "town": "predict it", "joined": "x", "born": "y"}
    frame = making.people().rename(columns=names)
    features = tuple(msgspec.structs.replace(feature, name=names[feature.name]) for feature in making.FEATURES)
    numbers = [names[name] for name in making.NUMBERS]
    columns = making.preprocessing().set_params(
        transformers=[
            ("numbers", SimpleImputer(), numbers),
            ("texts", OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["predict it"]),
        ]
    )
    estimator = make_pipeline(columns, RandomForestClassifier(5)).fit(
        model_frame(frame, features), making.outcome(making.people())
    )
    fitted = making.change_model(making.fit_model(), estimator=estimator, features=features, validation=frame)
    model = making.save_and_load(tmp_path, fitted)
    assert model.manifest.serving.format == "ONNX", model.manifest.serving.reason
    assert model.predict_frame(frame).labels.tolist() == estimator.predict(model_frame(frame, features)).tolist()


def test_infrequent_categories_go_the_same_way_in_the_file(tmp_path: Any) -> None:
    frame = making.people()
    estimator = make_pipeline(making.preprocessing(max_categories=2), RandomForestClassifier(10, random_state=0)).fit(
        model_frame(frame, making.FEATURES), making.outcome(frame)
    )
    model = making.save_and_load(tmp_path, making.change_model(making.fit_model(), estimator=estimator))
    assert model.manifest.serving.format == "ONNX", model.manifest.serving.reason


def test_an_empty_validation_set_is_refused_because_nothing_could_be_checked(tmp_path: Any) -> None:
    with pytest.raises(Refused, match="its validation set is empty"):
        making.save(tmp_path, making.fit_model(validation=making.people().head(0)))


def test_a_missing_column_is_refused_by_name(tmp_path: Any) -> None:
    model = making.save_and_load(tmp_path, making.fit_model())
    with pytest.raises(Refused, match="has no column mean radius, which the Model was trained on"):
        model.predict_frame(making.people().drop(columns="mean radius"))


def test_a_model_under_another_name_is_refused(tmp_path: Any) -> None:
    reference = making.save(tmp_path, making.fit_model())
    with pytest.raises(Refused, match="holds the Model model, not other"):
        load_model(Location(uri=reference.uri), "other")


def test_a_forest_saved_with_many_jobs_answers_with_one(tmp_path: Any) -> None:
    estimators = [("forest", RandomForestClassifier(3, n_jobs=2)), ("line", LinearDiscriminantAnalysis())]
    fitted = making.fit_model(VotingClassifier(estimators, voting="soft"))
    model = making.save_and_load(tmp_path, fitted)
    assert model.manifest.serving.format == "skops", model.manifest.serving.reason
    parameters = model.predictor._estimator.get_params()  # type: ignore[attr-defined]
    jobs = {name: value for name, value in parameters.items() if name.endswith("n_jobs")}
    assert len(jobs) >= 3
    assert set(jobs.values()) == {None}
    assert fitted.estimator[-1].estimators[0][1].n_jobs == 2


def test_a_model_that_no_server_could_start_is_never_written(tmp_path: Any) -> None:
    def refuse(model: LoadedModel) -> None:
        assert model.manifest.samples
        raise Refused("The feature 'x' cannot be served.")

    with pytest.raises(Refused, match="cannot be served"):
        save_model(making.store_at(tmp_path), making.fit_model(), refuse)
    assert making.store_at(tmp_path).keys("") == []


def test_a_rehearsal_refuses_a_model_whose_server_answers_otherwise(tmp_path: Any) -> None:
    model = making.save_and_load(tmp_path, making.fit_model())
    rehearse(model)
    sample = msgspec.structs.replace(model.manifest.samples[0], probabilities=(0.25, 0.75))
    manifest = msgspec.structs.replace(model.manifest, samples=(sample,))
    with pytest.raises(Refused, match=r"answers (yes|no) to its recorded sample 0"):
        rehearse(LoadedModel(manifest, "", model.predictor, None))


def test_a_row_that_json_cannot_say_is_no_sample(tmp_path: Any) -> None:
    frame = making.people(10, seed=1)
    frame.loc[0, "mean radius"] = np.inf
    kept, rows = rows_for_json(making.FEATURES, frame)
    assert kept.index.tolist() == [1, 2, 3, 4, 5]
    assert [row["age"] for row in rows] == frame["age"].tolist()[1:6]
