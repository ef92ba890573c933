"""The operator remembers what there is: what went leaves nothing in its memory, however many there were."""

from collections import Counter, deque
from collections.abc import Iterator
from typing import Any

from unit.decide_run import examples_of_runs as examples
from unit.decide_run.model_cluster import ModelCluster
from unit.decide_run.model_operator import ModelOperator, settle
from unit.decide_run.runs_at_work import TESTED

BOUNDED = "._view.cache._buried"  # tombstones: so many and no more
_OURS = ("penstock.", "prometheus_client.", "unit.decide_run.model_operator")
_NOT_OF_IT = ("cluster", "_api", "_controllers")  # the API server, and once more what the reconciler has


def test_nothing_is_remembered_of_runs_that_are_gone() -> None:
    cluster = ModelCluster()
    cluster.put(examples.pipeline())
    operator = ModelOperator(cluster)
    for number in (1, 2):
        come_and_go(cluster, operator, number)
    before = held(operator)

    for number in (3, 4):
        come_and_go(cluster, operator, number)

    after = held(operator)
    assert {path: size for path, size in after.items() if size > before[path] and path != BOUNDED} == {}


def come_and_go(cluster: ModelCluster, operator: ModelOperator, number: int) -> None:
    """Let a run be done, and all that it left be deleted a day later."""
    name = f"churn-{number}"
    there = set(cluster.objects)
    cluster.put(examples.run(name, f"{number * 11111111}-again", jobs=TESTED))
    settle(cluster, operator, name)
    cluster.advance_clock(90000)
    operator.rest(name)
    for key in set(cluster.objects) - there:
        cluster.remove(key)
    operator.looks()
    operator.work_off()
    assert set(cluster.objects) == there


def held(operator: ModelOperator) -> Counter[str]:
    """Return how much is in each dict, set and list that the operator holds, by the way to it."""
    found: Counter[str] = Counter()
    seen: set[int] = set()

    def walk(path: str, value: Any) -> None:
        if id(value) in seen:
            return
        seen.add(id(value))
        if isinstance(value, dict | set | list | tuple | deque):
            found[path] += len(value)
            for each in value.values() if isinstance(value, dict) else value:
                walk(f"{path}[]", each)
        elif type(value).__module__.startswith(_OURS):
            for name, each in _attributes(value):
                walk(f"{path}.{name}", each)

    walk("", operator)
    return found


def _attributes(value: Any) -> Iterator[tuple[str, Any]]:
    names = [*getattr(value, "__dict__", ()), *(name for kind in type(value).__mro__ for name in _slots(kind))]
    return ((name, getattr(value, name)) for name in names if name not in _NOT_OF_IT and hasattr(value, name))


def _slots(kind: type) -> tuple[str, ...]:
    slots = getattr(kind, "__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)
