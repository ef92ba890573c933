"""`penstock explain` answers for each field, and for one that is not there with the likeliest that is."""

import pytest
from click.testing import CliRunner

from penstock import cli
from penstock.api.definitions import KINDS, KindDefinition
from penstock.api.field_tree import field_tree, walk
from penstock.api.schema_words import default_text
from penstock.cli.explain import explain


def answer(*arguments: str) -> str:
    ended = CliRunner().invoke(explain, list(arguments), catch_exceptions=False)
    assert ended.exit_code == 0, ended.output
    return str(ended.output)


def refusal(path: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as exit_:
        cli.main(["explain", path])
    assert exit_.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    return said.err


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_it_answers_for_each_field_of_each_kind(kind: KindDefinition) -> None:
    for node in walk(field_tree(kind)):
        said = " ".join(answer(f"{kind.short_name}.{node.path}".rstrip(".")).split())
        assert f"KIND: {kind.name}" in said
        assert all(" ".join(paragraph.split()) in said for paragraph in node.paragraphs), node.path
        assert f"default {default_text(node.schema) or ''}" in said or default_text(node.schema) is None
        assert all(f" {each.name} <" in said for each in node.fields), node.path


def test_without_a_path_it_lists_the_kinds() -> None:
    said = answer()
    assert all(f"{kind.name.lower()} ({kind.short_name})" in said for kind in KINDS)


@pytest.mark.parametrize("name", ["pipeline", "Pipeline", "pipelines", "pl"])
def test_a_kind_has_the_names_that_kubectl_knows(name: str) -> None:
    assert answer(f"{name}.spec.dataset") == answer("pipeline.spec.dataset")


@pytest.mark.parametrize("item", ["", "[]", "[0]"])
def test_the_index_of_an_item_may_be_left_out(item: str) -> None:
    assert "FIELD: uri <string> -required-" in answer(f"pl.spec.dataset.inputs{item}.uri")


def test_all_that_is_beneath_is_shown_on_request() -> None:
    said = answer("pipeline.spec.dataset", "--recursive")
    assert "\n  split <object>\n    testing <string>, default 20%\n" in said


def test_what_is_not_there_yet_is_said() -> None:
    assert "Refused for now: it is not there yet" in " ".join(answer("pipeline.spec.storage.gcs").split())


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("pipelin", "There is no kind pipelin; did you mean pipeline?"),
        ("xyz", "There is no kind xyz; there are pipeline, pipelinerun, trigger, model."),
        ("pipeline.spec.dataset.splt", "pipeline.spec.dataset has no field splt; did you mean split?"),
        ("pl.spec.displayname", "pipeline.spec has no field displayname; did you mean displayName?"),
        ("pipeline.dataset", "pipeline has no field dataset; did you mean pipeline.spec.dataset?"),
        ("pipeline.spec.training.keep.best", "pipeline.spec.training.keep has no fields beneath it; leave best out."),
        ("trg.spec.schedule.qqq", "cron, moments, timeZone, jitter, catchUp, catchUpLimit."),
    ],
)
def test_a_field_that_is_not_there_is_refused_with_the_likeliest_that_is(
    path: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refusal(path, capsys).rstrip().endswith(sentence)


def test_the_shell_completes_a_path() -> None:
    found = {
        each.value for each in explain.params[0].shell_complete(explain.make_context("x", []), "pl.spec.dataset.s")
    }
    assert found == {"pl.spec.dataset.split"}
