"""Points whose key or group is missing: each is a point and a group of its own, or is refused."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import DatasetResult
from penstock_jobs.contract.specification import SplitSpec
from penstock_jobs.dataset.draw import draw, threshold
from penstock_jobs.dataset.encoding import identity
from unit.dataset.dataset_making import Row, make_dataset, rows, shuffle_rows, sides

GROUPED = SplitSpec(testing=0.3, strategy="Group", group_columns=("who",))


def without_group(count: int, every: int) -> list[Row]:
    return [{**row, "who": None if row["id"] % every == 0 else row["who"]} for row in rows(count)]


def remarks(result: DatasetResult) -> dict[str, str]:
    return {remark.code: remark.message for remark in result.remarks}


def test_points_without_a_group_are_on_both_sides_each_by_its_own_draw(tmp_path: Path) -> None:
    result = make_dataset(tmp_path, without_group(300, 3), split=GROUPED)

    alone = {number for number in range(300) if number % 3 == 0}
    drawn = {n for n in alone if draw("testing", "penstock", 1, identity([None, n])) < threshold(0.3)}
    assert sides(tmp_path, result)["testing"] & alone == drawn
    assert 15 < len(drawn) < 45  # of 100, were they one group, all or none
    assert result.leak_proof.groups_in_common == 0


def test_how_many_points_have_no_group_is_said_with_the_way_out(tmp_path: Path) -> None:
    result = make_dataset(tmp_path, without_group(300, 3), split=GROUPED)

    remark = next(each for each in result.remarks if each.code == "NullGroups")
    assert remark.column == "who"
    assert remark.message.startswith("100 rows have no group (who); each of them is a group of its own")


def test_of_groups_that_are_all_there_nothing_is_said(tmp_path: Path) -> None:
    assert "NullGroups" not in remarks(make_dataset(tmp_path, rows(300), split=GROUPED))


def test_a_group_with_one_of_its_columns_missing_stays_together(tmp_path: Path) -> None:
    table = [{**row, "house": None} for row in rows(300)]
    result = make_dataset(
        tmp_path, table, split=SplitSpec(testing=0.3, strategy="Group", group_columns=("who", "house"))
    )
    groups = sides(tmp_path, result, "who")
    assert not groups["testing"] & (groups["training"] | groups["validation"])
    assert "NullGroups" not in remarks(result)


def test_rows_without_a_key_are_refused_with_their_number_and_the_first(tmp_path: Path) -> None:
    table = [{**row, "id": None if row["id"] in (7, 9) else row["id"]} for row in rows(90)]
    with pytest.raises(Refused, match=r"The key \(id\) is missing in 2 rows, first in row 8.*leave those rows out"):
        make_dataset(tmp_path, table)


def test_a_key_of_which_a_part_is_missing_is_a_key_and_it_is_said(tmp_path: Path) -> None:
    table = [{**row, "word": None if row["id"] < 3 else "there"} for row in rows(90)]
    result = make_dataset(tmp_path, table, key=("id", "word"))

    assert result.training.rows + result.validation.rows + result.testing.rows == 90
    assert remarks(result)["NullKeys"].startswith("3 rows have no value in a part of the key (id, word)")
    assert next(each for each in result.remarks if each.code == "NullKeys").column == "word"


@given(every=st.integers(2, 5), count=st.integers(80, 120), seed=st.integers(0, 99))
@settings(
    max_examples=3,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_point_without_a_group_stays_where_it_is_when_others_come(
    tmp_path_factory: pytest.TempPathFactory, every: int, count: int, seed: int
) -> None:
    home = tmp_path_factory.mktemp("alone")
    before = sides(home, make_dataset(home, without_group(count, every), "one", split=GROUPED))
    more = shuffle_rows(without_group(count + 60, every), seed)
    after = sides(home, make_dataset(home, more, "two", split=GROUPED))
    for side in ("testing", "validation", "training"):
        assert {number for number in after[side] if number < count} == before[side]
