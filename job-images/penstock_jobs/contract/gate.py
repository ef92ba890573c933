"""The gate: whether the challenger is served in place of the Model that is, told from what testing reports.

Pure, and in the jobs' package, so that the report says in the same words what deployment decides
(`penstock.decide.selection`, which adds the pinned Model). In this order:

1. The challenger's testing score must meet the minimum, or its error the maximum.
2. With nothing served, the challenger is.
3. With `mustImprove`, the lower bound of the difference to the served Model must be above the margin. A negative margin
   asks only for a Model that is not worse than that (non-inferiority).
4. Without `mustImprove`, the newest Model that meets the minimum is served; the verdict still says what the comparison
   showed.

Scores of different testing versions are never ranked together: where the comparison at hand is not with the Model that
is served now, the decision names the Models to test again.
"""

import math
from dataclasses import dataclass

from penstock_jobs.contract.result import Comparison, ScoreResult, TestingResult, Verdict
from penstock_jobs.contract.specification import SelectionSpec


@dataclass(frozen=True)
class GateDecision:
    """What the gate says. `model` is to be served (None: nothing is); `reason` is for people, with the numbers.

    `verdict` is None only where a Model is pinned and nothing was tested. `retest` names the Models that must be tested
    together, on one testing version, before a decision can be made.
    """

    verdict: Verdict | None
    model: str | None
    reason: str
    retest: tuple[str, ...] = ()


def is_error(selection: SelectionSpec) -> bool:
    """Return whether people see this score as an error, a positive number that should be small."""
    return selection.scoring.startswith("neg_") or not selection.greater_is_better


def apply_gate(testing: TestingResult, selection: SelectionSpec, served: str | None) -> GateDecision:
    """Return which Model these tests want served.

    Args:
        testing: the result of testing.
        selection: the rules.
        served: the Model that is served now.
    """
    challenger = testing.challenger
    if challenger is None:
        return GateDecision("NotComparable", served, "No new Model was tested, so nothing changes.")
    below = _decide_below_minimum(testing, challenger, selection, served)
    if below is not None:
        return below
    if served is None:
        reached = f" reached {_score_words(testing, challenger, selection)} and" if _has_limit(selection) else ""
        return GateDecision("Improved", challenger, f"{challenger}{reached} is the first Model to be served.")
    if served == challenger:
        return GateDecision("NotBetter", served, f"{challenger} is the Model that is served already.")
    return _decide_by_comparison(testing.comparison, challenger, served, selection)


def _has_limit(selection: SelectionSpec) -> bool:
    return selection.minimum is not None or selection.maximum is not None


def _decide_below_minimum(
    testing: TestingResult, challenger: str, selection: SelectionSpec, served: str | None
) -> GateDecision | None:
    """Return the decision against a challenger that does not reach the minimum, or None where it does."""
    if not _has_limit(selection):
        return None
    kept = f"{served} stays" if served else "nothing is served"
    score = _find_score(testing, challenger, selection.scoring)
    if score is None:
        return GateDecision(
            "BelowMinimum",
            served,
            f"{challenger} has no {selection.scoring} on the testing set, so it cannot meet the minimum; {kept}.",
        )
    wanted = missed_limit(score.value, selection)
    if wanted is None:
        return None
    return GateDecision(
        "BelowMinimum",
        served,
        f"{challenger} reached {_score_words(testing, challenger, selection)}, {wanted}; {kept}.",
    )


def missed_limit(value: float, selection: SelectionSpec) -> str | None:
    """Return on which side of its limit a score is, in words; None where it meets what is asked."""
    if selection.minimum is not None and value < selection.minimum:
        return f"below the minimum of {_format_score(selection.minimum, selection)}"
    if selection.maximum is not None and -value > selection.maximum:
        return f"above the maximum of {format_number(selection.maximum)}"
    return None


def _decide_by_comparison(
    comparison: Comparison | None, challenger: str, served: str, selection: SelectionSpec
) -> GateDecision:
    if not _fits(comparison, challenger, served, selection):
        return _decide_without_comparison(challenger, served, selection)
    assert comparison is not None
    if comparison.low is None or comparison.high is None or comparison.difference is None:
        why = comparison.reason or "The two Models cannot be compared."
        return _apply_verdict("NotComparable", why, challenger, served, selection)
    verdict, finding = _verdict(comparison.low, comparison.high, comparison.difference, selection)
    evidence = _evidence(comparison, challenger, served, finding, selection)
    return _apply_verdict(verdict, evidence, challenger, served, selection)


