"""Numbers as people read them, in the report."""

from penstock_jobs.contract.result import ScoreResult
from penstock_jobs.contract.score_display import ScoreDisplay, display_of, is_shown_as_error
from penstock_jobs.testing.report.findings import Findings


def display(findings: Findings, name: str) -> ScoreDisplay:
    """Return how the scoring function of that name is shown; training may have ranked by one that testing has not."""
    for scorer in findings.scorers:
        if scorer.name == name:
            return scorer.display
    for score in findings.shown.manifest.validation:
        if score.name == name:
            return display_of(score)
    return ScoreDisplay(name, is_shown_as_error(name))


def format_value(shown: ScoreDisplay, score: ScoreResult | None) -> str:
    """Return the number, or a dash."""
    return "–" if score is None else format_digits(shown.value(score.value))


def format_interval(shown: ScoreDisplay, score: ScoreResult | None) -> str:
    """Return the interval in words, or nothing."""
    low, high = shown.ends(score.low, score.high) if score else (None, None)
    return "" if low is None or high is None else f"{format_digits(low)} to {format_digits(high)}"


def format_digits(value: float) -> str:
    """Return three or four digits that count: 0.9534, 12.35, 1,234."""
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}"
    if size >= 100:
        return f"{value:.1f}"
    if size >= 10:
        return f"{value:.2f}"
    return f"{value:.3f}" if size >= 0.01 or size == 0 else f"{value:.2g}"


def format_signed(value: float) -> str:
    """Return a difference, with its sign."""
    return f"{value:+.3g}" if abs(value) > 1e-12 else "0"


def format_share(part: float, whole: float) -> str:
    """Return a share in per cent."""
    return "–" if whole == 0 else f"{100 * part / whole:.1f} %"
