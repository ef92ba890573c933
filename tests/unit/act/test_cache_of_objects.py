"""What the operator holds of the cluster."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from penstock.act.cache import ObjectCache
from penstock.act.view import index_keys, of_pipeline, of_run
from penstock.kubernetes.kinds import Key, Object, key_of
from unit.act.shell_parts import make_child, make_run


def _stored(made: Object, uid: str, version: int) -> Object:
    return made | {"metadata": made["metadata"] | {"uid": uid, "resourceVersion": str(version)}}


def _run(version: int, uid: str = "u1", name: str = "churn-1", **status: Any) -> Object:
    return _stored(make_run(name, **status), uid, version)


KEY = Key("PipelineRun", "team", "churn-1")

# A history of one name: made, changed, deleted, made again, and so on; the version counts over all of it.
HISTORIES = st.lists(st.sampled_from(["change", "delete"]), max_size=12)


def _states(history: list[str]) -> list[tuple[str, Object]]:
    """Return the watch events of a history, in the order of their versions."""
    events, uid, there = [], 0, False
    for version, step in enumerate(history, start=1):
        if step == "delete" and there:
            events.append(("DELETED", _run(version, f"u{uid}")))
            there = False
        elif step == "change":
            uid += 0 if there else 1
            there = True
            events.append(("MODIFIED", _run(version, f"u{uid}", startTime=f"at {version}")))
    return events


def _take_in(cache: ObjectCache, event: tuple[str, Object]) -> None:
    kind, found = event
    if kind == "DELETED":
        cache.leave_tombstone(key_of(found), found["metadata"]["uid"], int(found["metadata"]["resourceVersion"]))
    else:
        cache.put(found)


@given(HISTORIES, st.data())
def test_events_lost_doubled_and_reordered_never_bring_back_what_is_older(
    history: list[str], data: st.DataObject
) -> None:
    events = _states(history)
    cache = ObjectCache(index_keys)
    gone: set[str] = set()
    held: Object | None = None
    for event in data.draw(st.lists(st.sampled_from(events), max_size=30) if events else st.just([])):
        before = held
        _take_in(cache, event)
        if event[0] == "DELETED":
            gone.add(event[1]["metadata"]["uid"])
        held = cache.get(KEY)
        assert held is None or held["metadata"]["uid"] not in gone
        if before is not None and held is not None:
            assert int(held["metadata"]["resourceVersion"]) >= int(before["metadata"]["resourceVersion"])


@given(HISTORIES, st.data())
def test_whatever_was_missed_a_list_makes_it_right(history: list[str], data: st.DataObject) -> None:
    events = _states(history)
    cache = ObjectCache(index_keys)
    for event in data.draw(st.lists(st.sampled_from(events), max_size=30) if events else st.just([])):
        _take_in(cache, event)

    now = [events[-1][1]] if events and events[-1][0] == "MODIFIED" else []
    for found in now:
        cache.put(found)
    for key, uid in cache.missing("PipelineRun", None, {key_of(found) for found in now}, str(len(history))):
        cache.leave_tombstone(key, uid)

    assert cache.get(KEY) == (now[0] if now else None)


def test_what_left_the_watched_labels_and_came_back_is_there_again() -> None:
    cache = ObjectCache(index_keys)
    cache.put(_run(3))
    cache.leave_tombstone(KEY, "u1", 4)
    assert not cache.put(_run(4))

    assert cache.put(_run(5))
    assert cache.get(KEY) is not None


def test_what_was_deleted_by_us_never_comes_back() -> None:
    cache = ObjectCache(index_keys)
    cache.put(_run(3))
    cache.leave_tombstone(KEY, "u1")

    assert not cache.put(_run(9))


def test_what_a_list_from_before_our_own_write_does_not_hold_stays() -> None:
    cache = ObjectCache(index_keys)
    cache.put(_run(10))

    assert cache.missing("PipelineRun", None, set(), "9") == []


def test_a_list_of_one_namespace_says_nothing_of_another() -> None:
    cache = ObjectCache(index_keys)
    cache.put(_run(1))

    assert cache.missing("PipelineRun", "other", set(), "9") == []
    assert cache.missing("PipelineRun", "team", set(), "9") == [(KEY, "u1")]


def test_a_new_version_of_the_same_content_is_no_news_but_is_the_version_to_write_on() -> None:
    cache = ObjectCache(index_keys)
    cache.put(_run(1))

    assert not cache.put(_run(2))
    held = cache.get(KEY)
    assert held is not None
    assert held["metadata"]["resourceVersion"] == "2"


def test_nobody_can_change_what_is_held() -> None:
    cache = ObjectCache(index_keys)
    cache.put(_run(1, startTime="before"))
    held = cache.get(KEY)
    assert held is not None
    held["status"]["startTime"] = "changed"

    assert cache.get(KEY) == _run(1, startTime="before")


def test_managed_fields_and_what_kubectl_leaves_are_not_kept() -> None:
    cache = ObjectCache(index_keys)
    found = _run(1)
    found["metadata"] |= {
        "managedFields": [{"manager": "kubectl"}],
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "mine": "yes"},
    }
    cache.put(found)

    held = cache.get(KEY)
    assert held is not None
    assert "managedFields" not in held["metadata"]
    assert held["metadata"]["annotations"] == {"mine": "yes"}


def test_of_a_pod_only_what_decisions_read_is_kept() -> None:
    cache = ObjectCache(index_keys)
    pod = make_child(
        "Pod", "p", _run(1), spec={"nodeName": "n", "containers": [{"env": []}]}, status={"phase": "Running"}
    )
    cache.put(_stored(pod, "p1", 3))

    held = cache.get(Key("Pod", "team", "p"))
    assert held is not None
    assert held["spec"] == {"nodeName": "n"}
    assert held["status"] == {"phase": "Running"}


def test_objects_are_found_by_their_run_and_their_pipeline() -> None:
    cache = ObjectCache(index_keys)
    run = _run(1)
    cache.put(run)
    cache.put(_run(2, "u2", "churn-2"))
    job = _stored(make_child("Job", "j", run, spec={}, status={}), "j1", 3)
    cache.put(job)

    assert [each["metadata"]["name"] for each in cache.by_index(of_run("u1"), "Job")] == ["j"]
    others = cache.by_index(of_pipeline("PipelineRun", "team", "churn"), without="u1")
    assert [each["metadata"]["name"] for each in others] == ["churn-2"]
    cache.leave_tombstone(Key("Job", "team", "j"), "j1")
    assert list(cache.by_index(of_run("u1"), "Job")) == []


def test_an_object_takes_a_fraction_of_its_size() -> None:
    cache = ObjectCache(index_keys)
    pod = make_child("Pod", "p", _run(1), spec={"containers": [{"name": "x" * 5000}]}, status={"message": "m" * 2000})
    cache.put(_stored(pod, "p1", 3))

    held = sum(len(entry.content) for entry in cache._entries.values())
    assert held < len(json.dumps(pod)) / 10
