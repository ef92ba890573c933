"""What the receiver knows of the cluster without asking: the Triggers, and how many runs of each wait to begin."""

from collections import Counter
from collections.abc import Sequence

from penstock.decide.trigger.own_runs import trigger_of
from penstock.kubernetes.kinds import Object


class TriggerStore:
    """The Triggers, as the API server has them."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, str], Object] = {}

    def get(self, namespace: str, name: str) -> Object | None:
        """Return the Trigger, or None where there is none that stays."""
        found = self._held.get((namespace, name))
        return None if found is None or found["metadata"].get("deletionTimestamp") else found

    def replace(self, namespace: str | None, found: Sequence[Object]) -> None:
        """Hold exactly these, of the namespace or of all."""
        self._held = {key: each for key, each in self._held.items() if namespace not in (None, key[0])}
        for each in found:
            self.put(each)

    def put(self, found: Object) -> None:
        """Take in a Trigger that is new or has changed."""
        found.pop("status", None)  # nothing here looks at it
        self._held[_key(found)] = found

    def remove(self, found: Object) -> None:
        """Forget a Trigger that is gone."""
        self._held.pop(_key(found), None)


class PendingRuns:
    """The runs that wait for their Trigger to let them begin, by the Trigger's uid.

    What the watch says is counted, and what was asked for and the watch has not told of yet. An answer to a request is
    not taken in: the watch may have told already that the run began.
    """

    def __init__(self) -> None:
        self._trigger: dict[tuple[str, str], str] = {}
        self._reserved: dict[tuple[str, str], str] = {}
        self._count: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._trigger) + len(self._reserved)

    def count(self, trigger_uid: str) -> int:
        """Return how many runs of that Trigger wait."""
        return self._count[trigger_uid]

    def reserve(self, made: Object) -> bool:
        """Count a run that is about to be made; return whether it was not counted before."""
        key = _key(made)
        if key in self._trigger or key in self._reserved:
            return False
        self._add(self._reserved, key, str(trigger_of(made)))
        return True

    def release(self, made: Object) -> None:
        """Count a run no more that was reserved and not made."""
        self._drop(self._reserved, _key(made))

    def replace(self, namespace: str | None, found: Sequence[Object]) -> None:
        """Hold exactly these, of the namespace or of all."""
        for counted in (self._trigger, self._reserved):
            for key in [each for each in counted if namespace in (None, each[0])]:
                self._drop(counted, key)
        for each in found:
            self.put(each)

    def put(self, found: Object) -> None:
        """Take in a run; one that does not wait is none of these."""
        self.remove(found)
        spec = found.get("spec") or {}
        uid = trigger_of(found)
        if uid and spec.get("suspend") and not spec.get("cancel"):
            self._add(self._trigger, _key(found), uid)

    def remove(self, found: Object) -> None:
        """Forget a run that is gone, or that its Trigger has decided about."""
        for counted in (self._trigger, self._reserved):
            self._drop(counted, _key(found))

    def _add(self, counted: dict[tuple[str, str], str], key: tuple[str, str], uid: str) -> None:
        counted[key] = uid
        self._count[uid] += 1

    def _drop(self, counted: dict[tuple[str, str], str], key: tuple[str, str]) -> None:
        uid = counted.pop(key, None)
        if uid is not None:
            self._count[uid] -= 1
            if not self._count[uid]:
                del self._count[uid]


def _key(found: Object) -> tuple[str, str]:
    return found["metadata"]["namespace"], found["metadata"]["name"]
