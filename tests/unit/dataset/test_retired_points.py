"""Time over many nights: what the window leaves behind is learnt from, and no Model is tested on what it saw."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.manifest import Lineage
from penstock_jobs.contract.result import DatasetResult
from penstock_jobs.contract.specification import DatasetJob, SplitSpec
from penstock_jobs.dataset import generate
from penstock_jobs.dataset.proof import SplitLeak
from penstock_jobs.tables.columns import POINT
from penstock_jobs.tables.reading import first_generations, read_frame
from penstock_jobs.testing.comparability import TestingSet as PointsOfTesting
from penstock_jobs.testing.comparability import parse_moment, times_of, unseen_mask
from penstock_jobs.training.loading import load
from penstock_jobs.training.origin import lineage_of
from training_jobs import Tables
from unit.dataset.dataset_making import Row, job, make_dataset, sides, write_csv

DAY = 86400.0
FIRST = date(2026, 1, 1)
FEW = settings(
    max_examples=4,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # each example takes seconds: shrinking would take minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


def window(days: float = 10, **changes: Any) -> SplitSpec:
    return SplitSpec(testing=0.3, strategy="Time", time_column="day", window=days * DAY, **changes)


def nights(days: int, moved: dict[int, int] | None = None, gone: frozenset[int] = frozenset()) -> list[Row]:
    """Return two rows a day from the first day on; some have another day than they had, and some are gone."""
    rows = []
    for number in range(2 * days):
        day = FIRST + timedelta(days=(moved or {}).get(number, number // 2))
        if number not in gone:
            rows.append({"id": number, "day": day.isoformat(), "x": number * 7 % 11, "amount": number * 0.5})
    return rows


def newest(home: Path, result: DatasetResult) -> date:
    days = sides(home, result, "day")
    last: datetime = max(days["training"] | days["validation"])
    return last.date()


def test_every_night_training_learns_of_the_points_that_the_window_left_behind(tmp_path: Path) -> None:
    first = make_dataset(tmp_path, nights(40), "first", split=window())
    later = make_dataset(tmp_path, nights(60), "later", split=window())

    assert newest(tmp_path, later) == newest(tmp_path, first) + timedelta(days=20)
    assert later.training.rows + later.validation.rows == first.training.rows + first.validation.rows + 40
    assert later.retired == later.leak_proof.retired_in_training == 20


def test_with_leave_what_was_testing_once_is_never_trained_on(tmp_path: Path) -> None:
    first = make_dataset(tmp_path, nights(40), "first", split=window(retired="Leave"))
    later = make_dataset(tmp_path, nights(60), "later", split=window(retired="Leave"))

    ever = sides(tmp_path, first)["testing"]
    assert not ever & (sides(tmp_path, later)["training"] | sides(tmp_path, later)["validation"])
    assert (later.retired, later.leak_proof.retired_in_training) == (20, 0)


def test_a_cutoff_that_advances_retires_points_into_training(tmp_path: Path) -> None:
    early = SplitSpec(testing=0.3, strategy="Time", time_column="day", cutoff="2026-02-01")
    late = SplitSpec(testing=0.3, strategy="Time", time_column="day", cutoff="2026-02-15")
    before = sides(tmp_path, make_dataset(tmp_path, nights(60), "early", split=early))
    after = sides(tmp_path, make_dataset(tmp_path, nights(60), "late", split=late))

    assert before["testing"] - after["testing"] <= after["training"] | after["validation"]
    assert len(before["testing"] - after["testing"]) == 28


def test_a_cutoff_that_is_taken_back_brings_no_retired_point_back_into_testing(tmp_path: Path) -> None:
    cutoffs = ["2026-02-01", "2026-02-15", "2026-01-20"]
    splits = [SplitSpec(testing=0.3, strategy="Time", time_column="day", cutoff=cutoff) for cutoff in cutoffs]
    first, second, third = (
        sides(tmp_path, make_dataset(tmp_path, nights(60), f"run-{number}", split=split))
        for number, split in enumerate(splits)
    )
    retired = first["testing"] - second["testing"]
    assert not retired & (third["testing"] | third["training"] | third["validation"])


def test_points_left_alone_so_far_are_trained_on_once_the_manifest_says_so(tmp_path: Path) -> None:
    make_dataset(tmp_path, nights(40), "a", split=window(retired="Leave"))
    left = make_dataset(tmp_path, nights(60), "b", split=window(retired="Leave"))
    trained = make_dataset(tmp_path, nights(60), "c", split=window())

    assert trained.leak_proof.retired_in_training == left.retired == 20


def test_the_proof_compares_training_with_the_testing_points_that_are_not_retired(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_dataset(tmp_path, nights(40), "first", split=window())
    later = make_dataset(tmp_path, nights(60), "later", split=window())

    assert later.leak_proof.compared_testing == later.testing.rows == 20
    assert later.leak_proof.points_in_common == 0
    nobody_retired = "SELECT CAST(NULL AS BLOB) AS _penstock_point LIMIT 0"
    monkeypatch.setattr("penstock_jobs.dataset.proof._retired_query", lambda *_: nobody_retired)
    with pytest.raises(SplitLeak, match="20 points"):
        make_dataset(tmp_path, nights(60), "again", split=window())


def test_a_retired_point_whose_time_is_another_now_is_left_out(tmp_path: Path) -> None:
    make_dataset(tmp_path, nights(40), "first", split=window())
    moved = make_dataset(tmp_path, nights(60, moved={65: 5, 66: 59}), "moved", split=window())

    everywhere = set().union(*sides(tmp_path, moved).values())
    assert {65, 66} & everywhere == set()
    assert moved.left_out == 2


NIGHT = st.fixed_dictionaries(
    {
        "days": st.integers(0, 12),
        "moved": st.dictionaries(st.integers(0, 110), st.integers(0, 70), max_size=12),
        "gone": st.frozensets(st.integers(0, 110), max_size=8),
        "retired": st.sampled_from(["Train", "Train", "Train", "Leave"]),
        "window": st.integers(6, 14),
        "gap": st.integers(0, 2),
    }
)


@dataclass(frozen=True)
class Night:
    """The tables of one night, the lineage of a Model trained on them, and the points that it read."""

    testing: PointsOfTesting
    lineage: Lineage
    read: frozenset[bytes]


def night_of(home: Path, result: DatasetResult, asked: DatasetJob) -> Night:
    data, _ = load(Tables(home, result, asked).job())
    testing = read_frame(result.testing, asked.storage)
    points = list(testing[POINT])
    first = first_generations(result.testing, asked.storage, points)
    origin = PointsOfTesting(
        storage=asked.storage.uri,
        epoch=result.epoch,
        salt=asked.split.salt,
        key=asked.key,
        group=(),
        points=points,
        groups=None,
        generations=np.array([first[point] for point in points], dtype=np.int64),
        times=times_of(testing["day"]),
    )
    read = [
        point for table in (result.training, result.validation) for point in read_frame(table, asked.storage)[POINT]
    ]
    return Night(origin, lineage_of(Tables(home, result, asked).job(), data), frozenset(read))


def begin(history: list[dict[str, Any]], updates: str, home: Path) -> list[Night]:
    """Make the tables of each night and train on them; a night whose tables are refused did nothing."""
    found, days = [], 40
    for number, night in enumerate(history):
        days += night["days"]
        split = window(night["window"], gap=night["gap"] * DAY, retired=night["retired"])
        data = write_csv(home / "input" / f"{number}.csv", nights(days, night["moved"], night["gone"]))
        asked = job(home, data, f"run-{number}", split=split, updates=updates)
        with suppress(Refused):
            found.append(night_of(home, generate(asked), asked))
    return found


@given(history=st.lists(NIGHT, min_size=3, max_size=5), updates=st.sampled_from(["Freeze", "Refresh"]))
@FEW
def test_no_model_of_any_night_is_scored_on_a_point_that_it_read_or_that_is_not_after_it(
    tmp_path_factory: pytest.TempPathFactory, history: list[dict[str, Any]], updates: str
) -> None:
    made = begin(history, updates, tmp_path_factory.mktemp("nights"))
    for tested, trained in product(made, made):  # an older Model on newer points, and a newer one on an older version
        assert trained.lineage.trained_until is not None
        for read in (trained.read, None):  # None: the retention has removed the Model's tables
            mask = unseen_mask(tested.testing, trained.lineage, lambda known=read: known)  # type: ignore[misc]
            scored = {point for point, chosen in zip(tested.testing.points, mask, strict=True) if chosen}
            assert not scored & trained.read
            assert tested.testing.times is not None
            assert (tested.testing.times[mask] >= parse_moment(trained.lineage.trained_until)).all()


@given(history=st.lists(NIGHT, min_size=3, max_size=5), updates=st.sampled_from(["Freeze", "Refresh"]))
@FEW
def test_a_point_that_left_testing_never_comes_back_to_it(
    tmp_path_factory: pytest.TempPathFactory, history: list[dict[str, Any]], updates: str
) -> None:
    ever: set[int] = set()
    retired: set[int] = set()
    for night in begin(history, updates, tmp_path_factory.mktemp("nights")):
        now = set(night.testing.points)
        assert not now & retired
        assert not now & night.read
        ever |= now
        retired |= ever - now
