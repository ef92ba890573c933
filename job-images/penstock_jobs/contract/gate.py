"""The gate: whether the challenger is served in place of the Model that is, told from what testing reports.

Pure, and in the jobs' package, so that the report says in the same words what deployment decides
(`penstock.decide.selection`, which adds the pinned Model). In this order:

1. The challenger has been tested on `minimumPoints` or more (else `TooFewPoints`); it has the score that decides
   (`NoScore`); that meets the minimum, or its error the maximum (`BelowMinimum`), and is better than that of answers
   which look at no feature (`BelowBaseline`, a plain comparison of the two numbers; a tie is no better). This holds
   with and without rules, and of a first Model too.
2. With nothing served, the challenger is (`First`).
3. With `mustImprove`, the lower bound of the difference to the served Model must be above the margin. Above zero, it is
   `Improved`.
4. A negative margin asks only for a Model that is not worse than that (non-inferiority, `NotWorse`): neither than the
   served one nor than the anchor, the last Model that was served for being better, or first. Were it measured against
   the served one alone, a small loss a night would add up. Where the challenger cannot be compared with the anchor (its
   files are gone), nothing says how much was lost already, so that only a Model that is better than the served one gets
   through.
5. Without `mustImprove`, the newest Model that meets the first rule is served; the verdict still says what the
   comparison showed.

Scores of different testing versions are never ranked together: where the comparison at hand is not with the Model that
is served now, or the anchor, the decision names the Models to test again.
"""

import math
from dataclasses import dataclass

from penstock_jobs.contract.result import Comparison, ModelScores, ScoreResult, TestingResult, Verdict
from penstock_jobs.contract.score_display import is_shown_as_error
from penstock_jobs.contract.specification import SelectionSpec

_SAME = 1e-6  # relative: two scores of the same answers differ by less, in whatever order they were added up


@dataclass(frozen=True)
class GateDecision:
    """What the gate says. `model` is to be served (None: nothing is); `reason` is for people, with the numbers.

    `verdict` is None where a Model is pinned and nothing was tested, and where there is no gate. `retest` names the
    Models that must be tested together, on one testing version, before a decision can be made.
    """

    verdict: Verdict | None
    model: str | None
    reason: str
    retest: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Case:
    """A challenger before the gate, and what is served now."""

    testing: TestingResult
    challenger: str
    served: str | None
    anchor: str | None
    selection: SelectionSpec

    @property
    def scores(self) -> ModelScores:
        """What the challenger came to."""
        found = (each for each in self.testing.models if each.model == self.challenger)
        return next(found, ModelScores(model=self.challenger, points=self.testing.points, scores=()))

    @property
    def score(self) -> ScoreResult | None:
        """The challenger's score that decides, where there is a number."""
        found = (each for each in self.scores.scores if each.name == self.selection.scoring)
        return next((each for each in found if math.isfinite(each.value)), None)

    def keep(self, verdict: Verdict, why: str) -> GateDecision:
        """Return the decision by which what is served stays, for that reason, which is no whole sentence."""
        kept = f"{self.served} stays" if self.served else "nothing is served"
        return GateDecision(verdict, self.served, f"{self.challenger} {why}; {kept}.")


def asks_for_anchor(selection: SelectionSpec) -> bool:
    """Return whether the challenger is measured against the anchor too."""
    return selection.must_improve and selection.margin < 0


def is_error(selection: SelectionSpec) -> bool:
    """Return whether people see this score as an error, a positive number that should be small."""
    return is_shown_as_error(selection.scoring, selection.greater_is_better)


def apply_gate(
    testing: TestingResult, selection: SelectionSpec, served: str | None, anchor: str | None = None
) -> GateDecision:
    """Return which Model these tests want served.

    Args:
        testing: the result of testing.
        selection: the rules.
        served: the Model that is served now.
        anchor: the last Model that was served for being better, or first; None where that is the one served now.
    """
    challenger = testing.challenger
    if challenger is None:
        return GateDecision("NotComparable", served, "No new Model was tested, so nothing changes.")
    case = _Case(testing, challenger, served, anchor, selection)
    return _decide_alone(case) or _decide_beside_served(case)


