"""`penstock triggers`: the Triggers of the home; and when those of the home, or of a file, fire."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from penstock.api.admission import refusals, resource_of
from penstock.api.findings import Finding
from penstock.api.manifests import Manifest, NotYamlError, read_manifests
from penstock.api.semantics import semantic_faults
from penstock.api.trigger import Trigger
from penstock.cli.names import pipeline_names, trigger_names
from penstock.cli.options import LaptopSettings, Speaking, with_settings
from penstock.cli.output import rows, show, show_list, table
from penstock.cli.shown_triggers import COLUMNS, row_of
from penstock.decide.times import write_time
from penstock.decide.trigger.moments import schedule_of
from penstock.decide.trigger.schedule import Schedule, moments_after
from penstock.local.objects import utc_now
from penstock.local.resources import Resources
from penstock_jobs.contract.errors import Refused

_SUFFIXES = (".yaml", ".yml", ".json")


@click.group(invoke_without_command=True)
@click.option("--pipeline", shell_complete=pipeline_names, help="Only those of this Pipeline.")
@with_settings
def triggers(settings: LaptopSettings, pipeline: str | None) -> None:
    """List the Triggers: what each waits for, its last and next moment, and what became of those that were."""
    if click.get_current_context().invoked_subcommand is not None:
        return
    found = [each for each in Resources(settings.home).list(Trigger) if pipeline in (None, each.spec.pipeline_ref.name)]
    show_list(settings, found, COLUMNS, lambda each: row_of(each, utc_now()))


def moments_options(*number: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give the command `--from`, and how many moments are wanted, by these names."""
    many = click.option(
        *number, "number", type=click.IntRange(1, 1000), default=10, show_default=True, help="How many moments to list."
    )
    start = click.option(
        "--from",
        "start",
        help="List those after this moment, as 2026-03-28 or 2026-03-28T02:00 by the Trigger's own clock; now without "
        "it.",
    )
    return lambda command: many(start(command))


@triggers.command("next")
@click.argument("what", metavar="TRIGGER|FILE", shell_complete=trigger_names)
@moments_options("-n", "--number")
@with_settings
def next_moments(settings: LaptopSettings, what: str, number: int, start: str | None) -> None:
    """List the next moments of a Trigger's schedule, in its time zone and in UTC.

    TRIGGER is one of the home; of a FILE it is each Trigger in it that has a schedule. Nothing is asked of a cluster.
    """
    print_moments(settings, _triggers(settings, what), number, start)


def print_moments(settings: Speaking, triggers: Sequence[Trigger], number: int, start: str | None) -> None:
    """Print so many moments of each Trigger, those after the one that is named, or after now."""
    found = [_moments(trigger, number, start) for trigger in triggers]
    if settings.output != "table":
        show(settings, [_as_document(each) for each in found])
        return
    for each in found:
        _print(settings, each)


@dataclass(frozen=True)
class _NextMoments:
    name: str
    schedule: Schedule
    moments: tuple[datetime, ...]
    are_all: bool


def _moments(trigger: Trigger, number: int, start: str | None) -> _NextMoments:
    name = trigger.metadata.name or trigger.metadata.generate_name or ""
    if trigger.spec.schedule is None:
        raise Refused(f"{name} has no schedule, so nobody knows its next moments; name a Trigger that has one.")
    schedule = schedule_of(trigger, trigger.spec.schedule)
    after = utc_now() if start is None else _instant(start, ZoneInfo(schedule.time_zone))
    found = tuple(islice(moments_after(schedule, after), number + 1))
    return _NextMoments(name, schedule, found[:number], len(found) <= number)


def _instant(text: str, zone: ZoneInfo) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(
            f"--from is {text!r}, which is not a moment; write one as 2026-03-28 or 2026-03-28T02:00."
        ) from None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)).astimezone(UTC)


def _print(settings: Speaking, found: _NextMoments) -> None:
    zone = ZoneInfo(found.schedule.time_zone)
    made = table(zone.key, "UTC", title=found.name)
    lines = ((_by_the_clock(each, zone), _in_utc(each)) for each in found.moments)
    settings.results.print(rows(made, lines))
    if found.are_all:
        settings.notes.print("These are all." if found.moments else "No moment is left.")


def _by_the_clock(moment: datetime, zone: ZoneInfo) -> str:
    local = moment.astimezone(zone)
    return f"{local:%a} {local.isoformat(' ', 'seconds')}"


def _in_utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def _as_document(found: _NextMoments) -> dict[str, object]:
    zone = ZoneInfo(found.schedule.time_zone)
    moments = [{"local": each.astimezone(zone).isoformat(), "utc": write_time(each)} for each in found.moments]
    return {"trigger": found.name, "timeZone": zone.key, "moments": moments}


def _triggers(settings: LaptopSettings, what: str) -> Sequence[Trigger]:
    path = Path(what)
    if path.suffix.lower() not in _SUFFIXES and "/" not in what and not path.is_file():
        return [Resources(settings.home).get(Trigger, what)]
    there = _triggers_of(path)
    if not there:
        raise Refused(f"{path} has no Trigger; name a file that has one.")
    return [each for each in there if each.spec.schedule is not None] or there


def _triggers_of(file: Path) -> list[Trigger]:
    """Return the Triggers of a file, right as they have to be; nothing else in it matters here."""
    try:
        manifests = read_manifests(file.read_text("utf-8"))
    except OSError as error:
        raise Refused(f"{file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise Refused(f"{file} is not text in UTF-8; save it so.") from None
    except NotYamlError as error:
        raise Refused(str(Finding(str(file), error.place.line, error.place.column, "", error.sentence))) from None
    there = [each for each in manifests if isinstance(each.value, dict) and each.value.get("kind") == "Trigger"]
    wrong = [finding for manifest in there for finding in _findings(manifest, str(file))]
    if wrong:
        raise Refused("\n".join(str(finding) for finding in wrong))
    return [trigger for each in there if isinstance(trigger := resource_of(each.value), Trigger)]


def _findings(manifest: Manifest, file: str) -> Iterator[Finding]:
    faults = [*manifest.faults, *refusals(manifest.value)]
    for fault in faults or semantic_faults(resource_of(manifest.value)):
        place = fault.place or manifest.place((*fault.path, *fault.beside))
        yield Finding(file, place.line, place.column, fault.field, fault.full_sentence)
