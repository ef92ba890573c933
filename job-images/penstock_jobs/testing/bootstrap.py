"""The bootstrap: how far a score would have moved had the testing points been drawn again.

What is resampled is a *unit*: a point, or everything that belongs together (the points of a customer, a stretch of
time). A resample takes as many units as there are, with replacement, so it is a vector of counts, one for each unit.
Two Models are compared on the same resamples (paired), which cancels what is hard or easy about the points themselves.

No single bootstrap interval keeps its promise on every score and every number of units, so the outermost of these is
taken at each end (docs/explanation/intervals.md has the simulations):

- the *expanded percentile* (T. Hesterberg, "What Teachers Should Know About the Bootstrap", The American Statistician
  69(4), 2015): plain percentiles are too narrow when the units are few, by the same amount as a normal interval with
  the biased standard deviation is narrower than Student's;
- its reflection at the estimate (the "basic" interval), and Student's;
- Student's again, with as many degrees of freedom as the spread is known by, and corrected for skewness (N. Johnson,
  "Modified t Tests and Confidence Intervals for Asymmetrical Populations", JASA 73, 1978). Where a few large groups, or
  a few large errors, make most of the spread, it is known less well than the number of units says (B. O'Neill, "Some
  Useful Moment Results in Sampling Problems", The American Statistician 68(4), 2014);
- for a score with a bound (a share, an error), the same on the scale on which it has none: logit, or logarithm.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]
Counts = Array
Statistic = Callable[[Counts], Array]
"""From counts, shape (resamples, units), to the score of each resample, shape (resamples,); NaN where it has none."""

LEAST_UNITS = 30
"""With fewer units the bootstrap gives no interval: their spread is not known well enough."""

_CHUNK = 4_000_000
_USABLE = 0.9
_LEAST_LEFT_OUT = 50
MOST_LEFT_OUT = 500
_LEAST_FREEDOM = 2.1


@dataclass(frozen=True)
class Interval:
    """The two ends of an interval, on the scale of the score."""

    low: float
    high: float


class NoInterval(Exception):
    """There is no interval to be had from these resamples; the message is the sentence that says why."""


@dataclass(frozen=True)
class Resampling:
    """What became of a score when its units were drawn again.

    Attributes:
        estimate: the score of the points as they are.
        values: the score of each resample, NaN where it has none.
        units: how many units there are.
        influence: how far each unit (or block of units) moves the score, centred.
    """

    estimate: float
    values: Array
    units: int
    influence: Array

    @property
    def freedom(self) -> float:
        """The degrees of freedom that the spread is known by: units - 1, and fewer where few units make most of it."""
        count, squares = len(self.influence), float((self.influence**2).sum())
        if count < 2 or not squares > 0:
            return 0.0
        kurtosis = count * float((self.influence**4).sum()) / squares**2
        return min(max(2 * count / (kurtosis - (count - 3) / (count - 1)), 1.0), self.units - 1.0)

    @property
    def skewness(self) -> float:
        """The skewness of the score: a sixth of that of its mean influence."""
        squares = float((self.influence**2).sum())
        return float((self.influence**3).sum()) / squares**1.5 / 6 if squares > 0 else 0.0


def resample(
    statistic: Statistic, estimate: float, units: int, resamples: int, seed: int, width: int | None = None
) -> Resampling:
    """Draw the units again, and leave each of them out once.

    Args:
        statistic: from counts of the units to the score.
        estimate: the score of the points as they are.
        units: how many units there are.
        resamples: how many resamples.
        seed: the same resamples come for the same units, resamples and seed.
        width: how many numbers the statistic needs for each resample, where that is more than `units`.
    """
    values = distribution(statistic, units, resamples, seed, width)
    blocks = max(_LEAST_LEFT_OUT, min(MOST_LEFT_OUT, resamples // 4))
    return Resampling(estimate, values, units, influence_of(statistic, units, blocks, width))


def resample_counts(units: int, resamples: int, seed: int, width: int | None = None) -> Iterator[Counts]:
    """Yield the counts of `resamples` resamples, a chunk of rows at a time, shape (rows, units).

    The same numbers come for the same `units`, `resamples` and `seed`, whatever the chunks. `width` is how many numbers
    the statistic needs for each resample, where that is more than `units`; it bounds the memory.
    """
    generator = np.random.default_rng(seed)
    rows = max(1, _CHUNK // max(units, width or 1))
    for start in range(0, resamples, rows):
        taken = min(rows, resamples - start)
        drawn = generator.integers(0, units, size=(taken, units))
        drawn += np.arange(taken)[:, None] * units
        yield np.bincount(drawn.ravel(), minlength=taken * units).reshape(taken, units).astype(np.float64)


def distribution(statistic: Statistic, units: int, resamples: int, seed: int, width: int | None = None) -> Counts:
    """Return the statistic of each resample, shape (resamples,)."""
    return np.concatenate([statistic(chunk) for chunk in resample_counts(units, resamples, seed, width)])


def influence_of(statistic: Statistic, units: int, blocks: int, width: int | None = None) -> Array:
    """Return by how much the score is more with each unit than without it (the jackknife), centred.

    Of many units, blocks of neighbours are left out: the tails of blocks are lighter, but so many blocks are enough to
    know the spread by.
    """
    blocks = min(units, blocks)
    block = np.arange(units) * blocks // max(units, 1)
    rows = max(1, _CHUNK // max(units, width or 1))
    parts = [
        statistic((block[None, :] != np.arange(start, min(start + rows, blocks))[:, None]).astype(np.float64))
        for start in range(0, blocks, rows)
    ]
    without = np.concatenate(parts) if parts else np.empty(0)
    return np.asarray(without.mean() - without) if len(without) else without


@dataclass(frozen=True)
class Scale:
    """A scale on which a bounded score has no bound: there, back again, and the slope on the way there."""

    there: Callable[[float], float]
    back: Callable[[float], float]
    slope: Callable[[float], float]


def unbounded_scale(low: float, high: float) -> Scale | None:
    """Return the scale for a score between these ends, None where it has neither."""
    if math.isfinite(low) and math.isfinite(high):
        return Scale(
            lambda value: math.log((value - low) / (high - value)),
            lambda value: low + (high - low) / (1 + math.exp(-max(min(value, 700.0), -700.0))),
            lambda value: (high - low) / ((value - low) * (high - value)),
        )
    if math.isfinite(high):
        return Scale(
            lambda value: -math.log(high - value),
            lambda value: high - math.exp(min(-value, 700.0)),
            lambda value: 1 / (high - value),
        )
    if math.isfinite(low):
        return Scale(
            lambda value: math.log(value - low),
            lambda value: low + math.exp(min(value, 700.0)),
            lambda value: 1 / (value - low),
        )
    return None


def interval(resampling: Resampling, confidence: float, low: float = -math.inf, high: float = math.inf) -> Interval:
    """Return the two-sided interval that holds the score with this confidence, within the score's range.

    Raises:
        NoInterval: too many resamples have no score, all have the same, or one unit makes all the spread.
    """
    ends = _outermost(resampling, (1 - confidence) / 2)
    if ends.low == ends.high:
        raise NoInterval("All resamples have the same score, so nothing is known of how far it would move.")
    if resampling.freedom < _LEAST_FREEDOM:
        raise NoInterval("It hangs on one point alone, which says nothing of how far it would move.")
    scale = unbounded_scale(low, high)
    found = [ends.low], [ends.high]
    if scale is not None and low < resampling.estimate < high:
        middle = scale.there(resampling.estimate)
        reach = _reach(resampling, (1 - confidence) / 2) * scale.slope(resampling.estimate)
        found[0].append(scale.back(middle - reach))
        found[1].append(scale.back(middle + reach))
    return Interval(max(min(found[0]), low), min(max(found[1]), high))


def bounds(resampling: Resampling, confidence: float) -> Interval:
    """Return the lower and the upper bound, each one-sided and wrong at most as often as the confidence says.

    Raises:
        NoInterval: there is one unit alone, or too many resamples have no score.
    """
    return _outermost(resampling, 1 - confidence)


def _outermost(resampling: Resampling, tail: float) -> Interval:
    percentile = _percentiles(resampling.values, resampling.units, tail)
    estimate, spread = resampling.estimate, _spread(resampling)
    reach = student_quantile(1 - tail, resampling.units - 1) * spread
    wide = _reach(resampling, tail)
    lean = spread * resampling.skewness * (1 + 2 * (reach / spread) ** 2) if spread > 0 else 0.0
    return Interval(
        min(percentile.low, 2 * estimate - percentile.high, estimate - reach, estimate - wide, estimate + lean - wide),
        max(percentile.high, 2 * estimate - percentile.low, estimate + reach, estimate + wide, estimate + lean + wide),
    )


def _reach(resampling: Resampling, tail: float) -> float:
    """Return Student's reach from the estimate, by the degrees of freedom that the spread is known by."""
    return student_quantile(1 - tail, max(resampling.freedom, 1.0)) * _spread(resampling)


def _spread(resampling: Resampling) -> float:
    usable = resampling.values[np.isfinite(resampling.values)]
    return float(usable.std()) * math.sqrt(resampling.units / (resampling.units - 1))


def _percentiles(values: Array, units: int, tail: float) -> Interval:
    if units < 2:
        raise NoInterval("There is nothing to draw again where all points belong together.")
    usable = values[np.isfinite(values)]
    if len(usable) < _USABLE * len(values) or len(usable) == 0:
        raise NoInterval("It has no number on more than one in ten resamples.")
    share = expand_tail(tail, units)
    low, high = np.quantile(usable, [share, 1 - share])
    return Interval(float(low), float(high))


def expand_tail(tail: float, units: int) -> float:
    """Return the percentile (as a share) that stands for `tail` with that many units, 2 or more."""
    return float(special.ndtr(math.sqrt(units / (units - 1)) * student_quantile(tail, units - 1)))


def student_quantile(share: float, freedom: float) -> float:
    """Return below which value that share of Student's distribution lies."""
    return float(special.stdtrit(freedom, share))
