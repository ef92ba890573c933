"""The deployment gate: which Model is to be served, and why, in a sentence.

The challenger is the new Model with the best *validation* score; only it meets the gate, on the testing set (choosing
the best of several on the testing set would flatter it). In this order:

1. A pinned Model (`deployment.model`) is served, whatever the scores say; the gate still says what it would have done.
2. The challenger's testing score must meet the minimum, or its error the maximum.
3. With nothing served, the challenger is.
4. With `mustImprove`, the lower bound of the difference to the served Model must be above the margin. A negative margin
   asks only for a Model that is not worse than that (non-inferiority).
5. Without `mustImprove`, the newest Model that meets the minimum is served; the verdict still says what the comparison
   showed.

Scores of different testing versions are never ranked together: where the comparison at hand is not with the Model that
is served now, the decision names the Models to test again.
"""

import math
from dataclasses import dataclass

from penstock_jobs.errors import Refused
from penstock_jobs.result import Comparison, Score, TestingResult, Verdict
from penstock_jobs.specification import Selection


@dataclass(frozen=True)
class Decision:
    """What the gate says. `model` is to be served (None: nothing is); `reason` is for people, with the numbers.

    `verdict` is None only where a Model is pinned and nothing was tested. `retest` names the Models that must be tested
    together, on one testing version, before a decision can be made.
    """

    verdict: Verdict | None
    model: str | None
    reason: str
    retest: tuple[str, ...] = ()


def decide(
    testing: TestingResult | None, selection: Selection, served: str | None = None, pinned: str | None = None
) -> Decision:
    """Return which Model is to be served after these tests.

    Args:
        testing: the result of the run's testing, or None where nothing was tested.
        selection: the rules, checked by `refuse_impossible`.
        served: the Model that is served now.
        pinned: the Model that a person named in `deployment.model`.
    """
    gate = _gate(testing, selection, served) if testing is not None else None
    if pinned is not None:
        return _pinned(pinned, gate)
    if gate is None:
        kept = f"{served} stays" if served else "No Model is served"
        return Decision("NotComparable", served, f"{kept}: no Model was tested in this run.")
    return gate


def refuse_impossible(selection: Selection) -> None:
    """Raise `Refused` where the rules ask for a number on the wrong scale.

    Scores are on scikit-learn's scale, greater is better; people see an error as a positive number.
    """
    name = selection.scoring
    error = is_error(selection)
    if error and selection.minimum is not None and selection.minimum > 0:
        raise Refused(
            f"deployment.selection.minimum is {_number(selection.minimum)}, but {name} is an error, for which less is "
            f"better: say maximum: {_number(selection.minimum)} for the greatest error to accept."
        )
    if not error and selection.maximum is not None:
        raise Refused(
            f"deployment.selection.maximum is {_number(selection.maximum)}, but for {name} more is better: "
            "say minimum for the least score to accept."
        )
    if selection.maximum is not None and selection.maximum < 0:
        raise Refused(
            f"deployment.selection.maximum is {_number(selection.maximum)}, but an error is shown as a positive "
            f"number: say maximum: {_number(-selection.maximum)}."
        )
    if selection.minimum is not None and selection.maximum is not None:
        raise Refused(f"deployment.selection has both minimum and maximum for {name}: keep the one that is meant.")
    if not 0.5 <= selection.confidence < 1:
        raise Refused(
            f"deployment.selection.mustImprove.confidence is {_number(selection.confidence)}: it must be at least 0.5 "
            "and below 1; 0.95 is usual."
        )


def is_error(selection: Selection) -> bool:
    """Return whether people see this score as an error, a positive number that should be small."""
    return selection.scoring.startswith("neg_") or not selection.greater_is_better


def _gate(testing: TestingResult, selection: Selection, served: str | None) -> Decision:
    challenger = testing.challenger
    if challenger is None:
        return Decision("NotComparable", served, "No new Model was tested, so nothing changes.")
    below = _below_minimum(testing, challenger, selection, served)
    if below is not None:
        return below
    if served is None:
        reached = f" reached {_score(testing, challenger, selection)} and" if _has_limit(selection) else ""
        return Decision("Improved", challenger, f"{challenger}{reached} is the first Model to be served.")
    if served == challenger:
        return Decision("NotBetter", served, f"{challenger} is the Model that is served already.")
    return _compared(testing.comparison, challenger, served, selection)


def _pinned(pinned: str, gate: Decision | None) -> Decision:
    said = "" if gate is None else f" Without the pin: {gate.reason}"
    return Decision(gate.verdict if gate else None, pinned, f"deployment.model pins {pinned}, so it is served.{said}")


def _has_limit(selection: Selection) -> bool:
    return selection.minimum is not None or selection.maximum is not None


