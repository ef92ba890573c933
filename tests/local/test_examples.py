"""The examples are what they say: a cluster would take them, and each makes a Model that passes its gate."""

import re
from pathlib import Path

import duckdb
import pytest
from sklearn import datasets

from penstock_command import ROOT, run_penstock, step

EXAMPLES = ROOT / "examples"
MANIFESTS = sorted(
    path.relative_to(EXAMPLES).as_posix() for path in EXAMPLES.rglob("*.yaml") if path.name != "local.yaml"
)

# The score of the chosen Model on the testing set, and what it must reach for the example to be worth showing, on
# scikit-learn's scale.
WORTH_SHOWING = {
    "breast-cancer.yaml": ("roc_auc", 0.98),
    "diabetes.yaml": ("neg_mean_absolute_error", -52.0),
    "digits.yaml": ("accuracy", 0.95),
    "own-operations/pipeline.yaml": ("cost", -0.3),
    "penguins.yaml": ("roc_auc", 0.95),
    "weather.yaml": ("neg_root_mean_squared_error", -3.2),
    "wine.yaml": ("accuracy", 0.9),
}


def test_every_example_is_run_here() -> None:
    assert set(WORTH_SHOWING) == {name for name in MANIFESTS if not name.endswith(("-run.yaml", "-nightly.yaml"))}


def test_every_example_is_in_the_index() -> None:
    linked = re.findall(r"\]\(([^)]+\.yaml)\)", (EXAMPLES / "README.md").read_text("utf-8"))
    assert sorted(name for name in linked if not name.endswith("local.yaml")) == MANIFESTS


def test_every_table_of_the_examples_says_where_it_is_from() -> None:
    described = (EXAMPLES / "data" / "README.md").read_text("utf-8")
    tables = [path.name for path in (EXAMPLES / "data").iterdir() if path.suffix in {".csv", ".parquet"}]
    assert tables
    assert [name for name in tables if f"| `{name}` |" not in described] == []


def test_a_cluster_would_take_every_example(tmp_path: Path) -> None:
    done = run_penstock("validate", *(EXAMPLES / manifest for manifest in MANIFESTS), home=tmp_path)
    assert done.code == 0, done.output + done.errors


def test_the_nightly_example_fires_every_night_of_a_clock_in_its_zone(tmp_path: Path) -> None:
    nightly = EXAMPLES / "breast-cancer-nightly.yaml"
    done = run_penstock("triggers", "next", nightly, "-n", "8", home=tmp_path)
    assert done.code == 0, done.errors
    assert done.output.count("02:30:00") == 8


# The tests on a cluster run each of these on a laptop as well, and compare; the long ones are here in the soak.
LONG = {"breast-cancer.yaml", "digits.yaml", "own-operations/pipeline.yaml", "weather.yaml"}


def _marks(manifest: str) -> list[pytest.MarkDecorator]:
    torch = [pytest.mark.torch] if manifest == "digits.yaml" else []
    return [*torch, *([pytest.mark.soak] if manifest in LONG else [])]


@pytest.mark.parametrize("manifest", [pytest.param(name, marks=_marks(name)) for name in sorted(WORTH_SHOWING)])
def test_an_example_makes_a_model_that_passes_its_gate(manifest: str, tmp_path: Path) -> None:
    if manifest == "digits.yaml":
        pytest.importorskip("torch")
    run = run_penstock("run", EXAMPLES / manifest, "-o", "json", "-q", home=tmp_path).json()

    dataset = step(run, "dataset")
    assert {table["name"]: table["rows"] > 0 for table in dataset["tables"]}["testing"]
    assert step(run, "training")["failed"] == 0
    deployed = step(run, "deployment")
    assert deployed["served"] == deployed["challenger"]

    scoring, least = WORTH_SHOWING[manifest]
    [chosen] = [model for model in step(run, "testing")["models"] if model["name"] == deployed["served"]]
    assert {score["name"]: float(score["value"]) for score in chosen["scores"]}[scoring] >= least


@pytest.mark.parametrize(
    ("file", "target", "classes"),
    [
        ("breast-cancer.parquet", "diagnosis", {"malignant": 212, "benign": 357}),
        ("wine.csv", "cultivar", {"class_0": 59, "class_1": 71, "class_2": 48}),
    ],
)
def test_the_tables_have_the_classes_that_scikit_learn_documents(
    file: str, target: str, classes: dict[str, int]
) -> None:
    table = duckdb.execute(f"SELECT * FROM '{EXAMPLES / 'data' / file}'").df()
    assert table[target].value_counts().to_dict() == classes


def test_the_digits_are_those_of_scikit_learn() -> None:
    frame = datasets.load_digits(as_frame=True).frame.astype("int64")
    table = duckdb.execute(f"SELECT * EXCLUDE image FROM '{EXAMPLES / 'data' / 'digits.parquet'}' ORDER BY image").df()
    assert (table.to_numpy() == frame.to_numpy()).all()
