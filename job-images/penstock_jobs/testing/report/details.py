"""The rest of the report: importances, learning and loss curves, candidates, segments, and all Models tested."""

from dataclasses import dataclass

from markupsafe import Markup

from penstock_jobs.contract.result import CandidateRow
from penstock_jobs.contract.score_display import ScoreDisplay
from penstock_jobs.testing.report.charts.bars import bars
from penstock_jobs.testing.report.charts.intervals import Row, intervals
from penstock_jobs.testing.report.charts.plot import Plot, pad_range
from penstock_jobs.testing.report.classes import Picture
from penstock_jobs.testing.report.findings import Findings
from penstock_jobs.testing.report.numbers import display, format_digits, format_interval, format_value
from penstock_jobs.training.curves import Curves

_MOST_FEATURES = 15
_MOST_CANDIDATES = 20


def importance(findings: Findings) -> Picture | None:
    """Return the permutation importances as bars."""
    found = findings.details.importances
    if found is None or not found.features:
        return None
    rows = [
        Row(one.feature, one.mean, one.least, one.greatest, "challenger", _format_small(one.mean))
        for one in found.features[:_MOST_FEATURES]
    ]
    label = display(findings, found.scoring).title
    more = len(found.features) - len(rows)
    rest = f" {more} less important features are not shown." if more > 0 else ""
    return Picture(
        "What the Model looks at",
        bars(f"Permutation importances in {label}", rows),
        f"How much of {label} is lost when a feature's values are shuffled among {found.points:,} testing points; the "
        f"thin line is the range of five shuffles.{rest}",
    )


def curves(findings: Findings) -> list[Picture]:
    """Return the learning curve and the loss curve, where training wrote them."""
    found = findings.details.curves
    if found is None:
        return []
    drawn = []
    if len(found.learning) > 1:
        drawn.append(_learning_curve(found, display(findings, found.scoring)))
    if len(found.loss) > 1:
        watched = [] if found.stopping_is_score else list(found.stopping)
        values = [*found.loss, *watched]
        plot = Plot("Loss curve", (1, max(len(found.loss), 2)), pad_range(values), "epoch or round", "loss")
        plot.line([(float(place + 1), value) for place, value in enumerate(found.loss)], "muted")
        plot.line([(float(place + 1), value) for place, value in enumerate(watched)], "challenger")
        watching = " Blue: the slice of training that early stopping watched." if watched else ""
        drawn.append(Picture("Loss curve", plot.render(), f"Grey: the points learnt from.{watching}"))
    return drawn


def _learning_curve(found: Curves, shown: ScoreDisplay) -> Picture:
    sides = (
        ("muted", [(one.rows, one.training, one.training_spread or 0.0) for one in found.learning]),
        ("challenger", [(one.rows, one.validation, one.validation_spread or 0.0) for one in found.learning]),
    )
    ends = [shown.value(value + sign * spread) for _, side in sides for _, value, spread in side for sign in (-1, 1)]
    most = max(one.rows for one in found.learning)
    plot = Plot("Learning curve", (0, most * 1.02), pad_range(ends), "points learnt from", shown.label)
    for colour, side in sides:
        pairs = [(float(rows), shown.value(value)) for rows, value, _ in side]
        for (rows, value), (_, _, spread) in zip(pairs, side, strict=True):
            if spread:
                plot.whisker(rows, value - spread, value + spread, colour)
        plot.line(pairs, colour)
        plot.dots(pairs, colour, 3.6)
    caption = "Blue: validation. Grey: the points learnt from. Where the two still approach, more data helps."
    return Picture("Learning curve", plot.render(), f"{caption}{_fold_words(found)}")


def _fold_words(found: Curves) -> str:
    """Return over which folds the learning curve is; nothing where there is a holdout alone."""
    if found.of_folds == 1:
        return ""
    which = f"all {found.folds}" if found.folds == found.of_folds else f"the first {found.folds} of {found.of_folds}"
    return f" Means over {which} folds; the thin lines are one standard deviation either way."


@dataclass(frozen=True)
class CandidateLine:
    """A candidate as a line of the table."""

    rank: str
    algorithm: str
    parameters: str
    score: str
    spread: str
    percent: float
    seconds: str
    colour: str
    error: str


@dataclass(frozen=True)
class Candidates:
    """The best candidates, and how many there were."""

    label: str
    lines: list[CandidateLine]
    total: int
    failed: list[CandidateLine]
    failures: int


