import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score, roc_auc_score

from penstock_jobs.contract import document
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.manifest import ModelManifest
from penstock_jobs.contract.result import ModelReference, TrainingResult
from penstock_jobs.contract.specification import (
    AlgorithmSpec,
    DecisionSpec,
    EarlyStoppingSpec,
    Location,
    ParameterSpec,
    ScoringSpec,
    SearchSpec,
    SourceSpec,
    SplitSpec,
    TargetSpec,
    TrainingJob,
    ValidationSpec,
)
from penstock_jobs.models.loading import load_model
from penstock_jobs.tables.reading import read_frame
from penstock_jobs.training import train
from penstock_jobs.training.loading import load
from penstock_jobs.training.tasks import make_splits
from training_jobs import LINEAR, Tables, algorithm, drop_seconds, make_mixed_frame, make_tables

Trained = tuple[Tables, TrainingJob, TrainingResult]

SOURCE = SourceSpec(folder=str(Path(__file__).parent))
RIDGE = algorithm("ridge", "sklearn.linear_model.Ridge", alpha=[0.1, 1000.0])
FOREST = algorithm("forest", "sklearn.ensemble.RandomForestClassifier", n_estimators=20, max_depth=[2, None])


def manifest_of(reference: ModelReference) -> ModelManifest:
    path = Path(reference.uri.removeprefix("file://")) / "manifest.json"
    return document.decode(path.read_bytes(), ModelManifest, str(path))


def curves_of(tables: Tables, name: str, result: TrainingResult) -> Any:
    return json.loads((tables.home / name / f"run/candidates/curves/{result.models[0].name}.json").read_text())


@pytest.fixture(scope="module")
def trained(mixed_tables: Tables) -> Trained:
    job = mixed_tables.job(
        name="plain", algorithms=(LINEAR, FOREST), keep=2, also_scoring=(ScoringSpec(name="f1"),), processes=2
    )
    return mixed_tables, job, train(job)


def test_every_candidate_is_a_row_and_the_best_are_models(trained: Trained) -> None:
    tables, _, result = trained
    rows = tables.rows("plain")
    assert [row.algorithm for row in rows] == ["baseline", "linear", "linear", "linear", "forest", "forest"]
    assert (result.total, result.succeeded, result.failed) == (5, 5, 0)
    ranked = sorted(rows[1:], key=lambda row: -row.scores[0].value)
    assert [one.candidate for one in result.best] == [row.candidate for row in ranked[:2]]
    assert [model.candidate for model in result.models] == [row.candidate for row in ranked[:2]]
    assert [[score.name for score in row.scores] for row in rows] == [["roc_auc", "f1"]] * 6


def test_the_baseline_is_there_to_compare_with_and_is_no_model(trained: Trained) -> None:
    tables, _, result = trained
    (baseline,) = [row for row in tables.rows("plain") if row.baseline]
    assert baseline.scores[0].value == 0.5
    assert baseline.candidate not in [model.candidate for model in result.models]


def test_the_manifest_says_what_the_model_is(trained: Trained) -> None:
    tables, job, result = trained
    manifest = manifest_of(result.models[0])
    assert [feature.name for feature in manifest.features] == ["colour", "first", "member", "second", "since"]
    assert manifest.features[0].categories == ("blue", "green", "red")
    assert (manifest.classes, manifest.positive) == (("no", "yes"), "yes")
    assert manifest.lineage.epoch == tables.made.epoch
    assert manifest.lineage.generation == tables.made.generation
    assert manifest.lineage.training_digest == job.training.digest
    assert manifest.validation[0].value == result.best[0].score


def test_a_model_answers_as_it_was_scored(trained: Trained) -> None:

    _, job, result = trained
    rows = read_frame(job.validation, job.storage)

    model = load_model(Location(uri=result.models[0].uri))
    answers = model.predict_frame(rows)
    assert answers.probabilities is not None
    assert roc_auc_score(rows["y"] == "yes", answers.probabilities[:, 1]) == pytest.approx(
        result.best[0].score, abs=1e-6
    )


def test_the_best_models_learning_curve_is_kept(trained: Trained) -> None:
    tables, _, result = trained
    curves = curves_of(tables, "plain", result)
    assert [point["rows"] for point in curves["learning"]] == sorted(point["rows"] for point in curves["learning"])
    assert curves["learning"][-1]["validation"] == pytest.approx(result.best[0].score)


def test_the_same_job_in_two_folders_gives_equal_scores(trained: Trained) -> None:
    tables, _, _ = trained
    job = tables.job(name="twin", algorithms=(LINEAR, FOREST), keep=1, also_scoring=(ScoringSpec(name="f1"),))
    train(job)
    assert drop_seconds(tables.rows("twin")) == drop_seconds(tables.rows("plain"))


