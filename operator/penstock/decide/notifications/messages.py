"""The sentences that people are told by notifications, and those about who could not be told."""


def notification_failed(event: str, notification: str, why: str) -> str:
    """Somebody who asked to be told is not told."""
    return f"The event {event} was not delivered to the notification {notification}: {why}"


def not_told_in_time(why: str | None) -> str:
    """An event is too old to be told."""
    return "it could not be within a day" + (f": {why}" if why else ".")


def too_many_events() -> str:
    """A status has no more room for events that nobody has taken."""
    return "too many newer events wait to be delivered."


def no_such_notification() -> str:
    """Nobody is to be told any more."""
    return "there is no notification of that name any more."


def run_succeeded_event(run: str, pipeline: str, decision: str | None) -> str:
    """A run ended well."""
    return f"The run {run} of the Pipeline {pipeline} succeeded." + (f" {decision}" if decision else "")


def run_failed_event(run: str, pipeline: str, step: str | None, reason: str) -> str:
    """A run failed; why, in a sentence, is not for everybody to read."""
    at = f" in its {step} step" if step else ""
    return f"The run {run} of the Pipeline {pipeline} failed{at}: {reason}. penstock describe {run} says more."


def run_cancelled_event(run: str, pipeline: str) -> str:
    """A run was cancelled."""
    return f"The run {run} of the Pipeline {pipeline} was cancelled."


def trigger_stopped_event(trigger: str, pipeline: str, reason: str, run: str | None) -> str:
    """A Trigger starts no more runs."""
    after = f" after the run {run} failed" if run else ""
    return (
        f"The Trigger {trigger} of the Pipeline {pipeline} has stopped{after}: {reason}. penstock describe "
        f"trg/{trigger} says more."
    )


def model_event(event: str, model: str, pipeline: str, run: str | None, reason: str | None) -> str:
    """Something was decided of a Model, or came of it."""
    what = {
        "ModelSelected": "was selected to be served by",
        "ModelServed": "is served by",
        "ModelSentBack": "was selected, and is not served by",
        "ModelRefused": "was not selected to be served by",
    }[event]
    of = f" of the run {run}" if run else ""
    return f"The Model {model}{of} {what} the Pipeline {pipeline}" + (f": {reason.rstrip('.')}." if reason else ".")
