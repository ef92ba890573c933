"""How often an interval of a score holds the true score, and how often a bound of the gate is wrong, by simulation.

Worlds with known truth are drawn again and again; what is counted is made by the very code of the testing job
(`penstock_jobs.testing`). The resamples of one number of units are the same in each repetition, as they are in the job,
whose seed is fixed.

    python bench/coverage.py points      # intervals where each point is drawn by itself
    python bench/coverage.py groups      # intervals where points come in groups, even and uneven in size
    python bench/coverage.py gate        # the bounds of a difference between two Models that are equally good
    python bench/coverage.py limits      # worlds in which neither keeps its promise: errors, or losses, rare and huge
    python bench/coverage.py gains       # how small a gain which number of points can show
"""

import argparse
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray

from penstock_jobs.contract.specification import ScoringSpec
from penstock_jobs.scoring import Predictions, Scorer, load_scorer
from penstock_jobs.testing import bootstrap
from penstock_jobs.testing.fast import forms
from penstock_jobs.testing.intervals import clopper_pearson, require_units, share_of
from penstock_jobs.testing.points import Points, single_units

Array = NDArray[np.float64]
Generator = np.random.Generator
World = Callable[[Generator, NDArray[np.intp], int], tuple[Points, list[Predictions]]]
"""From the group of each point, and how many Models there are, to the points and what the Models answer."""

CLASSES = ("accuracy", "recall", "f1", "roc_auc", "neg_log_loss")
NUMBERS = ("r2", "neg_mean_absolute_error", "neg_root_mean_squared_error")
SIZES = (50, 100, 200, 500)
RESAMPLES = 400
POPULATION = 1_000_000
PER_GROUP = 5


# --- worlds ---------------------------------------------------------------------------------------------------------


def classes(
    generator: Generator,
    group: NDArray[np.intp],
    models: int,
    *,
    positive: float = 0.3,
    sure: float = 1.0,
    own: float = 0.7,
) -> tuple[Points, list[Predictions]]:
    """Two classes, `positive` of one of them, and Models that are `sure` times as sure as they should be."""
    together = group.max() + 1 < len(group)
    share = _of_groups(generator, group, lambda count: generator.beta(4 * positive, 4 - 4 * positive, count))
    truth = (generator.random(len(group)) < (share if together else positive)).astype(int)
    hard = _noise(generator, group, partial(_normal, generator))
    answers = []
    for _ in range(models):
        luck = own * _noise(generator, group, partial(_normal, generator)) if models > 1 else 0.0
        logit = sure * (1.5 * (1.5 * (truth - 0.5) + hard + luck) + math.log(positive / (1 - positive)))
        probability = 1 / (1 + np.exp(-logit))
        answers.append(Predictions((logit > 0).astype(int), np.column_stack([1 - probability, probability])))
    return Points(truth, group, (0, 1), 1, kind="groups" if together else "points"), answers


def numbers(
    generator: Generator, group: NDArray[np.intp], models: int, *, tails: float = math.inf
) -> tuple[Points, list[Predictions]]:
    """A number with errors of Student's distribution with `tails` degrees of freedom (infinite: normal)."""

    def draw(size: int) -> Array:
        return np.asarray(generator.normal(size=size) if math.isinf(tails) else generator.standard_t(tails, size))

    known = 1.2 * _noise(generator, group, partial(_normal, generator))
    truth = known + _noise(generator, group, draw)
    answers = [
        Predictions(known + (0.7 * _noise(generator, group, draw) if models > 1 else 0.0)) for _ in range(models)
    ]
    return Points(truth, group, kind="groups" if group.max() + 1 < len(group) else "points"), answers


def factors(generator: Generator, group: NDArray[np.intp], models: int) -> tuple[Points, list[Predictions]]:
    """A lognormal number whose error is a factor: a few errors are far larger than all others."""
    known = 1.2 * generator.normal(size=len(group))
    truth = np.exp(1 + 0.7 * known + 0.4 * generator.normal(size=len(group)))
    return Points(truth, group), [Predictions(np.exp(1.08 + 0.7 * known))] * models


def lopsided(generator: Generator, group: NDArray[np.intp], models: int) -> tuple[Points, list[Predictions]]:
    """A Model a little better on 19 in 20 groups and far worse on one, against one that it equals on the whole."""
    worse = _of_groups(generator, group, lambda count: (generator.random(count) < 0.05).astype(np.float64))
    points = Points(np.zeros(len(group)), group, kind="groups" if group.max() + 1 < len(group) else "points")
    return points, [Predictions(0.95 + worse), Predictions(np.ones(len(group)))]