def candidates(findings: Findings) -> Candidates | None:
    """Return the best candidates by their score on validation, the baseline, and the first failures."""
    rows = findings.candidates
    good = sorted((row for row in rows if row.scores and not row.baseline), key=lambda row: -row.scores[0].value)
    bad = [row for row in rows if row.error is not None and not row.baseline]
    if not good and not bad:
        return None
    best = good[:_MOST_CANDIDATES]
    baseline = [row for row in rows if row.baseline and row.scores]
    values = [row.scores[0].value for row in (*best, *baseline)]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    chosen = {one.manifest.origin.candidate: one.name for one in findings.models}
    lines = [
        _line(findings, row, "" if row.baseline else str(place + 1), low, high, chosen)
        for place, row in enumerate((*best, *baseline))
    ]
    name = (best or baseline)[0].scores[0].name if values else findings.ranking.name
    return Candidates(
        display(findings, name).label,
        lines,
        len([row for row in rows if not row.baseline]),
        [_line(findings, row, "", low, high, chosen) for row in bad[:5]],
        len(bad),
    )


@dataclass(frozen=True)
class SegmentPicture:
    """The scores by one column."""

    column: str
    picture: Markup
    notes: list[str]


def segments(findings: Findings) -> list[SegmentPicture]:
    """Return the scores of the parts of each chosen column."""
    shown = display(findings, findings.ranking.name)
    mine = findings.scores[findings.shown.name].of(findings.ranking.name)
    found = []
    for segmentation in findings.details.segmentations:
        rows, notes = [], []
        for one in segmentation.segments:
            if one.score is None:
                notes.append(f"{one.name} ({one.points:,} points): {one.reason}")
                continue
            low, high = shown.ends(one.score.low, one.score.high)
            value = shown.value(one.score.value)
            rows.append(Row(one.name, value, low, high, "challenger", f"{format_digits(value)} (n {one.points:,})"))
        mark = None if mine is None else shown.value(mine.value)
        title = f"{shown.label} by {segmentation.column}"
        picture = intervals(title, rows, mark=mark, width=500, left=150) if rows else Markup("")
        found.append(SegmentPicture(segmentation.column, picture, notes))
    return found


@dataclass(frozen=True)
class ModelLine:
    """A Model as a line of the table: its points, and a score and interval for each scoring function."""

    name: str
    role: str
    points: int
    scores: list[tuple[str, str]]


def models(findings: Findings) -> list[ModelLine]:
    """Return all Models tested, the challenger first."""
    everyone = [*findings.models]
    if findings.served is not None and findings.served.name not in {one.name for one in everyone}:
        everyone.append(findings.served)
    lines = []
    for one in sorted(everyone, key=lambda one: one.name != findings.shown.name):
        served = findings.job.served is not None and one.name == findings.job.served.name
        role = "served" if served else "challenger" if one.name == findings.shown.name else "new"
        scores = []
        for scorer in findings.scorers:
            shown, score = display(findings, scorer.name), findings.scores[one.name].of(scorer.name)
            scores.append((format_value(shown, score), format_interval(shown, score)))
        lines.append(ModelLine(one.name, role, int(one.unseen.sum()), scores))
    return lines


def _format_small(value: float) -> str:
    return "0" if abs(value) < 1e-9 else f"{value:.2g}"


def _line(
    findings: Findings, row: CandidateRow, rank: str, low: float, high: float, chosen: dict[str, str]
) -> CandidateLine:
    score = row.scores[0] if row.scores else None
    value = score.value if score else low
    shown = display(findings, score.name if score else findings.ranking.name)
    return CandidateLine(
        rank=rank,
        algorithm="baseline" if row.baseline else row.algorithm,
        parameters=", ".join(f"{name}={value!r}" for name, value in row.parameters.items()),
        score=format_value(shown, score),
        spread="" if score is None or score.spread is None else f"± {format_digits(score.spread)}",
        percent=8 + 92 * (value - low) / ((high - low) or 1.0),
        seconds=f"{row.fit_seconds:.2f} s" if row.fit_seconds < 100 else f"{row.fit_seconds:,.0f} s",
        colour="baseline" if row.baseline else "challenger" if row.candidate in chosen else "muted",
        error=(row.error or "")[:300],
    )
