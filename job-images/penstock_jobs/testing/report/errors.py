"""The pictures of a regression: predicted against true, the residuals, and how large the errors are."""

import numpy as np
from numpy.typing import NDArray

from penstock_jobs.testing.curves import histogram
from penstock_jobs.testing.points import take_predictions
from penstock_jobs.testing.report.charts.plot import Plot, pad_range
from penstock_jobs.testing.report.classes import Picture
from penstock_jobs.testing.report.findings import Findings
from penstock_jobs.testing.report.numbers import format_digits

_MOST_DOTS = 1_500


def pictures(findings: Findings) -> list[Picture]:
    """Return the pictures; none for a classification."""
    if findings.points.classes:
        return []
    unseen = findings.shown.unseen
    truth = findings.points.truth[unseen].astype(np.float64)
    predicted = take_predictions(findings.shown.predictions, unseen).labels.astype(np.float64)
    target = findings.job.target.column
    return [
        _scatter(truth, predicted, target),
        _residuals(truth, predicted, target),
        _distribution(predicted - truth, target),
        _sizes(np.abs(predicted - truth), _errors_of_served(findings, truth)),
    ]


def _scatter(truth: NDArray[np.float64], predicted: NDArray[np.float64], target: str) -> Picture:
    both = pad_range([*truth.tolist(), *predicted.tolist()])
    plot = Plot("Predicted against true", both, both, f"true {target}", f"predicted {target}")
    plot.line([(both[0], both[0]), (both[1], both[1])], "muted", "line dashed")
    plot.dots(_pairs(truth, predicted), "challenger")
    return Picture("Predicted against true", plot.render(), "On the dashed line the prediction is right.")


def _residuals(truth: NDArray[np.float64], predicted: NDArray[np.float64], target: str) -> Picture:
    error = predicted - truth
    plot = Plot("Residuals", pad_range(predicted.tolist()), pad_range(error.tolist()), f"predicted {target}", "error")
    plot.line([(plot.x[0], 0.0), (plot.x[1], 0.0)], "muted", "line dashed")
    plot.dots(_pairs(predicted, error), "challenger")
    return Picture("Residuals", plot.render(), "Predicted minus true: points above the line were predicted too high.")


def _distribution(error: NDArray[np.float64], target: str) -> Picture:
    counts, edges = histogram(error)
    plot = Plot(
        "Distribution of the errors",
        (float(edges[0]), float(edges[-1])),
        (0, float(counts.max()) * 1.05),
        "error",
        "points",
    )
    for count, low, high in zip(counts, edges, edges[1:], strict=False):
        plot.bar(float(low), float(high), float(count), "challenger")
    plot.vertical_line(0.0)
    median = float(np.median(error))
    caption = f"The error is the predicted {target} minus the true one. The median error is {format_digits(median)}."
    return Picture("Distribution of the errors", plot.render(), caption)


def _errors_of_served(findings: Findings, truth: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return the size of the served Model's errors, where it may be judged by the very same points."""
    served, shown = findings.served, findings.shown
    if served is None or served.name == shown.name or (shown.unseen & ~served.unseen).any():
        return None
    return np.asarray(np.abs(served.predictions.labels[shown.unseen].astype(np.float64) - truth))


def _sizes(size: NDArray[np.float64], served: NDArray[np.float64] | None) -> Picture:
    most = max(float(one.max()) for one in (size, served) if one is not None)
    plot = Plot("Size of the errors", (0, most or 1.0), (0, 1), "error at most", "share of points")
    if served is not None:
        plot.line(_cumulate(served), "served")
    plot.area(_cumulate(size), "challenger")
    plot.line(_cumulate(size), "challenger")
    half, nine = (format_digits(float(np.quantile(size, share))) for share in (0.5, 0.9))
    caption = f"Half of the predictions are off by at most {half}, nine in ten by at most {nine}."
    return Picture("Size of the errors", plot.render(), caption)


def _cumulate(size: NDArray[np.float64]) -> list[tuple[float, float]]:
    ordered = np.sort(size)
    kept = np.unique(np.linspace(0, len(ordered) - 1, min(len(ordered), 300)).astype(int))
    return [(0.0, 0.0), *zip(ordered[kept].tolist(), ((kept + 1) / len(ordered)).tolist(), strict=True)]


def _pairs(x: NDArray[np.float64], y: NDArray[np.float64]) -> list[tuple[float, float]]:
    """Return the pairs to draw: the first ones, which are a random sample, as rows are in the order of their hashes."""
    return list(zip(x[:_MOST_DOTS].tolist(), y[:_MOST_DOTS].tolist(), strict=True))
