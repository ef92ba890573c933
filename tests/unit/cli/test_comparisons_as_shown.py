"""A comparison of two runs on a terminal of 80 columns, as a document and as a page."""

import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from rich.console import Console

from penstock.cli.comparison_page import write_page
from penstock.cli.comparison_sections import sections_of
from penstock.cli.options import Speaking
from penstock.cli.shown_comparison import comparison_document, show_comparison
from penstock.decide.commands.compare_runs import RunComparison, compare_runs
from penstock.decide.commands.compare_specs import FieldDifference
from penstock.decide.commands.run_evidence import RunEvidence
from unit.decide.runs_to_compare import evidence, outcome_of_test, runs

HOSTILE = "<script>alert(1)</script>\x1b[2J"
ARROWS = re.compile("[↑↓]")


class Terminal(Speaking):
    """What prints to a text of as many columns as a pipe is given."""

    @property
    def results(self) -> Console:
        return Console(file=self.__dict__.setdefault("written", io.StringIO()), width=200, highlight=False)


def printed(comparison: RunComparison) -> str:
    terminal = Terminal()
    show_comparison(terminal, comparison, None)
    return str(terminal.__dict__["written"].getvalue())


def section(text: str, title: str) -> str:
    """Return the part of the text beneath that title."""
    return re.split(r"^(?=\S)", text.partition(f"{title}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


@settings(max_examples=25, deadline=None)
@given(one=runs, other=runs)
def test_no_line_is_longer_than_80_columns(one: RunEvidence, other: RunEvidence) -> None:
    lines = printed(compare_runs(one, other)).splitlines()

    assert [line for line in lines if len(line.rstrip()) > 80] == []


def test_an_arrow_says_which_way_is_better_where_scores_may_be_compared() -> None:
    assert "roc_auc ↑" in section(printed(compare_runs(evidence("one"), evidence("other"))), "Testing")


def test_there_is_no_arrow_where_they_may_not_be_and_the_sentence_says_why() -> None:
    text = section(
        printed(compare_runs(evidence("one"), evidence("other", tested=outcome_of_test(version=4)))), "Testing"
    )

    assert "roc_auc" in text
    assert ARROWS.search(text) is None
    assert "never ranked together" in " ".join(text.split())


def test_what_is_equal_is_said_once() -> None:
    text = printed(compare_runs(evidence("one"), evidence("other")))

    assert "None does." in section(text, "Fields of the Pipeline that differ")
    assert "by their digests: training, validation, testing." in " ".join(section(text, "Data").split())


def test_a_long_value_is_cut_on_the_terminal_and_whole_in_the_document() -> None:
    found = replace(
        compare_runs(evidence("one"), evidence("other")), spec=(FieldDifference("dataset.query", "x" * 999, "y"),)
    )

    assert "x" * 999 not in printed(found)
    assert comparison_document(found)["spec"] == [{"path": "dataset.query", "first": "x" * 999, "second": "y"}]


def test_the_document_has_the_names_that_the_page_of_the_documentation_lists() -> None:
    found = comparison_document(compare_runs(evidence("one"), evidence("other", tested=outcome_of_test(version=4))))

    assert set(found) == {"runs", "gaps", "spec", "request", "tables", "validation", "testing"}
    assert set(found["testing"]) == {"comparable", "reason", "excluded"}
    assert [each["executionName"] for each in found["runs"]] == ["one", "other"]
    assert found["runs"][0]["steps"][0] == {"name": "dataset", "state": "Succeeded", "seconds": 7}
    page = (Path(__file__).parents[3] / "docs/how-to/compare-runs.md").read_text("utf-8")
    assert [name for name in (*found, *found["runs"][0]) if f"`{name}`" not in page] == []


@settings(max_examples=25, deadline=None)
@given(one=runs, other=runs)
def test_any_comparison_is_a_document_in_json(one: RunEvidence, other: RunEvidence) -> None:
    document = comparison_document(compare_runs(one, other))

    assert json.loads(json.dumps(document)) == document


def test_a_field_that_one_does_not_have_is_left_out_of_the_document() -> None:
    found = compare_runs(evidence("one"), evidence("other", testing={"minimumPoints": 3}))

    assert comparison_document(found)["spec"] == [{"path": "testing.minimumPoints", "second": 3}]


class Elements(HTMLParser):
    """The elements and the addresses of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Any]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}


@pytest.mark.parametrize("text", [HOSTILE, '"><img src=x onerror=alert(1)>'])
def test_whatever_is_named_is_text_on_the_page(text: str) -> None:
    found = compare_runs(
        evidence("one"), evidence("other", run={"overrides": [{"path": "testing.segments", "value": [text]}]})
    )
    found = replace(
        found,
        first=replace(found.first, label=text, pipeline=text),
        gaps=(text,),
        spec=(FieldDifference(text, text, [text]),),
    )

    page = Elements(write_page(found, sections_of(found)))

    assert page.names.isdisjoint({"script", "img", "link", "iframe"})
    assert page.attributes.isdisjoint({"src", "href", "onerror", "onload"})


def test_the_page_says_what_the_terminal_says() -> None:
    found = compare_runs(evidence("one"), evidence("other", testing={"minimumPoints": 3}))

    page = write_page(found, sections_of(found))

    for words in ("testing.minimumPoints", "not set", "the scores may be compared", "version 3, 10 rows"):
        assert words in page
    assert "Content-Security-Policy" in page