def test_a_candidate_scores_the_same_in_another_search(trained: Trained) -> None:
    tables, _, _ = trained
    wide = algorithm("forest", FOREST.estimator, n_estimators=20, max_depth=[3, None])
    train(tables.job(name="wide", algorithms=(wide,), also_scoring=(ScoringSpec(name="f1"),)))
    known = {row.candidate: row.scores for row in tables.rows("plain")}
    shared = [row for row in tables.rows("wide") if row.candidate in known]
    assert len(shared) == 2
    assert all(row.scores == known[row.candidate] for row in shared)


def test_two_workers_share_one_search(trained: Trained) -> None:
    tables, _, _ = trained
    first, second = (
        tables.job(name="shared", algorithms=(LINEAR, FOREST), workers=2, worker=number) for number in (0, 1)
    )
    results = [train(first), train(second)]
    rows = tables.rows("shared")
    assert [row.index for row in rows] == [-1, 0, 1, 2, 3, 4]
    assert sum(result.succeeded for result in results) == 5


def test_a_candidate_that_fails_is_a_row_with_its_error(mixed_tables: Tables) -> None:
    own = algorithm("own", "own_estimators.Troubled", trouble=["raises", "dies", "memory", "nan", "none"])
    result = train(
        mixed_tables.job(
            name="trouble",
            algorithms=(own,),
            source=SOURCE,
            features=("first", "second"),
            trusted_types=("own_estimators.Troubled",),
        )
    )
    errors = {row.parameters.get("trouble"): row.error or "" for row in mixed_tables.rows("trouble")}
    assert (result.succeeded, result.failed) == (1, 4)
    assert errors["raises"] == "ArithmeticError: it does not add up"
    assert "SIGKILL" in errors["dies"]
    assert "3 TiB" in errors["memory"]
    assert "NaN" in errors["nan"]
    assert errors["none"] == ""


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"scoring": ScoringSpec(name="own", function="own_estimators.undefined")},
            "None of the 3 .*not a number",
        ),
        ({"scoring": ScoringSpec(name="r2")}, "r2 is for regressions"),
        ({"scoring": ScoringSpec(name="roc_acu")}, "the nearest is roc_auc"),
        ({"features": ("frist",)}, "training.features lists frist, which is no column; the nearest is first"),
        ({"features": ("y",)}, "which is the target"),
        ({"exclude": ("first", "second", "colour", "member", "since")}, "No column is left"),
        ({"memory": 2**20}, "Training would take about .* MiB"),
        (
            {"task": "Regression", "algorithms": (algorithm("l", "sklearn.linear_model.Ridge"),)},
            "a regression needs numbers",
        ),
        ({"target": TargetSpec(column="y", positive="perhaps")}, "none of the classes"),
    ],
    ids=lambda one: one[:30] if isinstance(one, str) else "",
)
def test_a_mistake_is_one_sentence_and_leaves_no_model(
    mixed_tables: Tables, changes: dict[str, object], sentence: str, request: pytest.FixtureRequest
) -> None:
    name = f"mistake-{abs(hash(request.node.name))}"
    with pytest.raises(Refused, match=sentence):
        train(mixed_tables.job(name=name, source=SOURCE, **changes))
    assert mixed_tables.models(name) == []


def test_an_estimator_without_a_seed_of_its_own_is_repeatable_too(mixed_tables: Tables) -> None:
    own = algorithm("own", "own_estimators.Unseeded", shift=[1.0, 2.0])
    changes = {
        "algorithms": (own,),
        "source": SOURCE,
        "features": ("first",),
        "scoring": ScoringSpec(name="neg_log_loss"),
        "trusted_types": ("own_estimators.Unseeded",),
    }
    for name, processes in (("one", 1), ("two", 2)):
        train(mixed_tables.job(name=name, processes=processes, **changes))
    assert drop_seconds(mixed_tables.rows("one")) == drop_seconds(mixed_tables.rows("two"))


def test_calibration_and_threshold_are_in_the_model(mixed_tables: Tables) -> None:
    result = train(
        mixed_tables.job(
            name="calibrated",
            algorithms=(FOREST,),
            calibration="Sigmoid",
            decision=DecisionSpec(tune="f1"),
            refit="TrainingAndValidation",
        )
    )
    manifest = manifest_of(result.models[0])
    assert (manifest.calibration, manifest.threshold_tuned_for) == ("Sigmoid", "f1")
    assert manifest.threshold is not None
    assert 0 < manifest.threshold < 1
    assert manifest.origin.refit == "TrainingAndValidation"


def test_early_stopping_watches_a_slice_of_training(mixed_tables: Tables) -> None:
    boosting = algorithm(
        "boosting",
        "sklearn.ensemble.HistGradientBoostingClassifier",
        early_stopping=EarlyStoppingSpec(share=0.2, patience=3),
        max_iter=200,
    )
    result = train(mixed_tables.job(name="stopping", algorithms=(boosting,)))
    curves = json.loads(
        (mixed_tables.home / "stopping/run/candidates/curves" / f"{result.models[0].name}.json").read_text()
    )
    assert 0 < len(curves["stopping"]) < 200


