"""A bad manifest is refused before a cluster sees it: every mistake at once, with its line and a sentence."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies._internal.core import DataObject

from bad_manifests import BAD, Bad
from penstock.api.definitions import KINDS, object_schema
from penstock.api.validation import check_text

MANIFESTS = Path(__file__).parent / "manifests"


def spoiled(bad: Bad) -> str:
    text = (MANIFESTS / f"{bad.of}.yaml").read_text("utf-8")
    assert bad.old in text
    return text.replace(bad.old, bad.new, 1)


def found(text: str) -> list[tuple[int, str]]:
    return [(each.line, each.sentence) for each in check_text(text, "m.yaml").findings]


@pytest.mark.parametrize("bad", BAD, ids=str)
def test_each_mistake_is_refused_with_its_line_and_its_sentence(bad: Bad) -> None:
    assert found(spoiled(bad)) == list(bad.found)


@pytest.mark.parametrize("bad", BAD, ids=str)
def test_a_sentence_names_the_field_and_ends_as_a_sentence_does(bad: Bad) -> None:
    for finding in check_text(spoiled(bad), "m.yaml").findings:
        assert finding.sentence.startswith(finding.field or ("The document", "This is not YAML"))
        assert finding.sentence.endswith((".", "?"))
        assert "\n" not in finding.sentence


def test_every_rule_of_a_manifest_has_a_manifest_that_breaks_it() -> None:
    broken = " ".join(sentence for bad in BAD for _, sentence in bad.found)
    for kind in KINDS:
        for rule in rules_of(object_schema(kind)["properties"]["spec"]):
            if "oldSelf" not in rule["rule"]:
                assert rule["message"] in broken, rule["message"]


def test_all_mistakes_are_found_at_once() -> None:
    text = (MANIFESTS / "pipeline.yaml").read_text("utf-8")
    text = text.replace("keep: 3", "keep: 0").replace("updates: Freeze", "updates: Never").replace("20%}", "2}")
    assert [line for line, _ in found(text)] == [17, 19, 33]


def test_a_mistake_in_one_document_does_not_hide_one_in_the_next() -> None:
    one = (MANIFESTS / "pipeline-shortest.yaml").read_text("utf-8").replace("accuracy", "acuracy")
    two = (MANIFESTS / "pipelinerun.yaml").read_text("utf-8").replace("dataset", "data")
    assert [line for line, _ in found(f"{one}---\n{two}")] == [9, 18]


def test_a_prefix_of_names_that_would_not_do_is_refused() -> None:
    text = (MANIFESTS / "pipeline-shortest.yaml").read_text("utf-8").replace("{name: wine}", "{generateName: 1-}")
    [(line, sentence)] = found(text)
    assert line == 3
    assert sentence.startswith('metadata.generateName makes a name that is "1-bcdfg", which is not a name of small ')


def test_two_documents_of_one_name_are_refused() -> None:
    text = (MANIFESTS / "pipeline-shortest.yaml").read_text("utf-8")
    assert found(f"{text}---\n{text}") == [
        (14, "metadata.name is wine, as a Pipeline before it in this file; give it another name.")
    ]


def test_a_run_of_a_job_that_its_pipeline_does_not_describe_is_refused() -> None:
    pipeline = (MANIFESTS / "pipeline-shortest.yaml").read_text("utf-8")
    run = (MANIFESTS / "pipelinerun-shortest.yaml").read_text("utf-8")
    assert found(f"{pipeline}---\n{run}  jobs: [{{name: deployment}}]\n") == [
        (
            17,
            (
                "spec.jobs[0].name is deployment, and the Pipeline in this file has no spec.deployment; add it, or "
                "leave the job out."
            ),
        )
    ]


def test_a_trigger_that_waits_for_files_of_an_input_that_its_pipeline_does_not_have_is_refused() -> None:
    pipeline = (MANIFESTS / "pipeline-shortest.yaml").read_text("utf-8")
    trigger = (
        "apiVersion: penstock.dev/v1alpha1\nkind: Trigger\nmetadata: {name: arriving}\n"
        "spec: {pipelineRef: {name: wine}, objects: {input: orders}}\n"
    )
    [(line, sentence)] = found(f"{pipeline}---\n{trigger}")
    assert line == 15
    assert sentence.startswith("spec.objects.input is orders, and the Pipeline wine has no such input; name ")


@pytest.mark.parametrize("text", ["", "---\n", "# nothing\n", "null\n"])
def test_a_file_without_a_manifest_is_refused(text: str) -> None:
    assert found(text) == [(1, "m.yaml holds no manifest; write a Pipeline or a PipelineRun in it.")]


@pytest.mark.parametrize("text", ["3", "a", "[1, 2]", "yes"])
def test_a_document_that_is_no_mapping_is_refused(text: str) -> None:
    [(_, sentence)] = found(text)
    assert sentence.startswith("The document is ")


words = st.sampled_from(
    [
        "spec",
        "kind",
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "- ",
        "\n",
        "  ",
        "yes",
        "1.0",
        "~",
        "&a",
        "*a",
        "<<",
        "name",
        '"',
        "!!str",
        "%",
        "\t",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_text_whatever_brings_it_down(data: DataObject) -> None:
    text = (MANIFESTS / "pipeline.yaml").read_text("utf-8")
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 40)))
        text = text[:start] + data.draw(st.lists(words, max_size=3).map("".join)) + text[end:]
    checked = check_text(text, "m.yaml")
    assert checked.findings or checked.resources


def test_aliases_that_unfold_without_end_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    [(_, sentence)] = found("\n".join(lines))
    assert sentence == "This unfolds into too much; write it without so many aliases or levels."


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[" * 100_000, id="levels that the parser's own stack would not hold"),
        pytest.param("a: &a\n  <<: *a\n", id="a mapping that merges itself"),
        pytest.param("a: &a\n  <<: [*a, *a]\n", id="a mapping that merges itself twice"),
        pytest.param("&a [*a]", id="a list in itself"),
        pytest.param("&a\nb: *a\n", id="a mapping in itself"),
        pytest.param("- {a: 1}\n" * 100_000, id="more nodes than any manifest has"),
    ],
)
def test_what_nests_without_end_is_refused_before_it_is_built(text: str) -> None:
    [(_, sentence)] = found(text)
    assert sentence == "This unfolds into too much; write it without so many aliases or levels."


def test_a_file_that_is_larger_than_any_manifest_is_refused() -> None:
    [(_, sentence)] = found("# nothing\n" * 2_000_000)
    assert sentence == "This is larger than 16 MiB, and no manifest is; name another file."


def rules_of(schema: dict[str, Any]) -> Iterator[dict[str, str]]:
    yield from schema.get("x-kubernetes-validations", ())
    for each in schema.get("properties", {}).values():
        yield from rules_of(each)
    if "items" in schema:
        yield from rules_of(schema["items"])