def _normal(generator: Generator, size: int) -> Array:
    return np.asarray(generator.normal(size=size))


def _of_groups(generator: Generator, group: NDArray[np.intp], draw: Callable[[int], Array]) -> Array:
    return np.asarray(draw(int(group.max()) + 1)[group])


def _noise(generator: Generator, group: NDArray[np.intp], draw: Callable[..., Array]) -> Array:
    """Return noise of variance 1, four tenths of which a group has in common."""
    if group.max() + 1 == len(group):
        return draw(size=len(group))
    return math.sqrt(0.4) * _of_groups(generator, group, lambda count: draw(size=count)) + math.sqrt(0.6) * draw(
        size=len(group)
    )


def single(generator: Generator, points: int) -> NDArray[np.intp]:
    """Each point by itself."""
    return np.arange(points)


def even(generator: Generator, points: int) -> NDArray[np.intp]:
    """Groups of about five points."""
    groups = points // PER_GROUP
    return np.repeat(np.arange(groups), 1 + generator.poisson(PER_GROUP - 1, groups))


def uneven(generator: Generator, points: int) -> NDArray[np.intp]:
    """Groups of five points on average, whose sizes are lognormal: most of one to three, the largest of fifty."""
    groups = points // PER_GROUP
    return np.repeat(np.arange(groups), np.ceil(generator.lognormal(0.9, 1.1, groups)).astype(int))


# --- intervals ------------------------------------------------------------------------------------------------------


@dataclass
class Count:
    """How many intervals there were of so many repetitions, and how many of these missed on either side."""

    repetitions: int = 0
    shown: int = 0
    low: int = 0
    high: int = 0

    def add(self, make: Callable[[], bootstrap.Interval], truth: float) -> None:
        """Count one repetition, with an interval or without."""
        self.repetitions += 1
        try:
            ends = make()
        except bootstrap.NoInterval:
            return
        self.shown += 1
        self.low += ends.low > truth
        self.high += ends.high < truth

    def row(self) -> str:
        """Return the coverage, where it misses, and how often there was an interval at all."""
        if not self.shown:
            return "– | | | 0"
        low, high = (100 * count / self.shown for count in (self.low, self.high))
        return f"{100 - low - high:.1f} | {low:.1f} | {high:.1f} | {100 * self.shown / self.repetitions:.0f}"


def coverage(
    name: str,
    world: World,
    group: Callable[[Generator, int], NDArray[np.intp]],
    scorings: tuple[str, ...],
    repetitions: int,
) -> None:
    """Print how often the intervals of one world hold the truth."""
    generator = np.random.default_rng(5)
    scorers = [_scorer(scoring) for scoring in scorings]
    points, (answers,) = world(generator, group(generator, POPULATION), 1)
    truth = {scorer.name: scorer.score(points.truth, answers) for scorer in scorers}
    for size in SIZES:
        counts = {scorer.name: Count() for scorer in scorers}
        for _ in range(repetitions):
            points, (answers,) = world(generator, group(generator, size), 1)
            for scorer in scorers:
                counts[scorer.name].add(partial(_interval, scorer, points, answers), truth[scorer.name])
        for scoring, count in counts.items():
            print(f"| {name} | {size} | {scoring.removeprefix('neg_')} | {count.row()} |", flush=True)


def _interval(scorer: Scorer, points: Points, answers: Predictions) -> bootstrap.Interval:
    """Return what `penstock_jobs.testing.intervals` does, with the resamples drawn once and the fast form known."""
    share = share_of(scorer, points, answers)
    if share is not None and share[1]:
        return clopper_pearson(*share, 0.95)
    require_units(points)
    return bootstrap.interval(_resampling(_statistic(scorer, points, answers), points.units), 0.95, *scorer.range)


def _resampling(statistic: bootstrap.Statistic, units: int) -> bootstrap.Resampling:
    estimate = float(statistic(np.ones((1, units)))[0])
    if not math.isfinite(estimate):
        raise bootstrap.NoInterval("There is no score.")
    influence = bootstrap.influence_of(statistic, units, bootstrap.MOST_LEFT_OUT)
    return bootstrap.Resampling(estimate, statistic(_resamples(units)), units, influence)


@cache
def _resamples(units: int) -> Array:
    return next(bootstrap.resample_counts(units, RESAMPLES, 0))


@cache
def _scorer(scoring: str) -> Scorer:
    if scoring in NUMBERS:
        return load_scorer(ScoringSpec(name=scoring), "Regression", (), None)
    return load_scorer(ScoringSpec(name=scoring), "Classification", (0, 1), 1)


