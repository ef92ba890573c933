"""The pictures of a classification: confusion, and for two classes what each threshold would do."""

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from penstock_jobs.scoring import Predictions
from penstock_jobs.testing.curves import ThresholdCurve, confusion_counts, reliability, threshold_curve
from penstock_jobs.testing.points import Points, take_predictions
from penstock_jobs.testing.report.charts.plot import Plot
from penstock_jobs.testing.report.findings import Findings
from penstock_jobs.testing.report.numbers import format_digits, format_share

_MOST_CLASSES = 20


@dataclass(frozen=True)
class Cell:
    """How many points; their share of the row; how strongly to colour it, 0 to 100."""

    count: int
    share: str
    strength: int
    right: bool


@dataclass(frozen=True)
class Confusion:
    """The confusion matrix: the classes, one row of cells for each true class, and the recall of each."""

    classes: list[str]
    rows: list[tuple[str, list[Cell], str]]
    precisions: list[str]


@dataclass(frozen=True)
class Picture:
    """A picture with its heading and a sentence that says how to read it."""

    heading: str
    picture: Markup
    caption: str


def confusion_of(findings: Findings) -> Confusion | None:
    """Return the confusion matrix; None for a regression, and for more classes than fit a page."""
    points, answers = _unseen_answers(findings)
    if not 2 <= len(points.classes) <= _MOST_CLASSES:
        return None
    counts = confusion_counts(points.truth, answers.labels, points.classes)
    names = [str(one) for one in points.classes]
    rows = []
    for place, name in enumerate(names):
        total = int(counts[place].sum())
        cells = [_cell(int(count), total, place == column) for column, count in enumerate(counts[place])]
        rows.append((name, cells, format_share(int(counts[place, place]), total)))
    return Confusion(
        names, rows, [format_share(int(counts[one, one]), int(counts[:, one].sum())) for one in range(len(names))]
    )


def pictures(findings: Findings) -> list[Picture]:
    """Return ROC, precision and recall, thresholds, and reliability: for two classes with probabilities."""
    points, answers = _unseen_answers(findings)
    if len(points.classes) != 2:
        return []
    positive = points.positive if points.positive is not None else points.classes[1]
    mask, response, probable = _response(points, answers, positive)
    if response is None:
        return []
    found = threshold_curve(mask, response, points.weight)
    if found is None:
        return []
    served = _curve_of_served(findings, positive)
    drawn = [_roc(found, served, str(positive)), _precision_recall(found, served, mask, str(positive))]
    if probable:
        drawn.append(_by_threshold(found, findings.shown.model.threshold, str(positive)))
        drawn.append(_reliability(mask, response, str(positive)))
        drawn.append(_by_class(mask, response, points, str(positive)))
    return drawn


def _unseen_answers(findings: Findings) -> tuple[Points, Predictions]:
    unseen = findings.shown.unseen
    return findings.points.take(unseen), take_predictions(findings.shown.predictions, unseen)


def _response(
    points: Points, answers: Predictions, positive: object
) -> tuple[NDArray[np.bool_], NDArray[np.float64] | None, bool]:
    """Return what is positive, the response that ranks the points, and whether that is a probability."""
    column = points.classes.index(positive)
    mask = np.asarray(points.truth == points.classes[column])
    if answers.probabilities is not None:
        return mask, answers.probabilities[:, column], True
    if answers.decision is not None and answers.decision.ndim == 1:
        return mask, answers.decision if column == 1 else -answers.decision, False
    return mask, None, False


def _curve_of_served(findings: Findings, positive: object) -> ThresholdCurve | None:
    """Return the curves of the served Model, where it may be judged by the very same points."""
    served, shown = findings.served, findings.shown
    if served is None or served.name == shown.name or set(served.manifest.classes) != set(findings.points.classes):
        return None
    if (shown.unseen & ~served.unseen).any() or served.manifest.classes != findings.points.classes:
        return None
    points, answers = findings.points.take(shown.unseen), take_predictions(served.predictions, shown.unseen)
    mask, response, _ = _response(points, answers, positive)
    return None if response is None else threshold_curve(mask, response, points.weight)


