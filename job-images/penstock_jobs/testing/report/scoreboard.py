"""The scores: of the Model shown on each side, of the served one, of the baseline, and the difference that decides."""

from dataclasses import dataclass

from markupsafe import Markup

from penstock_jobs.contract.result import ScoreResult
from penstock_jobs.contract.score_display import ScoreDisplay, depends_on_positive, depends_on_threshold
from penstock_jobs.testing.report.charts.intervals import Row, intervals
from penstock_jobs.testing.report.findings import Findings
from penstock_jobs.testing.report.numbers import display, format_digits, format_interval, format_signed, format_value


@dataclass(frozen=True)
class Panel:
    """One scoring function: its label, the testing score large, and a picture of all sides.

    `method` says how the interval was made, or why there is none, `about` what the score depends on.
    """

    label: str
    value: str
    interval: str
    method: str
    about: str
    picture: Markup
    decides: bool
    note: str


@dataclass(frozen=True)
class Difference:
    """The difference to the served Model, as a picture and in words."""

    picture: Markup
    challenger: str
    served: str
    label: str
    challenger_score: str
    served_score: str
    difference: str
    low: str
    high: str
    confidence: str
    points: int
    margin_holds: bool


def panels(findings: Findings) -> list[Panel]:
    """Return one panel for each scoring function, the deciding one first."""
    ordered = sorted(findings.scorers, key=lambda one: one.name != findings.ranking.name)
    return [_panel(findings, scorer.name) for scorer in ordered]


def difference(findings: Findings) -> Difference | None:
    """Return the difference to the served Model, where the two were compared."""
    found = findings.comparison
    if found is None or found.difference is None or found.low is None or found.high is None:
        return None
    shown = display(findings, found.scoring)
    value = shown.value(found.difference)
    low, high = shown.ends(found.low, found.high)
    assert low is not None
    assert high is not None
    margin = findings.job.selection.margin if findings.job.selection else 0.0
    text = f"{format_digits(low)} to {format_digits(high)}"
    picture = intervals(
        f"The difference in {shown.label} is {format_digits(value)}, with bounds {text}.",
        [Row("difference", value, low, high, "challenger", format_signed(value))],
        mark=shown.value(margin),
        width=560,
        left=100,
    )
    return Difference(
        picture=picture,
        challenger=found.challenger,
        served=found.served,
        label=shown.label,
        challenger_score=_format_plain(shown, found.challenger_score),
        served_score=_format_plain(shown, found.served_score),
        difference=format_signed(value),
        low=format_signed(low),
        high=format_signed(high),
        confidence=f"{100 * (found.confidence or 0):g} %",
        points=found.points,
        margin_holds=bool(findings.job.selection and findings.job.selection.must_improve),
    )


def _panel(findings: Findings, name: str) -> Panel:
    shown = display(findings, name)
    sides = findings.details.sides
    mine = findings.scores[findings.shown.name]
    found: list[tuple[str, ScoreResult | None, str]] = [
        ("training", sides.training.scores.of(name) if sides.training else None, "muted"),
        ("validation", _validation(findings, name), "muted"),
        ("testing", mine.of(name), "challenger"),
    ]
    served = findings.served
    if served is not None and served.name != findings.shown.name:
        found.append(("served", findings.scores[served.name].of(name), "served"))
    found.append(("baseline", sides.baseline.of(name) if sides.baseline else None, "baseline"))
    rows = [_row(shown, label, score, colour) for label, score, colour in found if score is not None]
    testing = mine.of(name)
    return Panel(
        label=shown.label,
        value=format_value(shown, testing),
        interval=format_interval(shown, testing),
        method=mine.intervals.get(name, ""),
        about=about_words(findings, name),
        picture=intervals(f"{shown.label} by side", rows, width=470, left=92) if rows else Markup(""),
        decides=findings.job.selection is not None and name == findings.ranking.name,
        note=mine.undefined.get(name, ""),
    )


def about_words(findings: Findings, name: str) -> str:
    """Return which class the score is about, and from which probability on it is predicted, as far as it depends."""
    scorer = next(one for one in findings.scorers if one.name == name)
    points, shown = findings.points, findings.shown
    words = []
    if depends_on_positive(name, len(points.classes), scorer.average) and points.positive is not None:
        words.append(f"of class {points.positive}")
    cut = shown.model.threshold
    if cut is not None and depends_on_threshold(name) and len(points.classes) == 2:
        words.append(f"predicted from a probability of {format_digits(cut)}")
    return ", ".join(words)


def _validation(findings: Findings, name: str) -> ScoreResult | None:
    """Return the score on validation as scored here, or (over folds) as training recorded it."""
    side = findings.details.sides.validation
    if side is not None and findings.shown.manifest.origin.refit == "None":
        return side.scores.of(name)
    recorded = next((one for one in findings.shown.manifest.validation if one.name == name), None)
    if recorded is None or recorded.low is not None or recorded.spread is None:
        return recorded
    ends = recorded.value - recorded.spread, recorded.value + recorded.spread
    return ScoreResult(name=name, value=recorded.value, low=ends[0], high=ends[1])


def _row(shown: ScoreDisplay, label: str, score: ScoreResult, colour: str) -> Row:
    low, high = shown.ends(score.low, score.high)
    text = format_digits(shown.value(score.value))
    return Row(label, shown.value(score.value), low, high, colour, text, loose=label == "baseline")


def _format_plain(shown: ScoreDisplay, value: float | None) -> str:
    return "–" if value is None else format_digits(shown.value(value))
