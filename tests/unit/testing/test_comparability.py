"""Which testing points a Model never saw, told from its lineage alone."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_jobs.contract.manifest import Lineage
from penstock_jobs.dataset.draw import draw, threshold
from penstock_jobs.dataset.encoding import HASHING, identity
from penstock_jobs.testing import comparability
from penstock_jobs.testing.comparability import NotComparable, unseen_mask

SHARES = st.sampled_from([0.05, 0.1, 0.2, 0.3, 0.5, 0.8])


def point(number: int) -> int:
    return identity([number])


def lineage(**changes: Any) -> Lineage:
    values: dict[str, Any] = {
        "storage": "file:///storage",
        "strategy": "Key",
        "key": ("id",),
        "salt": "penstock",
        "epoch": 1,
        "testing_share": 0.2,
        "generation": 3,
        "training_uri": "t",
        "training_version": 0,
        "training_digest": "",
        "validation_uri": "v",
        "validation_version": 0,
        "validation_digest": "",
        "testing_uri": "e",
        "testing_version": 0,
        "hashing": HASHING,
    }
    return Lineage(**(values | changes))


def split_of(points: list[int], generations: list[int] | None = None, **changes: Any) -> comparability.TestingSet:
    values: dict[str, Any] = {
        "storage": "file:///storage",
        "epoch": 1,
        "salt": "penstock",
        "key": ("id",),
        "group": (),
        "points": points,
        "groups": None,
        "generations": np.array([0] * len(points) if generations is None else generations),
    }
    return comparability.TestingSet(**(values | changes))


class History:
    """Generations of a `Key` (or `Group`) split as the dataset's rules say: what is in testing stays there."""

    def __init__(self, salt: str = "penstock", epoch: int = 1) -> None:
        self.salt, self.epoch = salt, epoch
        self.entered: dict[int, int] = {}
        self.training: set[int] = set()
        self.generation = -1

    def generate(self, numbers: set[int], share: float) -> set[int]:
        """Return what training and validation hold after one more generation."""
        self.generation += 1
        for number in sorted(numbers):
            if number not in self.entered and draw("testing", self.salt, self.epoch, point(number)) < threshold(share):
                self.entered[number] = self.generation
        self.training = numbers - set(self.entered)
        return self.training

    def reset(self) -> None:
        self.epoch, self.entered, self.generation = self.epoch + 1, {}, -1


@given(
    generations=st.lists(st.tuples(st.sets(st.integers(0, 80)), SHARES, st.booleans()), min_size=2, max_size=6),
    trained_at=st.integers(0, 5),
)
def test_no_point_that_a_model_was_trained_on_counts_however_the_split_has_changed(
    generations: list[tuple[set[int], float, bool]], trained_at: int
) -> None:
    history = History()
    seen: set[int] = set()
    origin = lineage()
    for place, (numbers, share, reset) in enumerate(generations):
        if reset and place:
            history.reset()
        trained = history.generate(numbers, share)
        if place == min(trained_at, len(generations) - 1):
            seen = set(trained)
            origin = lineage(epoch=history.epoch, testing_share=share, generation=history.generation)

    members = sorted(history.entered)
    testing = split_of([point(one) for one in members], [history.entered[one] for one in members], epoch=history.epoch)
    counted = {one for one, ours in zip(members, unseen_mask(testing, origin), strict=True) if ours}

    assert not counted & seen


@given(share=SHARES, raised=SHARES)
def test_a_raised_share_costs_only_the_points_that_it_moved(share: float, raised: float) -> None:
    history = History()
    everything = set(range(300))
    history.generate(everything, share)
    before = set(history.entered)
    history.generate(everything, max(share, raised))
    members = sorted(history.entered)
    testing = split_of([point(one) for one in members], [history.entered[one] for one in members])

    mask = unseen_mask(testing, lineage(testing_share=share, generation=0))

    assert {one for one, ours in zip(members, mask, strict=True) if ours} == before


def test_a_lowered_share_costs_none_of_the_points_already_in_testing() -> None:
    members = list(range(50))
    testing = split_of([point(one) for one in members], [1] * 50)

    assert unseen_mask(testing, lineage(testing_share=0.0, generation=1)).all()


def test_after_a_reset_the_models_own_draw_says_what_it_never_saw() -> None:
    members = [point(one) for one in range(400)]
    mask = unseen_mask(split_of(members, epoch=2), lineage(epoch=1, testing_share=0.3))

    below = threshold(0.3)
    assert mask.tolist() == [draw("testing", "penstock", 1, one) < below for one in members]
    assert 0 < mask.sum() < 400


