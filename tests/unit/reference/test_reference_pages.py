"""The reference says all that there is: each field, command, reason, metric and document; one page is by hand."""

import importlib
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import pytest

from penstock.act.metrics import OperatorMetrics
from penstock.api.conditions import CONDITION_TYPES
from penstock.api.definitions import KINDS, KindDefinition
from penstock.api.field_tree import field_tree, walk
from penstock.api.schema_words import bounds, choices, default_text, requirements
from penstock.cli import commands
from penstock.decide import reasons
from penstock.receiver.metrics import ReceiverMetrics
from penstock.reference.__main__ import BY_HAND, files, main
from penstock.reference.conditions import all_reasons
from penstock.reference.documents import DOCUMENTS, kinds_of
from penstock.reference.markdown import anchor, code, prose
from penstock.reference.metrics import operator_metrics, receiver_metrics, server_metrics
from penstock_jobs.contract.document import Document
from penstock_jobs.contract.errors import JobError
from penstock_jobs.dataset import claim as _claim  # noqa: F401
from penstock_jobs.serving.metrics import INFORMATION, ServerMetrics

DOCS = Path(__file__).parents[3] / "docs"
MADE = files()
LINK = re.compile(r"\]\(([^)#\s]*)(#[^)\s]*)?\)")


def page_of(name: str) -> str:
    return MADE[f"reference/{name.lower()}.md"]


def beneath(kind: type[Any]) -> Iterator[type[Any]]:
    for each in kind.__subclasses__():
        yield each
        yield from beneath(each)


@pytest.mark.parametrize("name", MADE)
def test_the_files_are_those_that_the_code_generates(name: str) -> None:
    assert (DOCS / name).read_text("utf-8") == MADE[name], "run `make generated`"


def test_there_is_no_page_beside_those_that_are_generated(tmp_path: Path) -> None:
    old = tmp_path / "reference" / "gone.md"
    old.parent.mkdir()
    old.write_text("old")
    assert main([str(tmp_path)]) == 0
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*")} == set(MADE)
    found = {str(path.relative_to(DOCS)) for folder in ("reference", "schemas") for path in (DOCS / folder).iterdir()}
    assert found == {*MADE, *BY_HAND}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_each_field_is_there_with_its_whole_path_default_values_bounds_and_rules(kind: KindDefinition) -> None:
    items = page_of(kind.name).split("\n- **")
    told = {item.partition("`**")[0].removeprefix("`"): item for item in items}
    for node in walk(field_tree(kind)):
        if not node.path:
            continue
        item = told[node.path]
        assert prose(node.paragraphs[0]) in item
        assert ("· required" in item) == node.is_required
        if default := default_text(node.schema):
            assert f"default {code(default)}" in item
        assert all(code(value) in item for value in choices(node.schema)), node.path
        assert all(prose(sentence) in item for sentence in bounds(node.schema)), node.path


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_each_rule_is_there_with_the_sentence_that_the_api_server_says(kind: KindDefinition) -> None:
    sentences = {sentence for node in walk(field_tree(kind)) for sentence in requirements(node.schema)}
    assert all(prose(sentence) in page_of(kind.name) for sentence in sentences)


