"""What is right is let through, and becomes a resource with its defaults."""

import copy
from pathlib import Path
from typing import Any

import pytest

from penstock.api import (
    Model,
    Pipeline,
    PipelineRun,
    cluster_only,
    load_file,
    notices_of,
    unimplemented,
    validate_file,
)
from penstock.api.definitions import KINDS, object_schema
from penstock.api.manifests import read_manifests
from penstock.api.validation import check_text
from penstock_jobs.contract.errors import Refused

MANIFESTS = Path(__file__).parent / "manifests"
GOOD = sorted(
    path.name for path in MANIFESTS.glob("*.yaml") if "trigger" not in path.name and "proposal" not in path.name
)


@pytest.mark.parametrize("name", GOOD)
def test_a_good_manifest_is_let_through(name: str) -> None:
    assert validate_file(MANIFESTS / name) == []


@pytest.mark.parametrize("name", ["api-proposal.yaml", "trigger.yaml", "trigger-shortest.yaml"])
def test_of_the_whole_proposal_only_what_nothing_implements_yet_is_refused(name: str) -> None:
    assert all("yet" in finding.sentence for finding in validate_file(MANIFESTS / name))


@pytest.mark.parametrize(
    "expected",
    [
        "{remark: AmbiguousNumbers, severity: Refuse}",
        "{remark: ManyTexts, column: plan}",
        "{column: age, nulls: 5%}",
        '{column: age, range: {low: "0", high: "120"}}',
        "{rows: {minimum: 1000, decrease: 20%, increase: 150%}}",
    ],
)
def test_a_pipeline_may_expect_of_its_rows_no_remark_or_a_bound(expected: str) -> None:
    text = (MANIFESTS / "pipeline.yaml").read_text("utf-8")
    assert check_text(text.replace("updates: Freeze", f"expect: [{expected}]"), "m.yaml").findings == ()


@pytest.mark.parametrize(
    ("scoring", "gate"),
    [
        ("{name: roc_auc}", '{scoring: roc_auc, minimum: "0.8"}'),
        ("{name: neg_log_loss}", '{scoring: neg_log_loss, maximum: "0.3"}'),
        ("{name: neg_log_loss}", '{scoring: neg_log_loss, minimum: "-0.3"}'),
        ("{name: neg_log_loss}", '{scoring: neg_log_loss, minimum: "0.0"}'),
        ("{name: cost, function: own.cost, greaterIsBetter: false}", '{scoring: cost, maximum: "5"}'),
        ("{name: cost, function: own.cost, greaterIsBetter: false}", '{scoring: cost, minimum: "-5"}'),
        ("{name: gain, function: own.gain}", '{scoring: gain, minimum: "5"}'),
    ],
)
@pytest.mark.parametrize("tested", [False, True], ids=["ranks", "is tested"])
def test_a_gate_may_be_a_least_score_or_for_an_error_the_greatest(scoring: str, gate: str, tested: bool) -> None:
    text = (MANIFESTS / "pipeline-shortest.yaml").read_text("utf-8")
    text += f"  deployment: {{selection: {gate}}}\n"
    if tested:
        text += f"  testing: {{scoring: [{scoring}, {{name: f1}}]}}\n"
    else:
        text = text.replace("scoring: {name: accuracy}", f"scoring: {scoring}")
    assert check_text(text, "m.yaml").findings == ()


def test_resources_have_the_kinds_that_the_file_says() -> None:
    assert [type(load_file(MANIFESTS / f"{name}.yaml")[0]) for name in ("pipeline", "pipelinerun", "model")] == [
        Pipeline,
        PipelineRun,
        Model,
    ]


def test_what_is_not_said_has_the_default_of_the_schema() -> None:
    [pipeline] = load_file(MANIFESTS / "pipeline-shortest.yaml")
    assert isinstance(pipeline, Pipeline)
    assert pipeline.spec.dataset is not None
    assert (pipeline.spec.dataset.split.testing, pipeline.spec.dataset.split.strategy) == ("20%", "Key")
    assert pipeline.spec.retention.table_versions == "90d"


def test_a_bad_file_is_refused_with_every_sentence(tmp_path: Path) -> None:
    path = tmp_path / "pipeline.yaml"
    text = (MANIFESTS / "pipeline.yaml").read_text("utf-8")
    path.write_text(text.replace("keep: 3", "keep: 0").replace("Freeze", "Never"), "utf-8")
    with pytest.raises(Refused) as refused:
        load_file(path)
    assert str(refused.value).splitlines() == [
        f'{path}:17:5: spec.dataset.updates is "Never", and must be Freeze or Refresh; take one of them.',
        f"{path}:33:5: spec.training.keep is 0, which is too little; give it 1 at least.",
    ]


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    [finding] = validate_file(tmp_path / "none.yaml")
    assert finding.sentence == f"{tmp_path / 'none.yaml'} cannot be read: No such file or directory."


def test_fields_that_mean_nothing_on_a_laptop_are_listed_with_their_lines_and_not_refused() -> None:
    listed = [(each.line, each.field) for each in notices_of(MANIFESTS / "pipeline.yaml")]
    assert sorted(listed) == [
        (41, "spec.deployment.replicas"),
        (43, "spec.jobs[0].resources.requests"),
        (44, "spec.jobs[1].gpu.count"),
        (44, "spec.jobs[1].parallelism"),
        (44, "spec.jobs[1].pendingLimit"),
        (44, "spec.jobs[1].profile"),
        (45, "spec.jobs[2].resources.requests"),
        (48, "spec.notifications"),
    ]
    [notice] = notices_of(MANIFESTS / "pipelinerun.yaml")
    assert notice.sentence == (
        "spec.jobs[1].parallelism means nothing on a laptop: one process does the job, its candidates in parallel by "
        "processes."
    )


def is_in(schema: dict[str, Any], parts: list[str]) -> bool:
    if not parts:
        return True
    if schema.get("type") == "array":
        names = schema["items"]["properties"].get("name", {}).get("enum", ["*"])
        assert parts[0] in ("*", *names)
        return is_in(schema["items"], parts[1:])
    return parts[0] in schema.get("properties", {}) and is_in(schema["properties"][parts[0]], parts[1:])


@pytest.mark.parametrize(
    ("kind", "path"),
    [(line.kind, line.path) for line in unimplemented.TABLE]
    + [("Pipeline", path) for path in cluster_only.TABLE]
    + [("PipelineRun", path) for path in cluster_only.OF_A_RUN],
)
def test_the_fields_that_are_refused_or_listed_are_fields(kind: str, path: str) -> None:
    [schema] = [object_schema(each) for each in KINDS if each.name == kind]
    assert is_in(schema, path.split("."))


@pytest.mark.parametrize("name", ["pipeline.yaml", "pipelinerun.yaml"])
def test_a_laptop_sees_a_manifest_without_what_means_nothing_there(name: str) -> None:
    [manifest] = read_manifests((MANIFESTS / name).read_text("utf-8"))
    before = copy.deepcopy(manifest.value)

    seen = cluster_only.without_cluster_only(manifest.value)

    assert list(cluster_only.cluster_only(before))
    assert list(cluster_only.cluster_only(seen)) == []
    assert [each["name"] for each in seen["spec"]["jobs"]] == [
        each["name"] for each in before["spec"]["jobs"] if each["name"] != "deployment"
    ]
    assert manifest.value == before
