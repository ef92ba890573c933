"""Of the examples nothing is remarked that somebody who knows the data would call noise."""

from pathlib import Path

import pytest
import yaml

from penstock.api.dataset import Input
from penstock.api.pipeline import PipelineSpec
from penstock.api.run import JobRequest
from penstock.api.validation import check_text
from penstock.decide.job_specification import dataset_job
from penstock_jobs.contract.specification import Location, Run, SourceSpec
from penstock_jobs.dataset import generate

EXAMPLES = Path(__file__).parents[3] / "examples"
# Three pixels of the digits are white in all pictures; the split of the wine is Stratified, which has to be said.
REMARKS = {"digits": ["Constant"], "wine": ["DependsOnHistory"]}
MANIFESTS = sorted(
    path
    for path in (*EXAMPLES.glob("*.yaml"), *EXAMPLES.glob("*/pipeline.yaml"))
    if yaml.safe_load(path.read_text("utf-8"))["kind"] == "Pipeline"
)


class Places:
    """A folder for all that is written; inputs are beside the manifest."""

    def __init__(self, home: Path, manifest: Path) -> None:
        self._home, self._manifest = home, manifest

    def tables(self, *, write: bool) -> Location:
        return Location(uri=(self._home / "storage").as_uri())

    def run(self) -> Location:
        return Location(uri=(self._home / "storage/runs/one").as_uri())

    def models(self, *, write: bool) -> Location:
        return Location(uri=(self._home / "models").as_uri())

    def input(self, table: Input) -> Location:
        return Location(uri=(self._manifest.parent / table.uri).resolve().as_uri())

    def source(self) -> SourceSpec | None:
        return None


def test_there_are_seven_examples() -> None:
    assert len(MANIFESTS) == 7


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_only_what_an_expert_would_want_to_know_is_remarked_of_an_example(manifest: Path, tmp_path: Path) -> None:
    resource = check_text(manifest.read_text("utf-8"), manifest.name).resources[0]
    spec = resource.spec
    assert isinstance(spec, PipelineSpec)
    run = Run(uid="one", execution_name="one", pipeline="example", pipeline_uid="example")

    made = generate(dataset_job(spec, run, Places(tmp_path, manifest), JobRequest(name="dataset")))

    assert [remark.code for remark in made.remarks] == REMARKS.get(str(resource.metadata.name), [])
