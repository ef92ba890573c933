"""`penstock triggers next` lists the next moments of a Trigger by its own clock and in UTC, and asks no cluster."""

import json
from pathlib import Path

import pytest

from penstock import cli

TRIGGER = """
apiVersion: penstock.dev/v1alpha1
kind: Trigger
metadata: {{name: {name}}}
spec:
  pipelineRef: {{name: churn}}
  {source}
"""
NIGHTLY = 'schedule: {cron: ["30 2 * * *"], timeZone: Europe/Berlin}'
BERLIN_IN_MARCH = [
    {"local": "2026-03-28T02:30:00+01:00", "utc": "2026-03-28T01:30:00Z"},
    {"local": "2026-03-29T03:00:00+02:00", "utc": "2026-03-29T01:00:00Z"},
    {"local": "2026-03-30T02:30:00+02:00", "utc": "2026-03-30T00:30:00Z"},
]


def written(folder: Path, *sources: str) -> str:
    file = folder / "triggers.yaml"
    file.write_text("---".join(TRIGGER.format(name=f"trg-{at}", source=each) for at, each in enumerate(sources)))
    return str(file)


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> tuple[str, str]:
    with pytest.raises(SystemExit) as exit_:
        cli.main(["triggers", "next", *arguments])
    printed = capsys.readouterr()
    assert exit_.value.code == code, printed.err
    return printed.out, printed.err


def test_the_moments_are_listed_by_the_triggers_clock_and_in_utc(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output, _ = said(capsys, written(tmp_path, NIGHTLY), "-n", "3", "--from", "2026-03-28")

    assert [" ".join(line.split()) for line in output.splitlines() if "2026" in line] == [
        "Sat 2026-03-28 02:30:00+01:00 2026-03-28 01:30:00",
        "Sun 2026-03-29 03:00:00+02:00 2026-03-29 01:00:00",
        "Mon 2026-03-30 02:30:00+02:00 2026-03-30 00:30:00",
    ]


def test_each_trigger_of_a_file_that_has_a_schedule_is_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, NIGHTLY, "event: {types: [com.example.uploaded]}", NIGHTLY)
    output, _ = said(capsys, file, "-n", "3", "--from", "2026-03-28", "-o", "json")

    assert json.loads(output) == [
        {"trigger": name, "timeZone": "Europe/Berlin", "moments": BERLIN_IN_MARCH} for name in ("trg-0", "trg-2")
    ]


def test_where_a_schedule_ends_that_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, 'schedule: {moments: ["2026-12-01T03:00:00Z", "2026-12-02T03:00:00+01:00"]}')

    output, notes = said(capsys, file, "--from", "2026-12-01T12:00")
    assert "2026-12-02 02:00:00" in output
    assert notes == "These are all.\n"
    assert said(capsys, file, "--from", "2027-01-01")[1] == "No moment is left.\n"


def test_a_trigger_on_events_has_no_next_moments(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, "event: {types: [com.example.uploaded]}")

    assert said(capsys, file, code=2)[1] == (
        "penstock: trg-0 has no schedule, so nobody knows its next moments; name a Trigger that has one.\n"
    )


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (
            'schedule: {cron: ["0 25 * * *"]}',
            "7:21: spec.schedule.cron[0] has 25 for the hour, which goes from 0 to 23",
        ),
        (
            'schedule: {cron: ["0 0 31 2 *"]}',
            "7:21: spec.schedule.cron[0] is 0 0 31 2 *, which never fires: no date is all",
        ),
        ('schedule: {corn: ["0 3 * * *"]}', "7:14: spec.schedule.corn is an unknown field; did you mean cron?"),
        ("schedule: [", "This is not YAML"),
    ],
)
def test_what_is_wrong_in_the_file_is_said_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], source: str, sentence: str
) -> None:
    assert sentence in said(capsys, written(tmp_path, source), code=2)[1]


def test_a_name_that_the_home_does_not_have_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, sentence = said(capsys, "nightly", "--home", str(tmp_path / "home"), code=2)

    assert "There is no Trigger nightly in" in sentence


def test_a_file_without_a_trigger_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "other.yaml"
    file.write_text("kind: ConfigMap\n")

    assert said(capsys, str(file), code=2)[1] == f"penstock: {file} has no Trigger; name a file that has one.\n"


def test_a_beginning_that_is_no_moment_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, sentence = said(capsys, written(tmp_path, NIGHTLY), "--from", "yesterday", code=2)

    assert sentence.startswith("penstock: --from is 'yesterday', which is not a moment; write one as 2026-03-28")