def _decide_alone(case: _Case) -> GateDecision | None:
    """Return the decision against a challenger that may not be served whatever else is, or None where it may."""
    testing, selection, name = case.testing, case.selection, _score_name(case.selection)
    if case.scores.points < testing.minimum_points:
        return case.keep(
            "TooFewPoints",
            f"was tested on {_points(case.scores.points)}, and testing.minimumPoints asks for "
            f"{testing.minimum_points:,} before a score decides anything",
        )
    if case.score is None:
        why = case.scores.undefined.get(selection.scoring)
        decision = case.keep("NoScore", f"has no {name} on the testing set, so it is not served")
        return GateDecision(decision.verdict, decision.model, f"{decision.reason} {why}") if why else decision
    reached = f"reached {score_words(case.score.value, selection)}"
    limit = missed_limit(case.score.value, selection)
    if limit is not None:
        return case.keep("BelowMinimum", f"{reached}, {limit}")
    if testing.baseline is not None and is_no_better(case.score.value, testing.baseline):
        least = _format_score(testing.baseline, selection)
        return case.keep("BelowBaseline", f"{reached}, no better than a baseline that looks at no feature ({least})")
    return None


def is_no_better(value: float, baseline: float) -> bool:
    """Return whether a score is below that of the baseline, or the same but for how it was added up."""
    return value <= baseline or math.isclose(value, baseline, rel_tol=_SAME)


def missed_limit(value: float, selection: SelectionSpec) -> str | None:
    """Return on which side of its limit a score is, in words; None where it meets what is asked."""
    if selection.minimum is not None and value < selection.minimum:
        return f"below the minimum of {_format_score(selection.minimum, selection)}"
    if selection.maximum is not None and -value > selection.maximum:
        return f"above the maximum of {format_number(selection.maximum)}"
    return None


def _decide_beside_served(case: _Case) -> GateDecision:
    challenger, served, selection = case.challenger, case.served, case.selection
    if served is None:
        has_limit = selection.minimum is not None or selection.maximum is not None
        words = f" reached {score_words(case.score.value, selection)} and" if has_limit and case.score else ""
        return GateDecision("First", challenger, f"{challenger}{words} is the first Model to be served.")
    if served == challenger:
        return GateDecision("NotBetter", served, f"{challenger} is the Model that is served already.")
    to_served = _fitting(case.testing.comparison, challenger, served, selection)
    anchor = case.anchor if asks_for_anchor(selection) and case.anchor not in (served, challenger) else None
    to_anchor = None if anchor is None else _fitting(case.testing.anchor, challenger, anchor, selection)
    if to_served is None or (anchor is not None and to_anchor is None):
        return _decide_without_comparison(case, served, anchor)
    if asks_for_anchor(selection):
        verdict, evidence = _judge_refresh(to_served, to_anchor, selection)
    else:
        verdict, evidence = _judge_improvement(to_served, selection)
    return _apply_verdict(verdict, evidence, challenger, served, selection)


def _fitting(comparison: Comparison | None, challenger: str, other: str, selection: SelectionSpec) -> Comparison | None:
    """Return the comparison, where it is the one that the rules ask for: these Models, this score, this confidence."""
    if comparison is None:
        return None
    asked = (challenger, other, selection.scoring)
    fits = (comparison.challenger, comparison.served, comparison.scoring) == asked
    return comparison if fits and comparison.confidence in (None, selection.confidence) else None


def _decide_without_comparison(case: _Case, served: str, anchor: str | None) -> GateDecision:
    challenger = case.challenger
    if not case.selection.must_improve:
        reason = f"{challenger} is served: it is newer than {served}, and mustImprove is not asked for."
        return GateDecision("NotComparable", challenger, reason)
    models = (challenger, served) if anchor is None else (challenger, served, anchor)
    listed = " and ".join((", ".join(models[:-1]), models[-1]))
    reason = (
        f"{listed} have not been scored together on one testing version, and scores of different "
        f"versions are not ranked together: {'both' if anchor is None else 'all'} are tested again, and {served} stays "
        "until then."
    )
    return GateDecision("NotComparable", served, reason, retest=models)


def _bounds(comparison: Comparison) -> tuple[float, float] | None:
    if comparison.low is None or comparison.high is None or comparison.difference is None:
        return None
    return comparison.low, comparison.high


