"""How a score that an object keeps is shown: what goes with it there is less than a result of testing has."""

from collections.abc import Sequence

from penstock.api.model import Model
from penstock_jobs.contract.score_display import ScoreDisplay, average_words, is_shown_as_error


def display_in(model: Model | None, name: str, own_errors: Sequence[str] = ()) -> ScoreDisplay:
    """Return how a score of a Model is shown: by what the Model says of the function, and else by its name.

    Args:
        model: what it is a score of, where that is known.
        name: the scoring function.
        own_errors: those of one's own that are errors.
    """
    said = next((score for score in model.spec.validation_scores if score.name == name), None) if model else None
    error = name in own_errors or (said is not None and said.greater_is_better is False)
    if said is not None:
        average = said.average or ""
    else:
        average = average_words(name, len(model.spec.target.classes)) if model else ""
    return ScoreDisplay(name, is_shown_as_error(name, not error), average)
