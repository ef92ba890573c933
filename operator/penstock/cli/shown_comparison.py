"""Two runs beside each other, as a terminal, a program or a browser is told: `penstock compare`."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import msgspec
from msgspec import UNSET
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from penstock.cli.comparison_page import write_page
from penstock.cli.comparison_sections import Section, sections_of, value_words
from penstock.cli.options import Speaking
from penstock.cli.output import rows, show, table
from penstock.decide.commands.compare_runs import RunComparison

WIDTH = 80
_NAMES, _VALUES = 20, 26  # of the columns; with what is between them they fill the width
_LONGEST = 300  # characters of a value in the terminal; JSON has the whole


def html_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give the command `--html`."""
    return click.option(
        "--html", type=click.Path(path_type=Path, dir_okay=False), help="Write the same as a page of HTML, too."
    )(command)


def show_comparison(settings: Speaking, comparison: RunComparison, html: Path | None) -> None:
    """Print two runs beside each other, and write the page where one is asked for."""
    sections = sections_of(comparison)
    if html is not None:
        html.write_text(write_page(comparison, sections), encoding="utf-8")
        settings.notes.print(f"The page is in {html}.", markup=False)
    if settings.output != "table":
        show(settings, comparison_document(comparison))
        return
    for section in sections:
        for part in _parts(section, comparison):
            settings.results.print(part, width=WIDTH)


def comparison_document(comparison: RunComparison) -> dict[str, Any]:
    """Return the comparison for programs, as docs/how-to/compare-runs.md describes it."""
    found: dict[str, Any] = _document(comparison)
    runs = [found.pop("first"), found.pop("second")]
    return {"runs": runs, **found}


def _parts(section: Section, comparison: RunComparison) -> Iterator[Table | Text | Padding]:
    labels = comparison.first.label, comparison.second.label
    yield Text(section.title, style="bold")
    if section.rows:
        made = table("", *labels)
        for column, width in zip(made.columns, (_NAMES, _VALUES, _VALUES), strict=True):
            column.width = width
        yield rows(made, ((each.name, each.first, each.second) for each in section.rows))
    for each in section.differences:
        yield Text(f"  {each.path}")
        for label, value in zip(labels, (each.first, each.second), strict=True):
            words = value_words(value)
            yield Text(f"    {label}: {words[:_LONGEST]}{'…' if len(words) > _LONGEST else ''}")
    for sentence in section.sentences:
        yield Padding(Text(sentence), (0, 0, 0, 2))
    yield Text("")


def _document(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_document(each) for each in value]
    if not dataclasses.is_dataclass(value):
        return msgspec.json.decode(msgspec.json.encode(value))
    fields = {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
    return {_camel(name): _document(each) for name, each in fields.items() if each is not UNSET}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