def _evidence(comparison: Comparison, challenger: str, served: str, finding: str, selection: SelectionSpec) -> str:
    points = f"on {comparison.points:,} points that neither was trained on"
    if comparison.difference == comparison.low == comparison.high == 0:
        return (
            f"{challenger} and {served} have the same {_score_name(selection)} {points}, however they are drawn again."
        )
    return (
        f"{challenger} scores {_difference_words(comparison.difference or 0.0, selection)} "
        f"in {_score_name(selection)} than {served} {points} ({_interval_words(comparison, selection)}): {finding}."
    )


def _fits(comparison: Comparison | None, challenger: str, served: str, selection: SelectionSpec) -> bool:
    """Return whether this is the comparison that the rules ask for: these two Models, this score, this confidence."""
    if comparison is None:
        return False
    asked = (challenger, served, selection.scoring)
    return (comparison.challenger, comparison.served, comparison.scoring) == asked and (
        comparison.confidence is None or comparison.confidence == selection.confidence
    )


def _decide_without_comparison(challenger: str, served: str, selection: SelectionSpec) -> GateDecision:
    if not selection.must_improve:
        reason = f"{challenger} is served: it is newer than {served}, and mustImprove is not asked for."
        return GateDecision("NotComparable", challenger, reason)
    reason = (
        f"{challenger} and {served} have not been scored together on one testing version, and scores of different "
        f"versions are not ranked together: both are tested again, and {served} stays until then."
    )
    return GateDecision("NotComparable", served, reason, retest=(challenger, served))


def _verdict(low: float, high: float, difference: float, selection: SelectionSpec) -> tuple[Verdict, str]:
    """Return what the interval says about the margin, and the words for it."""
    margin = selection.margin
    confidence = f"{selection.confidence * 100:g} % sure"
    if low > margin:
        if margin < 0:
            return "Improved", f"we are {confidence} that it is not worse by {format_number(-margin)} or more"
        more = "better" if margin == 0 else f"better by more than {format_number(margin)}"
        return "Improved", f"we are {confidence} that it is {more}"
    if high <= margin:
        return "NotBetter", f"it is not better{_margin_words(margin)}"
    direction = "better" if difference > margin else "worse"
    return "Undecided", f"it may be {direction}, but the points are too few to be {confidence}"


def _margin_words(margin: float) -> str:
    if margin == 0:
        return ""
    return f" by more than {format_number(margin)}" if margin > 0 else f": it may be worse by {format_number(-margin)}"


def _apply_verdict(
    verdict: Verdict, evidence: str, challenger: str, served: str, selection: SelectionSpec
) -> GateDecision:
    if not selection.must_improve:
        return GateDecision(verdict, challenger, f"{evidence} {challenger} is served, as mustImprove is not asked for.")
    if verdict == "Improved":
        return GateDecision(verdict, challenger, f"{evidence} {challenger} is served.")
    if verdict == "NotComparable":
        by_hand = f"{served} stays; deployment.model: {challenger} would serve the new one by hand."
        return GateDecision(verdict, served, f"{evidence} {by_hand}")
    return GateDecision(verdict, served, f"{evidence} {served} stays.")


def _find_score(testing: TestingResult, model: str, scoring: str) -> ScoreResult | None:
    for scores in testing.models:
        if scores.model == model:
            for score in scores.scores:
                if score.name == scoring and math.isfinite(score.value):
                    return score
    return None


# --- numbers for people -----------------------------------------------------------------------------------------------


def _score_words(testing: TestingResult, model: str, selection: SelectionSpec) -> str:
    score = _find_score(testing, model, selection.scoring)
    return f"no {_score_name(selection)}" if score is None else score_words(score.value, selection)


def score_words(value: float, selection: SelectionSpec) -> str:
    """Return a score as people read it: an error as a positive number."""
    return f"{_score_name(selection)} {_format_score(value, selection)}"


def _score_name(selection: SelectionSpec) -> str:
    return selection.scoring.removeprefix("neg_")


def _format_score(value: float, selection: SelectionSpec) -> str:
    return format_number(-value if is_error(selection) else value)


def format_number(value: float) -> str:
    """Return a number as people read it."""
    return f"{value:.3g}" if abs(value) < 1 else f"{value:.4g}"


def _difference_words(difference: float, selection: SelectionSpec) -> str:
    if difference == 0:
        return "0 more"
    more = (difference > 0) != is_error(selection)
    return f"{format_number(abs(difference))} {'more' if more else 'less'}"


def _interval_words(comparison: Comparison, selection: SelectionSpec) -> str:
    low, high = comparison.low or 0.0, comparison.high or 0.0
    if is_error(selection):
        low, high = -high, -low
    confidence = comparison.confidence if comparison.confidence is not None else selection.confidence
    return f"difference between {low:+.3g} and {high:+.3g}, each end at {confidence * 100:g} %"
