"""The sentences of a Trigger: what it waits for, and why an occasion started a run, or did not.

A sentence is for people, and may be worded better any day; the reason beside it keeps its meaning.
"""

from collections.abc import Iterable


def trigger_active(next_moment: str | None) -> str:
    """A Trigger fires."""
    return f"It fires next at {next_moment}." if next_moment else "It waits for its next event."


def trigger_looks(input_name: str, interval: str, files: int | None, unsettled: int) -> str:
    """A Trigger waits for files."""
    if files is None:
        return f"The files of the input {input_name} are looked at for the first time."
    written = f" {unsettled:,} of them may still be written to." if unsettled else ""
    return f"It looks at the files of the input {input_name} every {interval}; it has {files:,}.{written}"


def look_failed(why: str) -> str:
    """A look came to nothing."""
    return f"The files could not be looked at: {why}"


def look_waits(why: str) -> str:
    """The pod of a look does not begin."""
    return f"The look at the files waits: {why}"


def input_awaited(pipeline: str, input_name: str) -> str:
    """There is no Pipeline yet whose input could be looked at."""
    return f"The Pipeline {pipeline} is not there yet; the files of its input {input_name} are looked at once it is."


def memory_lost() -> str:
    """A look found nothing of what those before it had remembered."""
    return "What the looks before remembered is gone from the storage; all files that are there were taken as known."


def trigger_waits(why: str) -> str:
    """A Trigger fires, and something waits for the run before."""
    return f"A run waits to begin until {why} has ended."


def no_model_served(pipeline: str) -> str:
    """There is no Model the score of which a Trigger could look at."""
    return f"The Pipeline {pipeline} serves no Model, so there is no score to look at."


def model_not_tested(model: str) -> str:
    """No run says anything about the Model that a Trigger looks at."""
    return f"No run has tested {model}, which is served, on points newer than it; the jobs dataset and testing do."


def model_on_few_points(model: str, run: str, points: int, least: int) -> str:
    """A score of the served Model says too little."""
    return f"The run {run} tested {model} on {points:,} points newer than it; at least {least:,} are needed."


def model_has_no_score(model: str, run: str, points: int, scoring: str) -> str:
    """A scoring function has no number on so few points, or was not among those of the run."""
    return f"The run {run} tested {model} on {points:,} points newer than it, and {scoring} has no number there."


def model_score(model: str, run: str, points: int, score: str, missed: str | None) -> str:
    """The score of the served Model, and what it is to its bound."""
    said = "within the bound" if missed is None else missed
    return f"By the run {run}, {model} has {score} on {points:,} points newer than it, {said}."


def no_more_moments() -> str:
    """A Trigger whose moments are over."""
    return "All its moments are over; add some to spec.schedule, or delete it."


def trigger_suspended() -> str:
    """A Trigger that a person has stopped."""
    return "It starts nothing until spec.suspend is false, and makes up for nothing that is missed meanwhile."


def trigger_loop(pipelines: Iterable[str]) -> str:
    """Runs would start each other for ever."""
    way = ", then ".join(pipelines)
    return f"Runs would start each other for ever: {way}, and again; remove spec.runs from one of these Triggers."


def failure_limit_reached(limit: int, last: str) -> str:
    """A Trigger has stopped since its runs fail."""
    counted = "Its last run" if limit == 1 else f"The last {limit} of its runs"
    return f"{counted} failed, {last} being the last; mend what they say, then run it by hand, or change its spec."


def scheduled_time_unused(pipeline: str) -> str:
    """To catch up with all makes no sense."""
    return (
        f"catchUp is All, and the Pipeline {pipeline} uses scheduledTime in neither dataset.query nor an input's uri, "
        "so all these runs would read the same; use it there, or set spec.schedule.catchUp to Last."
    )


def fired_on_time() -> str:
    """A moment started its run."""
    return "Its moment came, and its run was made."


def fired_late() -> str:
    """A moment that was missed started its run."""
    return "Its moment was missed, and its run was made later."


def fired_for_event() -> str:
    """An event started its run."""
    return "The event came, and its run begins."


def fired_by_hand(person: str) -> str:
    """A person started the run."""
    return f"{person} asked for it."


def fired_after(run: str) -> str:
    """Another run's end started the run."""
    return f"The run {run} ended."


def fired_for_files(input_name: str) -> str:
    """Files that arrived started the run."""
    return f"Files of the input {input_name} arrived or changed."


def fired_for_pipeline(pipeline: str) -> str:
    """A change of the Pipeline started the run."""
    return f"What its jobs read of the Pipeline {pipeline} changed."


def fired_for_model(model: str, run: str) -> str:
    """A score of the served Model started the run."""
    return f"The score that the run {run} gave the served Model {model} on newer points is beyond the bound."


def replaced_runs(runs: Iterable[str]) -> str:
    """A run takes the place of others."""
    return f" It takes the place of {', '.join(runs)}."


def run_live(run: str) -> str:
    """Another run of the Trigger is live."""
    return f"The run {run} was live, and concurrencyPolicy is Forbid."


def filtered_out() -> str:
    """The filter says no."""
    return "It does not fulfil spec.filter."


def batched(run: str) -> str:
    """Another run takes the event as well."""
    return f"The run {run}, which had not begun, takes it as well."


def newer_event(run: str) -> str:
    """A newer event takes the place of the one that waits."""
    return f"The run {run} is for a newer event, and this one had not begun."


def not_begun(run: str) -> str:
    """A person cancelled a run that waited."""
    return f"Its run {run} was cancelled before it began."


def failure_limit_skips(limit: int) -> str:
    """A Trigger that has stopped starts nothing."""
    return f"As many runs as failureLimit ({limit}) had failed one after the other."


def many_missed(count: int, at_least: bool) -> str:
    """So many moments were missed that they are not listed."""
    return f"{'More than ' if at_least else ''}{count} moments before it were missed as well."
