"""What an older manifest said is refused with the words of today, and nothing is silently read under an old name."""

from pathlib import Path
from typing import Any

import pytest

from penstock.api import renamed_fields
from penstock.api.definitions import KINDS, crd
from penstock.api.overrides import override_faults
from penstock.api.pipeline import Pipeline
from penstock.api.renamed_fields import RENAMED, RenamedField
from penstock.api.run import Override
from penstock.api.validation import check_text, load_file

MANIFESTS = Path(__file__).parent / "manifests"


def objects(schema: Any) -> list[dict[str, Any]]:
    """Return the schemas of all objects in a schema."""
    if isinstance(schema, list):
        return [found for each in schema for found in objects(each)]
    if not isinstance(schema, dict):
        return []
    own = [schema] if "properties" in schema else []
    return own + [found for each in schema.values() for found in objects(each)]


PUBLISHED = [found for kind in KINDS for found in objects(crd(kind))]


@pytest.mark.parametrize("renamed", RENAMED, ids=lambda each: f"{each.struct}.{each.old}")
def test_the_api_server_refuses_each_old_name_with_the_new_one(renamed: RenamedField) -> None:
    said = {
        "rule": f"!has(self.{renamed.old})",
        "message": f"{renamed.old} {renamed.sentence}.",
        "fieldPath": f".{renamed.old}",
    }
    found = [each for each in PUBLISHED if said in each.get("x-kubernetes-validations", ())]

    assert found
    for each in found:
        assert each["properties"][renamed.old]["description"].startswith("Refused: ")
        assert renamed.new.partition(".")[0] in each["properties"]


def test_what_is_not_for_the_api_server_is_not_published() -> None:
    for each in PUBLISHED:
        for schema in (each, *each["properties"].values()):
            assert not {renamed_fields.FORMER_NAMES, renamed_fields.FORMER_TYPE} & set(schema)


def test_an_annotation_that_is_a_field_now_is_refused_with_the_field() -> None:
    text = (MANIFESTS / "pipeline-shortest.yaml").read_text("utf-8")
    named = "metadata: {name: wine, annotations: {penstock.dev/pinned-model: forest}}"
    (finding,) = check_text(text.replace("metadata: {name: wine}", named), "m.yaml").findings

    assert finding.sentence == (
        "metadata.annotations.penstock.dev/pinned-model is spec.deployment.model now; write it there, or leave it to "
        "penstock deploy."
    )


def test_an_override_of_an_old_name_is_refused_with_the_new_one() -> None:
    (pipeline,) = load_file(MANIFESTS / "pipeline.yaml")
    assert isinstance(pipeline, Pipeline)
    (fault,) = override_faults(pipeline, [Override(path="jobs.training.environment", value=[])])

    assert fault.full_sentence == (
        "spec.overrides[0].path has environment, which is env now; write env: [{name: NAME, value: VALUE}]."
    )
