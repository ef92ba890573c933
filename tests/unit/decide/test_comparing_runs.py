"""Two runs beside each other: what is known to be the same, what is gone, and which scores may be compared."""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given

from penstock.api.run import PipelineRun
from penstock.decide.commands.compare_runs import compare_runs
from penstock.decide.commands.compare_specs import FieldDifference
from penstock.decide.commands.run_evidence import RunEvidence
from penstock_jobs.contract.result import ScoreResult
from unit.decide.runs_to_compare import ROC, dataset, evidence, outcome_of_test, runs

COST = {"scoring": [{"name": "cost", "function": "mine.cost"}]}
OF_COST = ScoreResult("cost", -1.5)


@given(one=runs)
def test_a_run_never_differs_from_itself(one: RunEvidence) -> None:
    found = compare_runs(one, one)

    assert found.first == found.second
    assert found.spec in ((), None)
    assert found.request == ()
    assert all(each.equal is not False for each in found.tables)


@given(one=runs, other=runs)
def test_the_two_swapped_give_the_same_with_the_columns_swapped(one: RunEvidence, other: RunEvidence) -> None:
    found, swapped = compare_runs(one, other), compare_runs(other, one)

    assert (swapped.first, swapped.second) == (found.second, found.first)
    assert set(swapped.gaps) == set(found.gaps)
    assert swapped.tables == found.tables
    assert [(each.path, each.first, each.second) for each in swapped.spec or ()] == [
        (each.path, each.second, each.first) for each in found.spec or ()
    ]
    for name in ("validation", "testing"):
        ways = [getattr(each, name) for each in (found, swapped)]
        assert (ways[0] is None) == (ways[1] is None)
        assert ways[0] is None or (ways[0].comparable, set(ways[0].excluded)) == (
            ways[1].comparable,
            set(ways[1].excluded),
        )


@given(one=runs, other=runs)
def test_scores_of_different_testing_versions_are_never_compared(one: RunEvidence, other: RunEvidence) -> None:
    found = compare_runs(one, other)
    sets = [each and (each.epoch, each.version, each.digest) for each in (found.first.testing, found.second.testing)]

    assert sets[0] == sets[1] or found.testing is None or not found.testing.comparable


@given(one=runs, other=runs)
def test_what_is_missing_is_always_told(one: RunEvidence, other: RunEvidence) -> None:
    found = compare_runs(one, other)
    complete = all(each.spec is not None and each.run.status is not None for each in (one, other))

    assert found.gaps or (complete and found.first.ended and found.second.ended)


def test_both_with_the_same_testing_version_may_be_compared() -> None:
    found = compare_runs(evidence("one"), evidence("other")).testing

    assert found is not None
    assert found.holds_for("roc_auc")
    assert found.reason.startswith("Both were tested on testing set 0, version 3, the same rows: the scores may be com")


def test_another_version_is_said_with_both_and_is_not_ranked_even_where_the_rows_are_the_same() -> None:
    found = compare_runs(evidence("one"), evidence("other", tested=outcome_of_test(version=4))).testing

    assert found is not None
    assert not found.holds_for("roc_auc")
    assert found.reason == (
        "one was tested on testing set 0, version 3, other on testing set 0, version 4: scores of different testing "
        "versions are never ranked together, not even where the rows are the same."
    )


def test_one_version_of_two_tables_is_not_one_testing_set() -> None:
    found = compare_runs(evidence("one"), evidence("other", tested=outcome_of_test(digest="other"))).testing

    assert found is not None
    assert not found.comparable
    assert "the rows of the two differ" in found.reason


def test_a_model_that_may_not_be_judged_by_all_points_is_not_ranked_with_others() -> None:
    nine = evidence("other", tested=outcome_of_test(points=9))

    for first in (evidence("one"), evidence("one", tested=outcome_of_test(points=9))):
        found = compare_runs(first, nine).testing

        assert found is not None
        assert not found.comparable
        assert "by 9 of its 10 points" in found.reason


def test_another_target_is_another_question() -> None:
    target = {
        "inputs": [{"name": "customers", "uri": "s3://lake/customers.parquet"}],
        "target": {"column": "left", "positive": "no"},
        "task": "Classification",
        "key": ["customer_id"],
    }

    found = compare_runs(evidence("one"), evidence("other", dataset=target)).testing

    assert found is not None
    assert not found.comparable
    assert "dataset.target.positive" in found.reason