def _below_minimum(
    testing: TestingResult, challenger: str, selection: Selection, served: str | None
) -> Decision | None:
    """Return the decision against a challenger that does not reach the minimum, or None where it does."""
    if not _has_limit(selection):
        return None
    kept = f"{served} stays" if served else "nothing is served"
    score = _find(testing, challenger, selection.scoring)
    if score is None:
        return Decision(
            "BelowMinimum",
            served,
            f"{challenger} has no {selection.scoring} on the testing set, so it cannot meet the minimum; {kept}.",
        )
    if selection.minimum is not None and score.value < selection.minimum:
        wanted = f"below the minimum of {_shown(selection.minimum, selection)}"
    elif selection.maximum is not None and -score.value > selection.maximum:
        wanted = f"above the maximum of {_number(selection.maximum)}"
    else:
        return None
    return Decision(
        "BelowMinimum", served, f"{challenger} reached {_score(testing, challenger, selection)}, {wanted}; {kept}."
    )


def _compared(comparison: Comparison | None, challenger: str, served: str, selection: Selection) -> Decision:
    if not _fits(comparison, challenger, served, selection):
        return _missing(challenger, served, selection)
    assert comparison is not None
    if comparison.low is None or comparison.high is None or comparison.difference is None:
        why = comparison.reason or "The two Models cannot be compared."
        return _applied("NotComparable", why, challenger, served, selection)
    verdict, finding = _verdict(comparison.low, comparison.high, comparison.difference, selection)
    evidence = (
        f"{challenger} scores {_change(comparison.difference, selection)} in {_name(selection)} than {served} on "
        f"{comparison.points:,} points that neither was trained on ({_between(comparison, selection)}): {finding}."
    )
    return _applied(verdict, evidence, challenger, served, selection)


def _fits(comparison: Comparison | None, challenger: str, served: str, selection: Selection) -> bool:
    """Return whether this is the comparison that the rules ask for: these two Models, this score, this confidence."""
    if comparison is None:
        return False
    asked = (challenger, served, selection.scoring)
    return (comparison.challenger, comparison.served, comparison.scoring) == asked and (
        comparison.confidence is None or comparison.confidence == selection.confidence
    )


def _missing(challenger: str, served: str, selection: Selection) -> Decision:
    if not selection.must_improve:
        reason = f"{challenger} is served: it is newer than {served}, and mustImprove is not asked for."
        return Decision("NotComparable", challenger, reason)
    reason = (
        f"{challenger} and {served} have not been scored together on one testing version, and scores of different "
        f"versions are not ranked together: both are tested again, and {served} stays until then."
    )
    return Decision("NotComparable", served, reason, retest=(challenger, served))


def _verdict(low: float, high: float, difference: float, selection: Selection) -> tuple[Verdict, str]:
    """Return what the interval says about the margin, and the words for it."""
    margin = selection.margin
    confidence = f"{selection.confidence * 100:g} % sure"
    if low > margin:
        if margin < 0:
            return "Improved", f"we are {confidence} that it is not worse by {_number(-margin)} or more"
        more = "better" if margin == 0 else f"better by more than {_number(margin)}"
        return "Improved", f"we are {confidence} that it is {more}"
    if high <= margin:
        return "NotBetter", f"it is not better{_by(margin)}"
    direction = "better" if difference > margin else "worse"
    return "Undecided", f"it may be {direction}, but the points are too few to be {confidence}"


def _by(margin: float) -> str:
    if margin == 0:
        return ""
    return f" by more than {_number(margin)}" if margin > 0 else f": it may be worse by {_number(-margin)}"


def _applied(verdict: Verdict, evidence: str, challenger: str, served: str, selection: Selection) -> Decision:
    if not selection.must_improve:
        return Decision(verdict, challenger, f"{evidence} {challenger} is served, as mustImprove is not asked for.")
    if verdict == "Improved":
        return Decision(verdict, challenger, f"{evidence} {challenger} is served.")
    if verdict == "NotComparable":
        by_hand = f"{served} stays; deployment.model: {challenger} would serve the new one by hand."
        return Decision(verdict, served, f"{evidence} {by_hand}")
    return Decision(verdict, served, f"{evidence} {served} stays.")


def _find(testing: TestingResult, model: str, scoring: str) -> Score | None:
    for scores in testing.models:
        if scores.model == model:
            for score in scores.scores:
                if score.name == scoring and math.isfinite(score.value):
                    return score
    return None


# --- numbers for people -----------------------------------------------------------------------------------------------


def _score(testing: TestingResult, model: str, selection: Selection) -> str:
    score = _find(testing, model, selection.scoring)
    return f"no {_name(selection)}" if score is None else f"{_name(selection)} {_shown(score.value, selection)}"


def _name(selection: Selection) -> str:
    return selection.scoring.removeprefix("neg_")


def _shown(value: float, selection: Selection) -> str:
    return _number(-value if is_error(selection) else value)


def _number(value: float) -> str:
    return f"{value:.4g}"


def _change(difference: float, selection: Selection) -> str:
    if difference == 0:
        return "0 more"
    more = (difference > 0) != is_error(selection)
    return f"{_number(abs(difference))} {'more' if more else 'less'}"


def _between(comparison: Comparison, selection: Selection) -> str:
    low, high = comparison.low or 0.0, comparison.high or 0.0
    if is_error(selection):
        low, high = -high, -low
    confidence = comparison.confidence if comparison.confidence is not None else selection.confidence
    return f"difference between {low:+.4g} and {high:+.4g}, each end at {confidence * 100:g} %"
