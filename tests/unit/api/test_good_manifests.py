"""What is right is let through, and becomes a resource with its defaults."""

from pathlib import Path

import pytest

from penstock.api import Model, Pipeline, PipelineRun, load_file, notices_of, validate_file
from penstock_jobs.errors import Refused

MANIFESTS = Path(__file__).parent / "manifests"
GOOD = sorted(
    path.name for path in MANIFESTS.glob("*.yaml") if "trigger" not in path.name and "proposal" not in path.name
)


@pytest.mark.parametrize("name", GOOD)
def test_a_good_manifest_is_let_through(name):
    assert validate_file(MANIFESTS / name) == []


@pytest.mark.parametrize("name", ["api-proposal.yaml", "trigger.yaml", "trigger-shortest.yaml"])
def test_of_the_whole_proposal_only_what_nothing_implements_yet_is_refused(name):
    assert all("yet" in finding.sentence for finding in validate_file(MANIFESTS / name))


def test_resources_have_the_kinds_that_the_file_says():
    assert [type(load_file(MANIFESTS / f"{name}.yaml")[0]) for name in ("pipeline", "pipelinerun", "model")] == [
        Pipeline,
        PipelineRun,
        Model,
    ]


def test_what_is_not_said_has_the_default_of_the_schema():
    [pipeline] = load_file(MANIFESTS / "pipeline-shortest.yaml")
    assert isinstance(pipeline, Pipeline)
    assert pipeline.spec.dataset is not None
    assert (pipeline.spec.dataset.split.testing, pipeline.spec.dataset.split.strategy) == ("20%", "Key")
    assert pipeline.spec.retention.table_versions == "90d"


def test_a_bad_file_is_refused_with_every_sentence(tmp_path):
    path = tmp_path / "pipeline.yaml"
    text = (MANIFESTS / "pipeline.yaml").read_text("utf-8")
    path.write_text(text.replace("keep: 3", "keep: 0").replace("Freeze", "Never"), "utf-8")
    with pytest.raises(Refused) as refused:
        load_file(path)
    assert str(refused.value).splitlines() == [
        f'{path}:17:5: spec.dataset.updates is "Never", and must be Freeze or Refresh; take one of them.',
        f"{path}:33:5: spec.training.keep is 0, which is too little; give it 1 at least.",
    ]


def test_a_file_that_is_not_there_is_refused(tmp_path):
    [finding] = validate_file(tmp_path / "none.yaml")
    assert finding.sentence == f"{tmp_path / 'none.yaml'} cannot be read: No such file or directory."


def test_fields_that_mean_nothing_on_a_laptop_are_listed_and_not_refused():
    assert [(each.line, each.sentence) for each in notices_of(MANIFESTS / "pipeline.yaml")] == [
        (41, "spec.deployment.replicas means nothing on a laptop: one server answers."),
        (44, "spec.jobs.training.profile means nothing on a laptop: profiles are the operator's."),
        (
            44,
            (
                "spec.jobs.training.parallelism means nothing on a laptop: one process does the job, its candidates in "
                "parallel by processes."
            ),
        ),
        (44, "spec.jobs.training.gpu.count means nothing on a laptop: the job uses a GPU that it finds."),
        (44, "spec.jobs.training.pendingLimit means nothing on a laptop: nothing waits for a place."),
    ]