def leaves(context: click.Context) -> Iterator[tuple[str, click.Command]]:
    """Yield each command that does something, with all its words."""
    group = context.command
    assert isinstance(group, click.Group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from leaves(click.Context(command, info_name=name, parent=context))
        else:
            yield f"{context.command_path} {name}", command


@pytest.mark.parametrize("cluster", [False, True], ids=["laptop", "cluster"])
def test_each_command_is_there_with_all_its_options(cluster: bool) -> None:
    sections = dict(section.split("\n", 1) for section in page_of("command-line").split("\n### ")[1:])
    context = click.Context(commands, info_name="penstock --cluster" if cluster else "penstock")
    context.params["cluster"] = cluster
    for path, command in leaves(context):
        # The few that are one and the same command on both are told once.
        section = sections.get(path) or sections[path.replace(" --cluster", "")]
        for option in command.params:
            assert not isinstance(option, click.Option) or option.opts[0] in section, (path, option.opts)


def test_each_reason_is_there_with_what_it_means() -> None:
    words = {
        value for name, value in vars(reasons).items() if name[0] != "_" and name.isupper() and isinstance(value, str)
    }
    assert {each.word for each in all_reasons()} == words
    assert all(f"| `{word}` |" in page_of("conditions") for word in words)


def test_the_reasons_of_errors_are_among_them() -> None:
    of_errors = {str(vars(each)["reason"]) for each in beneath(JobError) if "reason" in vars(each)}
    assert of_errors <= {each.word for each in all_reasons()}


def test_a_reason_is_a_word_of_its_own_and_its_meaning_a_sentence() -> None:
    found = list(all_reasons())
    assert len({each.word for each in found}) == len(found)
    assert all(re.fullmatch(r"[A-Z][A-Za-z]+", each.word) and each.meaning.endswith(".") for each in found)


def test_each_type_of_condition_is_there_with_the_kinds_that_have_it() -> None:
    names = {kind.name for kind in KINDS}
    for each in CONDITION_TYPES:
        assert set(each.kinds) <= names
        assert f"| `{each.name}` | {' and '.join(each.kinds)} |" in page_of("conditions")


def test_each_metric_that_prometheus_sees_is_there() -> None:
    operator, server = OperatorMetrics(), ServerMetrics(dict.fromkeys(INFORMATION, ""), lambda: 0)
    operator.watch(lambda: 0, lambda: 0)
    receiver = ReceiverMetrics()
    receiver.watch(lambda: 0, lambda: 0, lambda: 0)
    shown_and_told = ((operator, operator_metrics()), (receiver, receiver_metrics()), (server, server_metrics()))
    for shown, told in shown_and_told:
        seen = {(family.name, family.type) for family in shown.registry.collect()}
        assert seen == {(each.name.removesuffix("_total"), each.type) for each in told}
        assert all(f"| `{each.name}` |" in page_of("metrics") for each in told)


def import_all_documents() -> None:
    for folder in ("operator", "job-images"):
        for path in (DOCS.parent / folder).glob("penstock*/**/*.py"):
            if path.name[0] != "_" and "Document" in path.read_text("utf-8"):
                importlib.import_module(".".join(path.relative_to(DOCS.parent / folder).with_suffix("").parts))


def test_each_document_that_has_a_form_is_there_with_it() -> None:
    import_all_documents()
    told = {kind for _, found in DOCUMENTS for kind in kinds_of(found)}
    with_a_form = {kind for kind in beneath(Document) if hasattr(kind, "form") and not kind.__subclasses__()}
    assert {kind for kind in with_a_form if kind.__module__.startswith("penstock")} <= told
    assert all(f"### {kind.__name__}\n" in page_of("documents") for kind in told)
    assert all(f"`{kind.form.name}`" in page_of("documents") for kind in with_a_form)


@pytest.mark.parametrize("name", [name for name in MADE if name.endswith(".md")])
def test_each_link_leads_to_a_file_and_to_a_heading_in_it(name: str) -> None:
    for target, fragment in LINK.findall(re.sub(r"`[^`]*`", "", MADE[name])):
        path = (DOCS / name).parent / target if target else DOCS / name
        assert path.exists(), (name, target)
        if fragment:
            text = path.read_text("utf-8")
            assert fragment in {anchor(line.lstrip("# ")) for line in text.splitlines() if line.startswith("#")}, (
                fragment
            )


@pytest.mark.parametrize("name", [name for name in MADE if name.endswith(".md")])
def test_each_row_of_a_table_has_as_many_cells_as_its_head(name: str) -> None:
    for before, line in pairwise(MADE[name].splitlines()):
        if before.startswith("|") and line.startswith("|"):
            cells = [len(re.findall(r"(?<!\\)\|", each)) for each in (before, line)]
            assert cells[0] == cells[1], line
