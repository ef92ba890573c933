"""Every reason that a condition, a step or an Event of Kubernetes gives, and the sentences of Triggers.

A reason is one word for programs and keeps its meaning; a sentence is for people, and may be worded better any day.
Those of all others are in `penstock.decide.messages`. The text beneath a reason is what it means:
`docs/reference/conditions.md` is made of these, section by section.
"""

from collections.abc import Iterable

# --- of a run, on a laptop and on a cluster ---------------------------------------------------------------------------

RUNNING = "Running"
"""A step is at work; the message says which, and how far it is."""
SUCCEEDED = "Succeeded"
"""All jobs of the run succeeded and, where it has the deployment job, its Model is served."""
SERVED_MODEL_KEPT = "ServedModelKept"
"""All jobs of the run succeeded, and the gate kept the Model that was served; the message says why."""
REFUSED = "Refused"
"""The manifest or the data is wrong and will be as wrong next time; the message says what to mend."""
INTERRUPTED = "Interrupted"
"""The run was stopped on a laptop, as by Ctrl-C; the same command takes it up where it was."""
SUPERSEDED = "Superseded"
"""The run was interrupted on a laptop, and another of its name began with a manifest that has changed since."""
UNAVAILABLE = "Unavailable"
"""Something outside, as the storage, did not answer or had no room, more often than it is tried again."""
TIMED_OUT = "TimedOut"
"""The job or the run took longer than its `timeout`."""

# --- of a run that waits on a cluster ---------------------------------------------------------------------------------

PIPELINE_NOT_FOUND = "PipelineNotFound"
"""The Pipeline that the run names is not there yet; the run begins once it is."""
SUSPENDED = "Suspended"
"""`spec.suspend` is true: no further job starts until it is false, and of a Trigger no run."""
EARLIER_RUN = "EarlierRun"
"""Another run of the Pipeline goes first: it makes the tables, or what this run needs of it."""
UNSCHEDULABLE = "Unschedulable"
"""No node takes the pod; the message is the scheduler's own."""
QUEUED = "Queued"
"""The Job is held by a queue, as one of Kueue."""
QUOTA_EXCEEDED = "QuotaExceeded"
"""The quota of the namespace has no room for the Job or its pod now."""
FORBIDDEN = "Forbidden"
"""The API server forbids what the run needs, as a policy on pods; the message is its own. It is tried again."""
IMAGE_NOT_PULLED = "ImageNotPulled"
"""The image cannot be pulled."""
NOT_MOUNTED = "NotMounted"
"""A volume, Secret or ConfigMap cannot be mounted, most often because it is not there yet."""
CONTAINER_NOT_MADE = "ContainerNotMade"
"""The node cannot make the container; the message is the kubelet's own."""
STARTING = "Starting"
"""The pod has its node, or is about to, and its container is not at work yet."""
RETRYING = "Retrying"
"""The job failed for what may pass, and is tried again; the message says when, and how the last try ended."""
DISRUPTED = "Disrupted"
"""The pod was evicted, preempted or lost with its node. Another one takes its place, and no try is counted."""
REPLACED = "Replaced"
"""The Job or its pods are being deleted; others take their place once they are gone."""
PROPOSED = "Proposed"
"""The run proposes its Model, and the Pipeline has yet to decide."""
ROLLING_OUT = "RollingOut"
"""The chosen Model's servers start; the Model served before answers until they are ready."""

# --- of a run that failed or was cancelled on a cluster ---------------------------------------------------------------

CANCELLED = "Cancelled"
"""The run was cancelled by `spec.cancel`."""
INVALID = "Invalid"
"""The API server did not accept the object or one that it needs, or it cannot be read; the message names the field."""
NAME_CONFLICT = "NameConflict"
"""An object that Penstock did not make has the name of one that it needs. It is left alone; delete or rename it."""
PENDING_LIMIT_EXCEEDED = "PendingLimitExceeded"
"""The run waited longer than its `pendingLimit`; the message says what for."""
DEADLINE_EXCEEDED = "DeadlineExceeded"
"""The job was ended from outside, at the ceiling above its own `timeout`."""
RESULT_LOST = "ResultLost"
"""The job succeeded, and its result cannot be read: another pod looks for it in storage, a few times."""
FAILED = "Failed"
"""The job ended with an error that has no reason of its own; the message and the log say more."""
OUT_OF_MEMORY = "OutOfMemory"
"""The container was killed because it used more memory than its limit."""
PIPELINE_DELETED = "PipelineDeleted"
"""The Pipeline was deleted while the run was at work, so nothing serves its Model. The Model is kept."""
MODEL_NOT_READY = "ModelNotReady"
"""The servers of the chosen Model did not become ready, so the Model served before stays."""

