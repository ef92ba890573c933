"""Files that arrive start a run: each version that has settled once, whatever is killed in between."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import Failure
from penstock_jobs.look_memory import LookMemory, remember, take_as_known
from penstock_jobs.looking import look
from unit.trigger.lake_of_files import ROWS, Lake
from unit.trigger.trigger_cluster import BEGIN, OperatorKilled


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    found = Lake(tmp_path)
    found.arrive("old.csv")
    found.settle()
    return found


def test_the_first_look_takes_what_is_there_as_known_and_starts_nothing(lake: Lake) -> None:
    for _ in range(3):
        lake.pass_by()

    assert lake.cluster.created == []
    assert lake.look()["files"] == 1
    assert lake.cluster.ready() == ("True", "Active")
    assert lake.message() == "It looks at the files of the input rows every 5m; it has 1."


def test_a_file_counts_once_two_looks_saw_it_alike(lake: Lake) -> None:
    lake.arrive("new.csv", "a")
    lake.pass_by()
    lake.arrive("new.csv", "ab")
    lake.pass_by()
    assert (lake.cluster.created, lake.look()["unsettled"]) == ([], 1)

    lake.pass_by()
    (name,) = lake.cluster.created
    assert lake.cluster.live() == [name]
    assert lake.cluster.run(name)["spec"]["trigger"]["event"]["source"] == "rows"
    assert lake.cluster.reasons() == [("Fired", "FilesArrived")]
    for _ in range(3):
        lake.pass_by()
    assert lake.cluster.created == [name]


def test_a_file_that_changes_starts_another_run_also_where_it_becomes_what_it_was(lake: Lake) -> None:
    for content in ("changed", "changed again"):
        lake.arrive("old.csv", content)
        lake.pass_by()
        lake.pass_by()
    before = (lake.files / "old.csv").stat()
    memory = LookMemory(begin=1, known={"old.csv": "1 x"})
    once = remember(remember(memory, {"old.csv": "2 y"}, None, lake.cluster.now), {"old.csv": "2 y"}, None, BEGIN)
    assert once.arrival is not None
    dealt = once.arrival.id
    again = remember(remember(once, {"old.csv": "1 x"}, dealt, BEGIN), {"old.csv": "1 x"}, dealt, BEGIN)

    assert before.st_size == len("changed again")
    assert len(set(lake.events())) == 2
    assert again.arrival is not None
    assert again.arrival.id != dealt


def test_a_volume_that_is_away_for_a_while_is_no_news(lake: Lake) -> None:
    (lake.files / "old.csv").rename(lake.files.parent / "old.csv")
    lake.pass_by()
    lake.pass_by()
    (lake.files.parent / "old.csv").rename(lake.files / "old.csv")
    for _ in range(3):
        lake.pass_by()

    assert lake.cluster.created == []


def test_expressions_see_how_many_files_arrived_and_the_first_names(tmp_path: Path) -> None:
    parameters = [{"name": "files", "expression": "string(event.data.count) + ' ' + event.data.names[0]"}]
    lake = Lake(tmp_path, filter="event.data.count > 1", parameters=parameters)
    lake.settle()
    lake.arrive("a.csv")
    lake.pass_by()
    lake.pass_by()
    assert lake.cluster.reasons() == [("Skipped", "Filtered")]

    for name in "bc":
        lake.arrive(f"{name}.csv")
    lake.pass_by()
    lake.pass_by()
    (name,) = lake.cluster.created
    assert lake.cluster.run(name)["spec"]["parameters"] == [{"name": "files", "value": "2 b.csv"}]


def test_files_that_arrive_while_a_run_waits_are_gathered_as_delivery_says(tmp_path: Path) -> None:
    lake = Lake(tmp_path, concurrencyPolicy="Forbid", delivery="Latest")
    lake.settle()
    for name in "abc":
        lake.arrive(f"{name}.csv")
        lake.pass_by()
        lake.pass_by()

    first, second, third = lake.cluster.created
    assert lake.cluster.live() == [first]
    assert lake.cluster.run(second)["spec"]["cancel"]
    assert lake.cluster.run(third)["spec"]["suspend"]


@pytest.mark.parametrize("change", ["edit", "suspend", "again"])
def test_an_edit_a_resume_and_a_new_trigger_of_the_name_begin_from_what_is_there(lake: Lake, change: str) -> None:
    lake.arrive("new.csv")
    lake.pass_by()
    match change:
        case "edit":
            lake.cluster.apply_trigger(**ROWS, concurrencyPolicy="Replace")
        case "suspend":
            lake.cluster.apply_trigger(**ROWS, suspend=True)
            lake.pass_by()
            assert lake.of_kind("Job") == []
            lake.cluster.apply_trigger(**ROWS)
        case "again":
            lake.cluster.delete("triggers", "nightly")
            lake.cluster.apply_trigger(**ROWS)
    lake.settle()
    for _ in range(3):
        lake.pass_by()
    assert lake.cluster.created == []

    lake.arrive("newer.csv")
    lake.pass_by()
    lake.pass_by()
    assert len(lake.cluster.created) == 1


def test_a_status_that_is_lost_fires_what_arrived_meanwhile_and_nothing_else(lake: Lake) -> None:
    lake.arrive("new.csv")
    lake.pass_by()
    lake.pass_by()
    lake.arrive("newer.csv")
    lake.cluster.lose_status()
    lake.restart()
    for _ in range(3):
        lake.pass_by()

    assert len(set(lake.events())) == len(lake.cluster.created) == 2


def test_a_memory_that_is_lost_is_said_and_starts_nothing(lake: Lake) -> None:
    for path in lake.storage.rglob("look-*.json"):
        path.unlink()
    lake.pass_by()

    assert lake.cluster.reasons() == [("Missed", "MemoryLost")]
    assert lake.cluster.created == []


def test_a_look_that_fails_is_said_in_the_words_of_its_job_and_tried_again_after_the_interval(lake: Lake) -> None:
    lake.cluster.now += timedelta(minutes=5)
    lake.operator.settle()
    (job,) = lake.of_kind("Job")
    lake.end(job, Failure(reason="Refused", message="There is no bucket lake at it; make it."))
    assert lake.operator.settle() == pytest.approx(300.0)
    assert lake.cluster.ready() == ("False", "LookFailed")
    assert lake.message() == "The files could not be looked at: There is no bucket lake at it; make it."
    assert lake.of_kind("Job") == []

    lake.pass_by()
    assert lake.cluster.ready() == ("True", "Active")


def test_what_a_pod_says_is_waited_for_also_where_its_job_is_seen_to_be_over_before(lake: Lake) -> None:
    lake.arrive("new.csv")
    lake.pass_by()
    lake.cluster.now += timedelta(minutes=5)
    lake.operator.settle()
    (job,) = lake.of_kind("Job")
    lake.put_pod(job, {"containerStatuses": [{"name": "job", "state": {"running": {}}}]})
    found = lake.look_for(job)
    lake.end(job, None)
    lake.operator.settle()
    assert lake.cluster.created == []

    lake.end(job, found)
    lake.operator.settle()
    assert len(lake.cluster.created) == 1


def test_a_look_that_nobody_heard_is_done_again(lake: Lake) -> None:
    lake.arrive("new.csv")
    lake.pass_by()
    lake.cluster.now += timedelta(minutes=5)
    lake.operator.settle()
    (job,) = lake.of_kind("Job")
    lake.look_for(job)
    lake.end(job, None)
    lake.operator.settle()
    assert lake.cluster.created == []

    lake.pass_by()
    lake.pass_by()
    assert len(lake.cluster.created) == 1


def test_one_job_at_a_time_looks_and_none_is_left(lake: Lake) -> None:
    for _ in range(3):
        lake.cluster.now += timedelta(minutes=5)
        lake.operator.settle()
        lake.operator.settle()
        (job,) = lake.of_kind("Job")
        assert job["metadata"]["ownerReferences"][0]["uid"] == lake.cluster.trigger()["metadata"]["uid"]
        lake.settle()
        assert lake.of_kind("Job") == lake.of_kind("ConfigMap") == []


def test_a_job_has_the_credentials_of_the_input_and_of_the_storage_and_no_others(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.apply_pipeline(credentials={"secretName": "lake-readonly"})
    lake.operator.settle()
    (job,) = lake.of_kind("Job")
    volumes = job["spec"]["template"]["spec"]["volumes"]
    secrets = [each["secret"] for each in volumes if "secret" in each]

    assert secrets == [{"secretName": name, "optional": True} for name in ("lake-readonly", "store")]
    assert lake.asked(job).memory.uri == f"s3://ml-team/churn/triggers/{lake.cluster.trigger()['metadata']['uid']}"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"uri": "s3://lake/{day}/rows.csv"}, "only a run knows, which has a value for day"),
        ({"name": "others"}, "the Pipeline churn has no such input; name others."),
        ({"format": "Delta", "version": 3}, "reads version 3 alone"),
        ({"uri": "/data/rows.csv"}, "a file of the machine that the manifest was written on"),
    ],
)
def test_an_input_that_cannot_be_looked_at_is_refused_until_the_pipeline_changes(
    tmp_path: Path, change: dict[str, Any], sentence: str
) -> None:
    lake = Lake(tmp_path)
    lake.apply_pipeline(**change)
    lake.settle()
    assert lake.cluster.ready() == ("False", "LookFailed")
    assert sentence in lake.message()
    assert lake.of_kind("Job") == []

    lake.apply_pipeline()
    lake.settle()
    assert lake.cluster.ready() == ("True", "Active")


def test_a_look_that_a_quota_refuses_is_said_and_made_when_there_is_room(lake: Lake) -> None:
    lake.operator.jobs_quota = 0
    lake.pass_by()
    assert lake.cluster.ready() == ("False", "QuotaExceeded")
    assert "exceeded quota: jobs" in lake.message()
    before = lake.look()["number"]

    lake.operator.jobs_quota = 10**9
    lake.pass_by(minutes=1)
    assert lake.cluster.ready() == ("True", "Active")
    assert lake.look()["number"] == before + 1


def test_a_look_whose_pod_does_not_begin_says_what_it_waits_for(lake: Lake) -> None:
    lake.cluster.now += timedelta(minutes=5)
    lake.operator.settle()
    (job,) = lake.of_kind("Job")
    unbound = {"type": "PodScheduled", "status": "False", "message": 'persistentvolumeclaim "data" not found'}
    lake.put_pod(job, {"conditions": [unbound]})
    lake.cluster.now += timedelta(minutes=2)
    lake.operator.settle()

    assert lake.cluster.ready() == ("False", "LookFailed")
    assert 'persistentvolumeclaim "data" not found' in lake.message()


def test_an_operator_killed_before_any_write_starts_one_run_for_each_arrival(tmp_path: Path) -> None:
    writes, died = 0, True
    while died:
        lake = Lake(tmp_path / str(writes))
        lake.settle()
        lake.operator.lives = writes
        lake.arrive("one.csv")
        died = sum(killed_while_time_passes(lake) for _ in range(4)) > 0
        assert len(lake.cluster.created) == 1
        assert lake.cluster.counts() == (1, 0, 0)
        writes += 1


def killed_while_time_passes(lake: Lake) -> bool:
    try:
        lake.pass_by()
    except OperatorKilled:
        lake.restart()
        lake.settle()
        return True
    return False


VERSIONS = st.dictionaries(st.sampled_from("abc"), st.sampled_from(["1 x", "2 y"]), max_size=3)


@settings(max_examples=300)
@given(st.lists(st.tuples(VERSIONS, st.booleans(), st.booleans()), max_size=12))
def test_each_settled_version_is_announced_once_whatever_is_killed(
    looks: list[tuple[dict[str, str], bool, bool]],
) -> None:
    """Of each look: what is there, whether its answer gets lost, and whether its announcement is dealt with late."""
    memory = take_as_known(1, {})
    dealt_with: str | None = None
    fired: dict[str, int] = {}
    unhandled = None
    settled: list[str] = []
    before: dict[str, str] = {}
    for listing, lost, late in [*looks, *[(looks[-1][0], False, False)] * 4] if looks else []:
        number = memory.number
        memory = remember(memory, listing, dealt_with, BEGIN)
        if memory.number > number:
            assert memory.arrival is not None
            settled.append(memory.arrival.id)
            assert all(before.get(key) == listing[key] for key in memory.arrival.names)
        before = listing
        unhandled = None if lost else memory.arrival
        if unhandled is not None and unhandled.id != dealt_with and not late:
            fired[unhandled.id] = fired.get(unhandled.id, 0) + 1
            dealt_with = unhandled.id
    assert list(fired) == settled
    assert set(fired.values()) <= {1}
    for key, version in before.items():
        assert memory.known.get(key) == version


def test_a_look_of_an_earlier_spec_that_is_late_changes_nothing(lake: Lake) -> None:
    lake.cluster.now += timedelta(minutes=5)
    lake.operator.settle()
    (late,) = lake.of_kind("Job")
    asked = lake.asked(late)
    lake.cluster.apply_trigger(**ROWS, concurrencyPolicy="Replace")
    lake.settle()
    here = msgspec.structs.replace(asked.memory, uri=(lake.storage / asked.memory.uri[5:]).as_uri())
    there = msgspec.structs.replace(asked.input.location, uri=lake.files.as_uri())
    rows = msgspec.structs.replace(asked.input, location=there)
    with pytest.raises(Refused, match="has changed since this look was asked for"):
        look(msgspec.structs.replace(asked, memory=here, input=rows), lake.cluster.now)
