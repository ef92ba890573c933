"""What a run asks of the other runs of its Pipeline, and of the Models of its namespace.

There may be thousands of both, and each look at a run must not walk them all. So a run asks questions, which whoever
observes can answer by an index; here they are answered by walking a list.
"""

from collections.abc import Container, Iterable, Iterator, Sequence

from penstock.decide.decision import ApiObject
from penstock.decide.objects.children import RUN_UID


class Models:
    """The Models of a namespace."""

    def __init__(self, models: Sequence[ApiObject] = ()) -> None:
        self._models = models

    def named(self, name: str) -> ApiObject | None:
        """Return the Model of that name."""
        return next((each for each in self._models if each["metadata"]["name"] == name), None)

    def of_run(self, uid: str) -> Iterable[ApiObject]:
        """Return those that the run of that uid made."""
        return [each for each in self._models if (each["metadata"].get("labels") or {}).get(RUN_UID) == uid]

    def made_from(self, storage: str) -> Iterable[ApiObject]:
        """Return those that were made of the tables in that storage, a URI."""
        return [each for each in self._models if storage_of(each) == storage]


class Runs:
    """The other runs of the Pipeline. To walk them is for what happens once in a run."""

    def __init__(self, runs: Sequence[ApiObject] = ()) -> None:
        self._runs = runs

    def __iter__(self) -> Iterator[ApiObject]:
        return iter(self._runs)

    @property
    def live(self) -> Iterable[ApiObject]:
        """Those that have not ended."""
        return [each for each in self._runs if is_live(each)]

    @property
    def names(self) -> Container[str]:
        """The execution names that they have."""
        return frozenset(name for each in self._runs if (name := name_of(each)) is not None)

    def decided(self, epoch: int, digest: str) -> int:
        """Return how many of them have decided by the testing set of that epoch with these rows."""
        return sum(decision_of(each) == (epoch, digest) for each in self._runs)


def storage_of(model: ApiObject) -> str | None:
    """Return the storage, a URI, that holds the tables that a Model was made of."""
    found = ((model.get("spec") or {}).get("lineage") or {}).get("storage")
    return None if found is None else str(found)


def is_live(run: ApiObject) -> bool:
    """Return whether a run has not ended."""
    return not (run.get("status") or {}).get("finished")


def name_of(run: ApiObject) -> str | None:
    """Return the execution name that a run has."""
    found = (run.get("status") or {}).get("executionName")
    return None if found is None else str(found)


def decision_of(run: ApiObject) -> tuple[int, str] | None:
    """Return epoch and digest of the testing set that a run's decision rested on; None where it has not decided."""
    steps = {step.get("name"): step for step in (run.get("status") or {}).get("steps") or ()}
    tested = steps.get("testing", {}).get("testing") or {}
    decided = steps.get("deployment", {}).get("deployment") or {}
    if not decided.get("verdict") or "epoch" not in tested or not tested.get("digest"):
        return None
    return int(tested["epoch"]), str(tested["digest"])