def _roc(found: ThresholdCurve, served: ThresholdCurve | None, positive: str) -> Picture:
    plot = Plot("ROC curve", (0, 1), (0, 1), "false positive rate", "true positive rate (recall)")
    plot.line([(0, 0), (1, 1)], "muted", "line dashed")
    if served is not None:
        plot.line(_curve_pairs(0.0, 0.0, served.false_positive_rate, served.recall), "served")
    pairs = _curve_pairs(0.0, 0.0, found.false_positive_rate, found.recall)
    plot.area(pairs, "challenger")
    plot.line(pairs, "challenger")
    return Picture(
        "ROC curve", plot.render(), f"Positive is {positive}. Up and left is better; the dashed line is a coin."
    )


def _precision_recall(
    found: ThresholdCurve, served: ThresholdCurve | None, mask: NDArray[np.bool_], positive: str
) -> Picture:
    base = float(mask.mean())
    plot = Plot("Precision and recall", (0, 1), (0, 1), "recall", "precision")
    plot.line([(0, base), (1, base)], "muted", "line dashed")
    if served is not None:
        plot.line(_curve_pairs(0.0, float(served.precision[0]), served.recall, served.precision), "served")
    plot.line(_curve_pairs(0.0, float(found.precision[0]), found.recall, found.precision), "challenger")
    return Picture(
        "Precision and recall",
        plot.render(),
        f"Positive is {positive}. Up and right is better; the dashed line is chance ({format_digits(base)}).",
    )


def _by_threshold(found: ThresholdCurve, chosen: float | None, positive: str) -> Picture:
    plot = Plot("Precision and recall by threshold", (0, 1), (0, 1), f"threshold on the probability of {positive}")
    order = slice(None, None, -1)
    threshold = found.threshold[order]
    plot.line(list(zip(threshold, found.selected[order], strict=True)), "muted", "line dashed")
    plot.line(list(zip(threshold, found.recall[order], strict=True)), "second")
    plot.line(list(zip(threshold, found.precision[order], strict=True)), "challenger")
    plot.vertical_line(0.5 if chosen is None else chosen)
    said = "0.5" if chosen is None else format_digits(chosen)
    return Picture(
        "What each threshold would do",
        plot.render(),
        f"Blue: precision. Green: recall. Dashed: share of points called {positive}. Served with {said}.",
    )


def _reliability(mask: NDArray[np.bool_], probability: NDArray[np.float64], positive: str) -> Picture:
    plot = Plot("Reliability", (0, 1), (0, 1), f"predicted probability of {positive}", "how often it came true")
    counts, edges = np.histogram(probability, bins=25, range=(0.0, 1.0))
    for count, low, high in zip(counts, edges, edges[1:], strict=False):
        if count:
            plot.bar(float(low), float(high), 0.22 * float(count) / float(counts.max()), "faint")
    plot.line([(0, 0), (1, 1)], "muted", "line dashed")
    bins = reliability(mask, probability)
    for one in bins:
        plot.whisker(one.mean, one.share_low, one.share_high, "challenger")
    pairs = [(one.mean, one.share) for one in bins]
    plot.line(pairs, "challenger")
    plot.dots(pairs, "challenger", 3.6)
    brier = float(np.mean((probability - mask) ** 2))
    return Picture(
        "Reliability",
        plot.render(),
        f"The dashed line is perfect calibration. Brier score {format_digits(brier)}.",
    )


def _by_class(mask: NDArray[np.bool_], probability: NDArray[np.float64], points: Points, positive: str) -> Picture:
    shares = [
        np.histogram(probability[side], bins=25, range=(0.0, 1.0))[0] / max(int(side.sum()), 1)
        for side in (mask, ~mask)
    ]
    most = float(max(share.max() for share in shares)) * 1.05
    label = f"predicted probability of {positive}"
    plot = Plot("Predicted probabilities by class", (0, 1), (0, most), label, "share of the class")
    edges = np.linspace(0, 1, 26)
    for share_of, colour in zip(shares, ("challenger", "second"), strict=True):
        for height, low, high in zip(share_of, edges, edges[1:], strict=False):
            if height:
                plot.bar(float(low), float(high), float(height), f"{colour} clear")
    other = next(str(one) for one in points.classes if str(one) != positive)
    return Picture(
        "Predicted probabilities by class", plot.render(), f"Blue: points that are {positive}. Green: {other}."
    )


def _cell(count: int, total: int, right: bool) -> Cell:
    part = count / total if total else 0.0
    return Cell(count, format_share(count, total), round(100 * part), right)


def _curve_pairs(x: float, y: float, across: NDArray[np.float64], up: NDArray[np.float64]) -> list[tuple[float, float]]:
    return [(x, y), *zip(across.tolist(), up.tolist(), strict=True)]