# --- of events by HTTP ------------------------------------------------------------------------------------------------

EVENT_REFUSED = "EventRefused"
"""An event for the Trigger could not be processed: its filter or a parameter has no value for it, or the API server
does not accept its run; the message says which. Nothing is kept of it, and who sent it was told: it may be sent
again."""

# --- of a Pipeline ----------------------------------------------------------------------------------------------------

ACCEPTED = "Accepted"
"""Runs can be made of the Pipeline. It has no deployment, so it serves nothing."""
NO_MODEL = "NoModel"
"""No Model has been selected yet; a run with the deployment job selects one."""
MODEL_NOT_FOUND = "ModelNotFound"
"""The Model that is to be served is not there."""
MODEL_SERVED = "ModelServed"
"""The Model is served, and all is as the spec says."""
ROLLOUT_FAILED = "RolloutFailed"
"""The servers of the chosen Model did not become ready; where another Model was served, it still is."""
SELECTED = "Selected"
"""Why a Model is served, where the verdict of its run is no longer known."""

# --- of a Trigger -----------------------------------------------------------------------------------------------------

ACTIVE = "Active"
"""Its moments or events start runs; the message says which comes next."""
NO_MORE_MOMENTS = "NoMoreMoments"
"""All moments that it names are over."""
LOOP = "Loop"
"""Triggers start runs at the ends of each other's runs, in a circle; the message names them."""
FAILURE_LIMIT = "FailureLimit"
"""As many runs as `failureLimit` failed one after the other; it starts none until one succeeds or its spec changes."""
LOOK_FAILED = "LookFailed"
"""The files of the input could not be looked at; the message says why. It is tried again after `interval`."""
SCHEDULED_TIME_UNUSED = "ScheduledTimeUnused"
"""`catchUp` is `All`, and all runs that it makes up for would read the same: the Pipeline uses no `scheduledTime`."""

# --- of a moment or event of a Trigger --------------------------------------------------------------------------------

SCHEDULED = "Scheduled"
"""Its moment came, and its run was made."""
EVENT_RECEIVED = "EventReceived"
"""The event came, and its run begins."""
RUN_ENDED = "RunEnded"
"""A run of the Pipeline that is watched ended, and this one's run begins."""
FILES_ARRIVED = "FilesArrived"
"""Files of the input arrived or changed, and the run for them begins."""
PIPELINE_CHANGED = "PipelineChanged"
"""What the jobs read of the Pipeline's spec changed, and a run was made."""
MODEL_WORSE = "ModelWorse"
"""A test of the Model that is served gave a score beyond the bound, and this one's run begins."""
BY_HAND = "ByHand"
"""A person asked for the run."""
RUN_LIVE = "RunLive"
"""Another run of the Trigger was live, and `concurrencyPolicy` is `Forbid`."""
FILTERED = "Filtered"
"""It does not fulfil the Trigger's `filter`."""
BATCHED = "Batched"
"""The run of an earlier event, which had not begun, takes it as well (`delivery: Batch`)."""
NEWER_EVENT = "NewerEvent"
"""A newer event came before its run began (`delivery: Latest`, or `concurrencyPolicy: Replace`)."""
MISSED = "Missed"
"""It was over before a run could start; the message says which rule leaves it out."""
MEMORY_LOST = "MemoryLost"
"""What the looks at the files remember is gone from the storage: whether files had arrived before, nobody knows."""

# --- what a job says of itself ----------------------------------------------------------------------------------------

STORAGE_CLAIMED = "StorageClaimed"
"""The storage belongs to another Pipeline: a place is for one. Name another place in `spec.storage`."""
EXECUTION_NAME_TAKEN = "ExecutionNameTaken"
"""The storage has files of another run under this name; the run goes on under another one."""

# --- files of what was deleted ----------------------------------------------------------------------------------------

FILES_DELETED = "FilesDeleted"
"""The files of a run or Model that was deleted are deleted too."""
FILES_NOT_DELETED = "FilesNotDeleted"
"""The files of a run or Model that was deleted could not be deleted yet; it is tried again."""

# --- notifications ----------------------------------------------------------------------------------------------------

NOTIFICATION_FAILED = "NotificationFailed"
"""An event could not be delivered to one of the notifications; the message says why. Nothing else is held up by it."""

# --- sentences --------------------------------------------------------------------------------------------------------


def write_refusal_message(kind: str, name: str, message: str) -> str:
    """The API server did not take an object."""
    return f"{kind} {name} was not accepted: {message}"


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