@pytest.fixture(scope="module")
def number_tables(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    frame = make_mixed_frame(200)
    random = np.random.default_rng(1)
    frame["y"] = frame["first"] * 3 + (frame["colour"] == "red") + random.normal(size=len(frame)) * 0.1
    frame["weight"] = random.random(len(frame))
    return make_tables(
        tmp_path_factory.mktemp("numbers"),
        frame,
        target=TargetSpec(column="y"),
        task="Regression",
        validation=ValidationSpec(folds=4, repeats=2),
        weight="weight",
    )


def test_a_regression_on_folds_has_mean_and_spread(number_tables: Tables) -> None:
    result = train(number_tables.job(algorithms=(RIDGE,), scoring=ScoringSpec(name="neg_root_mean_squared_error")))
    best = number_tables.rows()[1]
    assert best.candidate == result.best[0].candidate
    assert -0.5 < best.scores[0].value < 0
    assert best.scores[0].spread is not None
    assert best.scores[0].spread > 0
    assert "weight" not in [feature.name for feature in manifest_of(result.models[0]).features]


def test_the_learning_curve_over_folds_is_a_mean_with_its_spread_and_says_over_how_many(number_tables: Tables) -> None:
    job = number_tables.job(name="folded", algorithms=(RIDGE,), scoring=ScoringSpec(name="r2"))
    curves = curves_of(number_tables, "folded", train(job))

    assert (curves["folds"], curves["ofFolds"]) == (5, 8)
    assert all(point["validationSpread"] > 0 and point["trainingSpread"] > 0 for point in curves["learning"])


def test_folds_are_the_ones_that_scikit_learn_would_score(number_tables: Tables) -> None:

    plain = algorithm("ridge", "sklearn.linear_model.Ridge", alpha=[1.0])
    job = number_tables.job(name="same", algorithms=(plain,), scoring=ScoringSpec(name="r2"), features=("first",))
    train(job)
    data, _ = load(job)
    assert data.weight is not None
    scores = []
    for split in make_splits(job, data):
        inputs = data.frame.to_numpy()
        scaled = (inputs - inputs[split.fit].mean()) / inputs[split.fit].std()
        fitted = Ridge(alpha=1.0).fit(scaled[split.fit], data.target[split.fit], sample_weight=data.weight[split.fit])
        scores.append(
            r2_score(
                data.target[split.score], fitted.predict(scaled[split.score]), sample_weight=data.weight[split.score]
            )
        )
    assert number_tables.rows("same")[1].scores[0].value == pytest.approx(np.mean(scores), abs=1e-9)
    assert number_tables.rows("same")[1].scores[0].spread == pytest.approx(np.std(scores, ddof=1), abs=1e-9)


def test_a_random_search_trains_its_samples(number_tables: Tables) -> None:

    ranged = AlgorithmSpec(
        name="ridge",
        estimator="sklearn.linear_model.Ridge",
        parameters=(ParameterSpec(name="alpha", low=1e-3, high=1e3, log=True),),
    )
    job = number_tables.job(
        name="random",
        algorithms=(ranged,),
        search=SearchSpec(strategy="Random", samples=7),
        scoring=ScoringSpec(name="r2"),
    )
    assert train(job).succeeded == 7


def test_a_mistake_in_what_testing_will_score_with_is_refused_before_anything_is_trained(mixed_tables: Tables) -> None:
    with pytest.raises(Refused, match="r2"):
        train(mixed_tables.job(name="later", later_scoring=(ScoringSpec(name="r2"),)))
    assert not mixed_tables.rows("later")


def test_many_classes_are_scored_without_being_told_how(tmp_path: Path) -> None:
    frame = make_mixed_frame(240)
    frame["y"] = np.digitize(frame["first"], [-0.5, 0.5])
    tables = make_tables(tmp_path, frame, task="Classification")
    result = train(tables.job(also_scoring=(ScoringSpec(name="f1"), ScoringSpec(name="neg_log_loss"))))
    row = next(row for row in tables.rows() if row.candidate == result.best[0].candidate)
    assert row.scores[0].value > 0.9
    assert manifest_of(result.models[0]).classes == (0, 1, 2)


def test_a_group_is_never_on_both_sides_of_a_fold(tmp_path: Path) -> None:

    frame = make_mixed_frame(240).assign(who=[f"who-{place % 30}" for place in range(240)])
    tables = make_tables(
        tmp_path,
        frame,
        task="Classification",
        target=TargetSpec(column="y", positive="yes"),
        split=SplitSpec(testing=0.2, strategy="Group", group_columns=("who",)),
        validation=ValidationSpec(folds=3),
    )
    job = tables.job()

    who = read_frame(job.training, job.storage)["who"].to_numpy()
    data, _ = load(job)
    for split in make_splits(job, data):
        assert set(who[split.fit]).isdisjoint(who[split.score])