def _statistic(scorer: Scorer, points: Points, answers: Predictions) -> bootstrap.Statistic:
    return next(found for form in forms(scorer.name) if (found := form(points, answers)) is not None)


# --- the gate -------------------------------------------------------------------------------------------------------


def gate(
    name: str,
    world: World,
    group: Callable[[Generator, int], NDArray[np.intp]],
    scorings: tuple[str, ...],
    sizes: tuple[int, ...],
    repetitions: int,
) -> None:
    """Print how often a bound at 95 % says that one of two equally good Models is the better."""
    generator = np.random.default_rng(7)
    for size in sizes:
        counts = {scoring: Count() for scoring in scorings}
        for _ in range(repetitions):
            points, answers = world(generator, group(generator, size), 2)
            for scoring, count in counts.items():
                count.add(partial(_bounds, _scorer(scoring), points, answers), 0.0)
        for scoring, count in counts.items():
            wrong = (f"{100 * one / count.shown:.1f}" if count.shown else "–" for one in (count.low, count.high))
            cells = " | ".join(wrong)
            print(f"| {name} | {size} | {scoring.removeprefix('neg_')} | {cells} |", flush=True)


def _bounds(scorer: Scorer, points: Points, answers: list[Predictions]) -> bootstrap.Interval:
    require_units(points)
    return bootstrap.bounds(_difference(scorer, points, answers), 0.95)


def _difference(scorer: Scorer, points: Points, answers: list[Predictions]) -> bootstrap.Resampling:
    first, second = (_statistic(scorer, points, answer) for answer in answers)
    return _resampling(lambda counts: first(counts) - second(counts), points.units)


def gains(repetitions: int) -> None:
    """Print the true gain that the gate finds in four of five cases, with Models that are more or less alike.

    Of two equally good Models: how far the lower bound lies below the difference, and 0.84 times how far that varies.
    """
    for likeness, own in (("alike", 0.2), ("unlike", 0.7)):
        for size in (100, 300, 1_000, 3_000, 10_000):
            generator = np.random.default_rng(9)
            cells = []
            for scoring in ("accuracy", "f1", "roc_auc", "neg_log_loss"):
                found = []
                for _ in range(repetitions):
                    points, answers = classes(generator, single_units(size).of_points, 2, own=own)
                    made = _difference(_scorer(scoring), points, answers)
                    found.append((made.estimate, made.estimate - bootstrap.bounds(made, 0.95).low))
                differences, reaches = np.array(found).T
                cells.append(f"{np.median(reaches) + 0.84 * differences.std():.4f}")
            print(f"| {likeness} | {size:,} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    """Print the tables that were asked for, in Markdown."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("table", nargs="+", choices=("points", "groups", "gate", "limits", "gains"))
    parser.add_argument("--repetitions", type=int, default=2000)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    for table in given.table:
        _print_table(table, given.repetitions)


def _print_table(table: str, repetitions: int) -> None:
    if table == "points":
        coverage("balanced", partial(classes, positive=0.3), single, CLASSES, repetitions)
        coverage("rare, too sure", partial(classes, positive=0.1, sure=2.0), single, CLASSES, repetitions)
        coverage("normal errors", numbers, single, NUMBERS, repetitions)
        coverage("heavy tails (t, 5)", partial(numbers, tails=5), single, NUMBERS, repetitions)
    elif table == "groups":
        for kind, group in (("even groups", even), ("uneven groups", uneven)):
            coverage(kind, classes, group, CLASSES, repetitions)
            coverage(kind, numbers, group, NUMBERS, repetitions)
    elif table == "gate":
        for kind, group, sizes in (("points", single, (100, 250)), ("uneven groups", uneven, (100, 250, 1_000))):
            gate(kind, classes, group, CLASSES, sizes, repetitions)
            gate(f"{kind}, too sure", partial(classes, sure=3.0), group, ("neg_log_loss",), sizes, repetitions)
            gate(f"{kind}, heavy tails (t, 3)", partial(numbers, tails=3), group, NUMBERS, sizes, repetitions)
    elif table == "limits":
        coverage("factors", factors, single, NUMBERS, repetitions)
        gate("lopsided points", lopsided, single, NUMBERS[1:2], (50, 100, 250, 1_000), repetitions)
        gate("lopsided groups of uneven size", lopsided, uneven, NUMBERS[1:2], (250, 1_000), repetitions)
    else:
        gains(max(repetitions // 40, 10))


if __name__ == "__main__":
    main()