def test_a_group_is_unseen_by_its_own_draw_and_not_by_its_points() -> None:
    groups = [point(one // 5) for one in range(100)]
    key = ("customer", "month")
    testing = split_of(
        [point(1000 + one) for one in range(100)], [9] * 100, key=key, group=("customer",), groups=groups
    )
    mask = unseen_mask(testing, lineage(strategy="Group", key=key, group=("customer",), testing_share=0.4))

    below = threshold(0.4)
    assert mask.tolist() == [draw("testing", "penstock", 1, one) < below for one in groups]


def test_a_stratified_model_is_judged_by_what_was_in_testing_when_it_was_made() -> None:
    testing = split_of([point(one) for one in range(4)], [0, 3, 4, 5])

    assert unseen_mask(testing, lineage(strategy="Stratified")).tolist() == [True, True, False, False]


def test_a_stratified_model_is_judged_by_newer_points_too_where_what_it_read_can_be_read() -> None:
    testing = split_of([point(one) for one in range(4)], [0, 3, 4, 5])
    mask = unseen_mask(testing, lineage(strategy="Stratified"), lambda: frozenset({point(2)}))

    assert mask.tolist() == [True, True, False, True]


def test_a_time_split_counts_the_points_from_the_end_of_training_on() -> None:
    times = np.array(["2026-01-31T23:59:59", "2026-02-01T00:00:00", "NaT", "2026-03-01"], dtype="datetime64[us]")
    testing = split_of([point(one) for one in range(4)], times=times)

    mask = unseen_mask(testing, lineage(strategy="Time", trained_until="2026-02-01T01:00:00+01:00"))
    assert mask.tolist() == [False, True, False, True]


@pytest.mark.parametrize(("tables", "counted"), [({2}, [True, True, False]), (None, [True, False, False])])
def test_a_point_that_has_changed_its_group_since_is_seen_if_the_model_read_it(
    tables: set[int] | None, counted: list[bool]
) -> None:
    testing = split_of([point(one) for one in range(3)], [3, 4, 4], group=("who",), groups=[point(9)] * 3)
    origin = lineage(strategy="Group", group=("who",), testing_share=1.0)

    mask = unseen_mask(testing, origin, lambda: None if tables is None else frozenset(map(point, tables)))
    assert mask.tolist() == counted


@pytest.mark.parametrize(("tables", "counted"), [({2}, [True, True, False]), (None, [True, False, False])])
def test_a_point_that_has_changed_its_time_since_is_seen_if_the_model_read_it(
    tables: set[int] | None, counted: list[bool]
) -> None:
    times = np.array(["2026-03-01"] * 3, dtype="datetime64[us]")
    testing = split_of([point(one) for one in range(3)], [3, 4, 4], times=times)
    origin = lineage(strategy="Time", trained_until="2026-02-01")

    mask = unseen_mask(testing, origin, lambda: None if tables is None else frozenset(map(point, tables)))
    assert mask.tolist() == counted


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"storage": "file:///elsewhere"}, "another storage"),
        ({"key": ("id", "month")}, r"key id \+ month, and the key is now id"),
        ({"hashing": 1}, "another version of Penstock, which drew its points by another hash"),
        ({"identity": ("id String",)}, "identified by id String, and they are now by id Integer"),
        ({"strategy": "Group", "group": ("customer",)}, "groups by customer"),
        ({"strategy": "Time", "trained_until": "2026-01-01"}, "knows no time"),
    ],
)
def test_points_with_other_identities_are_not_comparable(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(NotComparable, match=sentence):
        unseen_mask(split_of([point(1)], identity=("id Integer",)), lineage(**changes))


def test_without_a_key_points_of_another_epoch_cannot_be_told_apart() -> None:
    with pytest.raises(NotComparable, match="Without key columns"):
        unseen_mask(split_of([point(1)], key=(), epoch=2), lineage(key=()))


def test_a_point_older_than_the_groups_is_seen_unless_it_was_in_testing_already() -> None:
    testing = split_of([point(1), point(2)], [3, 4], group=("customer",), groups=[None, None])
    mask = unseen_mask(testing, lineage(strategy="Group", group=("customer",), testing_share=1.0))

    assert mask.tolist() == [True, False]


def test_a_final_slash_does_not_make_another_storage() -> None:
    assert unseen_mask(split_of([point(1)]), lineage(storage="file:///storage/")).all()
