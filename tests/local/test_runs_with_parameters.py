"""One Pipeline, other rows: a run on a laptop gives the parameters that its Pipeline declares."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from penstock_command import CommandResult, run_penstock, step

PIPELINE = """
apiVersion: penstock.dev/v1alpha1
kind: Pipeline
metadata: {name: orders}
spec:
  parameters:
  - {name: asOf, type: Date}
  - {name: region, type: String, default: north}
  dataset:
    inputs: [{name: rows, uri: "{region}/rows.csv"}]
    query: SELECT * FROM rows WHERE day <= :asOf
    key: [id]
    target: {column: returned}
"""


class Orders:
    """A folder with the manifest and a table for each region, and a home for each name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = folder / "orders.yaml"
        self.manifest.write_text(PIPELINE)
        for region, count in (("north", 300), ("south", 240)):
            (folder / region).mkdir()
            days = (date(2026, 11, 1) + timedelta(days=number // 30) for number in range(count))
            lines = [f"{number},{day},{number % 7},{'yes' if number % 3 else 'no'}" for number, day in enumerate(days)]
            (folder / region / "rows.csv").write_text("\n".join(["id,day,x,returned", *lines, ""]))

    def run(self, home: str, *options: str) -> CommandResult:
        return run_penstock("run", self.manifest, "--output", "json", *options, home=self.folder / home)

    def dataset(self, home: str, *options: str) -> dict[str, Any]:
        """Return what the run's dataset step did."""
        found = step(self.run(home, *options).json(), "dataset")
        assert isinstance(found, dict)
        return found


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Orders:
    return Orders(tmp_path_factory.mktemp("orders"))


def digests(dataset: dict[str, Any]) -> list[str]:
    return [table["digest"] for table in dataset["tables"]]


def test_other_parameters_give_other_rows_and_the_same_ones_the_same_digests(orders: Orders) -> None:
    fifth, seventh, again = (
        orders.dataset(home, "--param", f"asOf=2026-11-0{day}") for home, day in (("a", 5), ("b", 7), ("c", 5))
    )

    assert (fifth["rowsRead"], seventh["rowsRead"]) == (150, 210)
    assert digests(fifth) == digests(again)
    assert digests(fifth) != digests(seventh)


def test_an_address_takes_a_parameter_as_a_segment(orders: Orders) -> None:
    south = orders.dataset("d", "--param", "asOf=2026-12-31", "--param", "region=south")

    assert south["rowsRead"] == 240


def test_what_the_run_had_is_in_its_status_its_snapshot_and_its_description(orders: Orders) -> None:
    run = orders.run("e", "--param", "asOf=2026-11-05").json()

    assert run["spec"]["parameters"] == [{"name": "asOf", "value": "2026-11-05"}]
    assert run["status"]["parameters"] == "asOf=2026-11-05, region=north"
    (snapshot,) = (orders.folder / "e").rglob("snapshot.yaml")
    *_, resolved = yaml.safe_load_all(snapshot.read_text())
    assert [each["value"] for each in resolved["resolved"]["parameters"]] == ["2026-11-05", "north"]
    described = run_penstock("describe", "orders/run", home=orders.folder / "e")
    assert "asOf=2026-11-05, region=north" in described.output


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ((), "spec.parameters gives no asOf, a Date for which the Pipeline has no default"),
        (("--param", "asOf='; DROP TABLE rows; --"), "which is not a Date of the calendar"),
        (("--param", "asOf=2026-11-05", "--param", "region=../north"), "has as a segment of its path"),
        (("--param", "asof=2026-11-05"), "which the Pipeline does not declare; did you mean asOf?"),
        (("--param", "asOf=2026-11-05", "--param", "asOf=2026-11-06"), "--param gives asOf twice; remove one."),
        (("--param", "asOf"), "--param is asOf; write the name of a parameter and its value, as asOf=2026-11-07."),
        (("--set", "parameters.asOf.default=2026-11-05"), "No run may override this field"),
    ],
)
def test_what_cannot_be_is_refused_before_a_run_is_made(
    orders: Orders, options: tuple[str, ...], sentence: str
) -> None:
    ended = orders.run("f", *options)

    assert (ended.code, ended.output) == (2, "")
    assert sentence in ended.errors
    assert not list((orders.folder / "f").rglob("pipelineruns/*.json"))
