"""Results on standard output: a table for people, JSON or YAML for programs."""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
import yaml
from rich import box
from rich.table import Table
from rich.text import Text

from penstock.cli.options import Speaking
from penstock.cli.terminal import echo
from penstock_jobs.contract.score_display import ScoreDisplay
from penstock_jobs.contract.terminal_text import has_controls

Shown = TypeVar("Shown")


def show(settings: Speaking, resource: Any) -> None:
    """Write one resource or value, as JSON or YAML."""
    content = msgspec.to_builtins(resource)
    if settings.output == "json":
        echo(json.dumps(content, indent=2, ensure_ascii=False))
    else:
        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
        # What would be written out afterwards would be another text: in YAML only quotes make an escape of it.
        echo(yaml.safe_dump(content, sort_keys=False) if has_controls(text) else text, nl=False)


def show_all(settings: Speaking, resources: Sequence[Any]) -> None:
    """Write several resources, as the `List` that kubectl writes."""
    items = [msgspec.to_builtins(resource) for resource in resources]
    show(settings, {"apiVersion": "v1", "kind": "List", "items": items})


def show_list(
    settings: Speaking, resources: Sequence[Shown], columns: Sequence[str], row: Callable[[Shown], Sequence[object]]
) -> None:
    """Write several resources: as a table with a row each, or as the `List` that kubectl writes."""
    if settings.output != "table":
        show_all(settings, resources)
    else:
        settings.results.print(rows(table(*columns), map(row, resources)))


def table(*columns: str, title: str | None = None) -> Table:
    """Return an empty table; a column whose name begins with `>` is aligned to the right."""
    made = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", title_style="bold", pad_edge=False)
    for column in columns:
        made.add_column(
            column.removeprefix(">"), justify="right" if column.startswith(">") else "left", overflow="fold"
        )
    return made


def rows(made: Table, content: Iterable[Sequence[object]]) -> Table:
    """Return the table with these rows; what the user wrote is never read as markup."""
    for row in content:
        made.add_row(*(cell if isinstance(cell, Text) else Text("" if cell is None else str(cell)) for cell in row))
    return made


def age(timestamp: str | None, now: datetime) -> str:
    """Return how long ago that was, as kubectl says it."""
    if timestamp is None:
        return ""
    seconds = int((now - datetime.fromisoformat(timestamp).astimezone(UTC)).total_seconds())
    for size, letter in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= 2 * size:
            return f"{seconds // size}{letter}"
    return f"{max(seconds, 0)}s"


def number(value: str | float | None) -> str:
    """Return a score with four digits after the point."""
    return "" if value is None else f"{float(value):.4f}"


def format_score(shown: ScoreDisplay, value: str | float) -> tuple[str, str]:
    """Return a score's name and number as people see it: an error as a positive number that should be small."""
    return shown.label, number(shown.value(float(value)))