def _judge_improvement(comparison: Comparison, selection: SelectionSpec) -> tuple[Verdict, str]:
    """Return what the interval says about a margin of zero or more, and the sentence with the numbers."""
    ends = _bounds(comparison)
    if ends is None:
        return "NotComparable", comparison.reason or "The two Models cannot be compared."
    margin = selection.margin
    if ends[0] > margin:
        more = "better" if margin == 0 else f"better by more than {format_number(margin)}"
        return "Improved", _evidence(comparison, f"we are {_sure(selection)} that it is {more}", selection)
    if ends[1] <= margin:
        by = f" by more than {format_number(margin)}" if margin > 0 else ""
        return "NotBetter", _evidence(comparison, f"it is not better{by}", selection)
    return "Undecided", _evidence(comparison, _undecided(comparison, selection), selection)


def _judge_refresh(
    to_served: Comparison, to_anchor: Comparison | None, selection: SelectionSpec
) -> tuple[Verdict, str]:
    """Return what the intervals say about a negative margin, and the sentences with the numbers.

    Args:
        to_served: the challenger against the Model that is served.
        to_anchor: the challenger against the anchor; None where that is the same.
        selection: the rules.
    """
    ends = _bounds(to_served)
    if ends is None:
        return "NotComparable", to_served.reason or "The two Models cannot be compared."
    better = f"we are {_sure(selection)} that it is better"
    if to_anchor is not None and _bounds(to_anchor) is None:
        if ends[0] > 0:
            return "Improved", _evidence(to_served, better, selection)
        return "NotComparable", (
            f"{to_anchor.reason or f'{to_anchor.challenger} and {to_anchor.served} cannot be compared.'} What was lost "
            f"since {to_anchor.served} is not known, so only a Model that is better than {to_served.served} is served."
        )
    both = [(to_served, ends), *([(to_anchor, found)] if to_anchor and (found := _bounds(to_anchor)) else [])]
    if all(low > 0 for _, (low, _) in both):
        return "Improved", " ".join(_evidence(each, better, selection) for each, _ in both)
    margin = format_number(-selection.margin)
    if all(low > selection.margin for _, (low, _) in both):
        finding = f"we are {_sure(selection)} that it is not worse by {margin} or more"
        return "NotWorse", " ".join(_evidence(each, finding, selection) for each, _ in both)
    # The anchor before the served one: it is why a loss that would do beside the served one does not.
    worst, (_, high) = next((each, found) for each, found in reversed(both) if found[0] <= selection.margin)
    if high <= selection.margin:
        return "NotBetter", _evidence(worst, f"it is worse by {margin} or more", selection)
    finding = f"it may be worse by {margin}, and the points are too few to be {_sure(selection)} that it is not"
    return "Undecided", _evidence(worst, finding, selection)


def _undecided(comparison: Comparison, selection: SelectionSpec) -> str:
    direction = "better" if (comparison.difference or 0.0) > selection.margin else "worse"
    return f"it may be {direction}, but the points are too few to be {_sure(selection)}"


def _sure(selection: SelectionSpec) -> str:
    return f"{selection.confidence * 100:g} % sure"


def _evidence(comparison: Comparison, finding: str, selection: SelectionSpec) -> str:
    challenger, other = comparison.challenger, comparison.served
    points = f"on {comparison.points:,} points that neither was trained on"
    if comparison.difference == comparison.low == comparison.high == 0:
        return (
            f"{challenger} and {other} have the same {_score_name(selection)} {points}, however they are drawn again."
        )
    return (
        f"{challenger} scores {_difference_words(comparison.difference or 0.0, selection)} "
        f"in {_score_name(selection)} than {other} {points} ({_interval_words(comparison, selection)}): {finding}."
    )


def _apply_verdict(
    verdict: Verdict, evidence: str, challenger: str, served: str, selection: SelectionSpec
) -> GateDecision:
    if not selection.must_improve:
        return GateDecision(verdict, challenger, f"{evidence} {challenger} is served, as mustImprove is not asked for.")
    if verdict in ("Improved", "NotWorse"):
        return GateDecision(verdict, challenger, f"{evidence} {challenger} is served.")
    if verdict == "NotComparable":
        by_hand = f"{served} stays; deployment.model: {challenger} would serve the new one by hand."
        return GateDecision(verdict, served, f"{evidence} {by_hand}")
    return GateDecision(verdict, served, f"{evidence} {served} stays.")


# --- numbers for people -----------------------------------------------------------------------------------------------


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


def _points(count: int) -> str:
    return "1 point" if count == 1 else f"{count:,} points"


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