@pytest.mark.parametrize(
    ("commits", "alike"),
    [(("a", "a"), True), (("a", "b"), False), (("a-dirty", "a-dirty"), False), ((None, None), False)],
)
def test_a_function_of_ones_own_is_the_same_only_at_one_commit(commits: tuple[str, str], alike: bool) -> None:
    one, other = (
        evidence(name, commit=commit, testing=COST, tested=outcome_of_test(scores=(ROC, OF_COST)))
        for name, commit in zip(("one", "other"), commits, strict=True)
    )

    found = compare_runs(one, other).testing

    assert found is not None
    assert found.holds_for("roc_auc")
    assert found.holds_for("cost") == alike
    assert ("cost: not known to be the same function" in found.reason) != alike


def test_without_a_snapshot_nothing_is_ranked_and_it_is_said() -> None:
    found = compare_runs(evidence("one"), evidence("other", left="status results"))

    assert found.spec is None
    assert found.gaps == ("The snapshot of other is gone, so what its Pipeline was is not compared.",)
    assert found.testing is not None
    assert not found.testing.comparable


def test_a_run_without_a_status_is_told_by_its_results() -> None:
    whole, lost = evidence("one"), evidence("one", left="snapshot results")

    found = compare_runs(evidence("other"), lost)

    assert found.gaps == ("The status of churn-one is lost; what its snapshot and its results hold is compared.",)
    assert found.second.dataset == compare_runs(whole, whole).first.dataset
    assert found.second.testing == compare_runs(whole, whole).first.testing


def test_a_run_whose_results_are_gone_is_told_by_its_status() -> None:
    whole = compare_runs(evidence("one"), evidence("one")).first
    bare = compare_runs(evidence("one", left="snapshot status"), evidence("one")).first

    assert bare.dataset == whole.dataset
    assert bare.training == whole.training
    assert bare.testing == whole.testing


def test_a_run_that_goes_on_is_said_to() -> None:
    found = compare_runs(evidence("one"), evidence("other", state="Unknown"))

    assert found.gaps == ("other has not ended (Running): what it has come to so far is compared.",)


def test_a_run_that_has_not_begun_is_said_not_to_have() -> None:
    found = compare_runs(evidence("one"), evidence("other", state="Unknown", steps=False, left=""))

    assert found.gaps == ("churn-other has not begun (Running), so there is nothing of it to compare.",)


def test_a_snapshot_that_cannot_be_read_is_told_in_its_own_sentence() -> None:
    one = replace(evidence("one", left="status results"), unread={"snapshot": "It is of a newer version."})

    assert compare_runs(one, evidence("other")).gaps == ("It is of a newer version.",)


def test_equal_digests_are_equal_tables_and_a_table_that_one_lacks_is_neither() -> None:
    found = compare_runs(evidence("one"), evidence("other", made=dataset(training="other")))
    lacking = compare_runs(evidence("one"), evidence("other", left="snapshot"))

    assert [(each.name, each.equal) for each in found.tables] == [
        ("training", False),
        ("validation", True),
        ("testing", True),
    ]
    assert {each.equal for each in lacking.tables} == {None}


def test_validation_scores_of_other_rows_are_not_compared() -> None:
    found = compare_runs(evidence("one"), evidence("other", made=dataset(validation="other"))).validation

    assert found is not None
    assert not found.comparable


def test_one_execution_name_in_two_pipelines_is_told_by_the_names_of_the_runs() -> None:
    one, other = evidence("one"), evidence("one")
    other = replace(other, run=renamed(other, "sales-one"))

    found = compare_runs(one, other)

    assert (found.first.label, found.second.label) == ("churn-one", "sales-one")


def test_overrides_and_fields_that_differ_are_told_with_their_values() -> None:
    override = {"overrides": [{"path": "testing.minimumPoints", "value": 3}]}
    found = compare_runs(evidence("one"), evidence("other", run=override, testing={"minimumPoints": 3}))

    assert [each.path for each in found.second.overrides] == ["testing.minimumPoints"]
    assert [each.path for each in found.spec or ()] == ["testing.minimumPoints"]
    assert isinstance((found.spec or ())[0], FieldDifference)


def renamed(found: RunEvidence, name: str) -> PipelineRun:
    """Return the run as another object of that name."""
    metadata = msgspec.structs.replace(found.run.metadata, name=name, uid="another")
    return msgspec.structs.replace(found.run, metadata=metadata)
