"""The testing step: how Models are scored on points that they never saw."""

from typing import Annotated

from penstock.api.scalars import ColumnName
from penstock.api.schema import Value, field
from penstock.api.scoring import Scoring


class Testing(Value, frozen=True, kw_only=True):
    """How Models are scored on the testing set: this run's, and the one being served."""

    scoring: Annotated[
        tuple[Scoring, ...],
        field("The scoring functions; without any, the one that ranked the candidates.", keys=("name",), max_length=32),
    ] = ()
    minimum_points: Annotated[
        int,
        field(
            "The fewest testing points that a verdict may rest on, for a first Model too. With fewer that the new "
            "Model never saw it is `TooFewPoints`, and nothing new is served; with fewer that none of the Models "
            "compared ever saw, `NotComparable`.",
            ge=1,
            le=1000000000,
        ),
    ] = 100
    segments: Annotated[
        tuple[ColumnName, ...],
        field("Columns by whose values the report shows the scores apart.", unique=True, max_length=16),
    ] = ()
    resamples: Annotated[int, field("How many bootstrap samples the intervals rest on.", ge=100, le=100000)] = 2000
    seed: Annotated[int, field("From which the bootstrap samples follow.", ge=0, le=2147483647)] = 0
