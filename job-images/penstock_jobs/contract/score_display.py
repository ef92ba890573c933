"""How a score is shown, wherever it is: the terminal, the report, the sentences of the gate.

Scores are greater-is-better inside (scikit-learn's scale). People see an error as a positive number that should be
small, with ↓; anything else with ↑. Over several classes the average is named.
"""

import re
from dataclasses import dataclass

from penstock_jobs.contract.result import ScoreResult

_AVERAGED = {"average_precision", "f1", "jaccard", "precision", "recall", "roc_auc"}
_RANKING = {"average_precision", "roc_auc"}
_SUFFIX = re.compile("_(?P<versus>ovr|ovo)?_?(?P<average>macro|micro|weighted)?$")
_VERSUS = {"ovr": "one-vs-rest", "ovo": "one-vs-one"}
_BY_LABEL = {"accuracy", "balanced_accuracy", "f1", "jaccard", "matthews_corrcoef", "precision", "recall"}
_OF_POSITIVE = {"average_precision", "f1", "jaccard", "precision", "recall"}


@dataclass(frozen=True)
class ScoreDisplay:
    """How the scores of one scoring function are shown.

    Attributes:
        name: of the scoring function, as the manifest has it.
        error: whether people see it as an error.
        average: how the scores of the classes became one, in words; empty where there is nothing to average.
    """

    name: str
    error: bool
    average: str = ""

    @property
    def title(self) -> str:
        """The name as people see it, with its average."""
        return self.name.removeprefix("neg_") + (f" ({self.average})" if self.average else "")

    @property
    def label(self) -> str:
        """The name, and in which direction it gets better."""
        return f"{self.title} {'↓' if self.error else '↑'}"

    def value(self, value: float) -> float:
        """Return the number that people see."""
        return (-value if self.error else value) + 0.0

    def ends(self, low: float | None, high: float | None) -> tuple[float | None, float | None]:
        """Return the ends of an interval as people see them, the lower one first."""
        if low is None or high is None:
            return None, None
        return (self.value(high), self.value(low)) if self.error else (low, high)


def display_of(score: ScoreResult) -> ScoreDisplay:
    """Return how a score is shown, by what goes with it."""
    return ScoreDisplay(score.name, is_shown_as_error(score.name, score.greater_is_better), score.average)


def is_shown_as_error(name: str, greater_is_better: bool = True) -> bool:
    """Return whether people see this score as an error; `greater_is_better` is what the user said of one's own."""
    return name.startswith("neg_") or not greater_is_better


def average_words(name: str, classes: int, average: str | None = None) -> str:
    """Return how scikit-learn's function of that name makes one score of several classes, empty where it need not.

    Args:
        name: of the scoring function.
        classes: how many there are; 0 in a regression.
        average: what the manifest asks for.
    """
    base, versus, suffix = _split(name)
    if base not in _AVERAGED:
        return ""
    chosen = average or suffix
    if base in _RANKING:
        if classes <= 2:
            return ""
        return f"{chosen or 'macro'}, {_VERSUS[versus or 'ovr']}"
    if chosen is None:
        chosen = "macro" if classes > 2 else "binary"
    return "" if chosen == "binary" else chosen


def depends_on_positive(name: str, classes: int, average: str | None = None) -> bool:
    """Return whether the score would be another one if the other of two classes were the positive one."""
    return classes == 2 and _split(name)[0] in _OF_POSITIVE and not average_words(name, classes, average)


def depends_on_threshold(name: str) -> bool:
    """Return whether the score is of the classes that are predicted, and so depends on where they are cut."""
    return _split(name)[0] in _BY_LABEL


def _split(name: str) -> tuple[str, str | None, str | None]:
    found = _SUFFIX.search(name)
    if found is None or name[: found.start()] not in _AVERAGED:
        return name, None, None
    return name[: found.start()], found["versus"], found["average"]
