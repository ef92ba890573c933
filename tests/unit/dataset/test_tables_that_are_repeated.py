"""Tables that a run makes again for another are those, or nothing is written."""

import pytest

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import RepeatedTables
from penstock_jobs.dataset.checks import check_repetition

BEFORE = RepeatedTables(run="churn-1", training="a", validation="b", testing="c")


def test_the_same_digests_are_let_through() -> None:
    check_repetition(BEFORE, {"training": "a", "validation": "b", "testing": "c"})
    check_repetition(None, {"training": "x", "validation": "y", "testing": "z"})


@pytest.mark.parametrize(
    ("digests", "said"),
    [
        ({"training": "x", "validation": "b", "testing": "c"}, "The training table would not be"),
        ({"training": "x", "validation": "b", "testing": "z"}, "The training and testing tables would not be"),
        ({"training": "x", "validation": "y", "testing": "z"}, "The training, validation and testing tables would"),
    ],
)
def test_others_are_refused_by_name(digests: dict[str, str], said: str) -> None:
    with pytest.raises(Refused, match=said):
        check_repetition(BEFORE, digests)
