"""The days of Berlin and Lord Howe on the page of schedules are those that are found."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from penstock_command import ROOT
from unit.trigger.tried import our_moments

PAGE = (ROOT / "docs/how-to/schedules.md").read_text("utf-8")
# The days of the two columns of a table, and the hour up to which the page shows what follows the clock.
TABLES = {
    "Berlin, where": ("Europe/Berlin", "2026-03-29", "2026-10-25"),
    "Lord Howe Island, which": ("Australia/Lord_Howe", "2026-04-05", "2026-10-04"),
}


def lines() -> list[tuple[str, str, str, list[str]]]:
    """Return each cell of the tables: the zone, the day, the expression, and the moments that it shows."""
    found = []
    for beginning, (zone, *days) in TABLES.items():
        table = PAGE[PAGE.index(beginning) :].split("\n\n")[1]
        for row in re.findall(r"^\| `(.+?)`.*? \| (.+?) \| (.+?) \|$", table, re.MULTILINE):
            for day, cell in zip(days, row[1:], strict=True):
                found.append((zone, day, row[0], [] if cell == "–" else cell.split(", ")))
    return found


def test_the_page_has_both_tables() -> None:
    assert len(lines()) == 16


@pytest.mark.parametrize(("zone", "day", "expression", "shown"), lines())
def test_what_a_table_shows_is_what_is_found(zone: str, day: str, expression: str, shown: list[str]) -> None:
    clock = ZoneInfo(zone)
    start, end = (datetime.fromisoformat(f"{day}T{hour}").replace(tzinfo=clock) for hour in ("00:00", "05:00"))

    found = [moment.astimezone(clock) for moment in our_moments(expression, zone, start, end)]
    assert [f"{each:%H:%M}{each.isoformat()[-6:]}" for each in found] == shown
