"""Scores of thousands of resamples at once.

A scoring function called once for each resample takes seconds to minutes; most scores are functions of a few sums, or
of one sorted order, and can be made for all resamples together. Each form here is another way to the same number as
scikit-learn's; `penstock_jobs.testing.resampled` checks that it is before it is used.
"""

from collections.abc import Callable

from penstock_jobs.scoring.predictions import Predictions
from penstock_jobs.testing.bootstrap import Statistic
from penstock_jobs.testing.fast.errors import ERRORS
from penstock_jobs.testing.fast.labels import LABELS
from penstock_jobs.testing.fast.probabilities import PROBABILITIES
from penstock_jobs.testing.fast.ranking import RANKING
from penstock_jobs.testing.points import Points

Form = Callable[[Points, Predictions], Statistic | None]
"""From the points and a Model's answers to the statistic, or None where this form does not apply to them."""


def forms(name: str) -> tuple[Form, ...]:
    """Return the forms that may be the score of this name, most likely first."""
    return tuple(form for family in (LABELS, PROBABILITIES, RANKING, ERRORS) for form in family.get(name, ()))
