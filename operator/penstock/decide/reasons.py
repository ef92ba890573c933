"""Every reason that a condition, a step or an Event of Kubernetes gives, and the sentence that goes with it.

A reason is one word for programs and keeps its meaning; a sentence is for people, and may be worded better any day.
The text beneath a reason is what it means: `docs/reference/conditions.md` is made of these, section by section.
"""

from collections.abc import Iterable
from datetime import timedelta

from penstock.api.jobs import job_field
from penstock.api.schema import JobName

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
SCHEDULED_TIME_UNUSED = "ScheduledTimeUnused"
"""`catchUp` is `All`, and all runs that it makes up for would read the same: the Pipeline uses no `scheduledTime`."""

# --- of a moment or event of a Trigger --------------------------------------------------------------------------------

SCHEDULED = "Scheduled"
"""Its moment came, and its run was made."""
EVENT_RECEIVED = "EventReceived"
"""The event came, and its run begins."""
RUN_ENDED = "RunEnded"
"""A run of the Pipeline that is watched ended, and this one's run begins."""
PIPELINE_CHANGED = "PipelineChanged"
"""What the jobs read of the Pipeline's spec changed, and a run was made."""
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

# --- what a job says of itself ----------------------------------------------------------------------------------------

STORAGE_CLAIMED = "StorageClaimed"
"""The storage belongs to another Pipeline: a place is for one. Name another place in `spec.storage`."""
EXECUTION_NAME_TAKEN = "ExecutionNameTaken"
"""The storage has files of another run under this name; the run goes on under another one."""

# --- sentences --------------------------------------------------------------------------------------------------------


def step_runs(step: str, place: int, of: int) -> str:
    """A step is at work."""
    return f"The {step} step is running, {place} of {of}."


def step_waits(step: str, why: str) -> str:
    """A step cannot go on for now."""
    return f"The {step} step waits: {why}"


def step_failed(step: str, why: str) -> str:
    """A step ended otherwise than well, and the run with it."""
    return f"The {step} step failed: {why}"


def pipeline_not_found(name: str) -> str:
    """The Pipeline that a run names is not there yet."""
    return f"There is no Pipeline {name} in this namespace yet; the run begins when it is applied."


def suspension_message(next_step: str | None) -> str:
    """The run starts no further job."""
    then = "starts no further job" if next_step is None else f"does not start its {next_step} step"
    return f"The run is suspended: it {then} until spec.suspend is false."


def earlier_run(run: str) -> str:
    """Dataset steps of one storage come one after the other."""
    return f"Another run of this Pipeline, {run}, makes its tables first; dataset steps come one after the other."


def earlier_result(step: str, needed: str) -> str:
    """Another run is about to make what this one needs."""
    return f"The job {step} needs what {needed} makes, and another run is about to make it."


def missing_result(step: str, needed: str) -> str:
    """Nobody makes what this run needs."""
    return f"The job {step} needs what {needed} makes, and no run has made it; add {needed} to the jobs."


def no_job(pipeline: str) -> str:
    """The Pipeline describes nothing that a run could do."""
    return f"The Pipeline {pipeline} describes no job; add dataset and training, or deployment."


def write_refusal_message(kind: str, name: str, message: str) -> str:
    """The API server did not take an object."""
    return f"{kind} {name} was not accepted: {message}"


def name_conflict(kind: str, name: str) -> str:
    """A stranger's object has the name of one of ours."""
    return f"There is a {kind} {name} that this run did not make; it is left alone. Delete or rename it, and run again."


def no_pod_yet() -> str:
    """The Job controller has not made a pod yet."""
    return "Its Job has no pod yet."


def queue_message(queue: str | None, why: str | None = None) -> str:
    """The Job is held by a queue, for the reason that the queue itself gives."""
    held = f"Its Job waits in the queue {queue}" if queue else "Its Job is suspended"
    return f"{held}: {why}" if why else f"{held}."


def unschedulable(message: str) -> str:
    """No node takes the pod; the scheduler's own sentence."""
    return f"No node takes its pod: {message}"


def starting(node: str | None) -> str:
    """A node makes the container."""
    return f"Its pod starts on the node {node}." if node else "Its pod waits for a node."


def not_started(reason: str, message: str) -> str:
    """A node cannot make the container; the kubelet's own sentence."""
    return (
        f"Its container does not start ({reason}): {message}" if message else f"Its container does not start: {reason}."
    )


def retrying(why: str) -> str:
    """A pod failed, and another one is on its way."""
    return f"It is tried again; the last try ended so: {why}"


def next_try_message(number: int, tries: int, at: str, why: str) -> str:
    """A job failed for what may pass, and is tried again after a while."""
    return f"Try {number} of {tries} begins at {at}; the last one ended so: {why}"


def disruption_message(why: str) -> str:
    """A pod was evicted, preempted or lost with its node."""
    return f"Its pod was taken away ({why}); another one takes its place, and that is not counted as a try."


def stop_request_message() -> str:
    """A pod that nobody evicted was told to end all the same."""
    return "it was told to end, as when somebody deletes it"


def being_deleted(job: str) -> str:
    """A Job that was not done is going away."""
    return f"Its Job {job} is being deleted; another one takes its place."


def pods_ending(count: int) -> str:
    """Pods of a Job that is gone are still ending."""
    return f"{count} of its earlier pods {'is' if count == 1 else 'are'} still ending."


def some_wait(waiting: int, of: int, why: str) -> str:
    """Some workers have no place yet, while others are at work."""
    return f"{waiting} of {of} pods wait: {why}"


def pending_limit_exceeded(limit: str, why: str) -> str:
    """A job waited longer than it may."""
    return f"It waited longer than its pendingLimit of {limit}. {why}"


def run_timed_out(limit: str) -> str:
    """The run as a whole took longer than it may."""
    return f"The run was still going on after its spec.timeout of {limit}; give it more time."


def deadline_exceeded(job: JobName | None) -> str:
    """The ceiling of the Job or the pod was reached, which the job's own timeout should have come before."""
    ended = "It was ended from outside, at a ceiling well above its timeout"
    if job is None:
        return f"{ended}; {_FETCHES_LESS}."
    return f"{ended}; raise {job_field(job, 'timeout')} or give it less to do."


def out_of_memory(job: JobName | None) -> str:
    """The kernel killed the container for its memory."""
    killed = "The container was killed because it used more memory than its limit"
    if job is None:
        return f"{killed}; {_FETCHES_LESS}."
    return f"{killed}; raise {job_field(job, 'resources.limits.memory')}, or give it less to do at a time."


# What only fetches the user's own operations has neither in the manifest.
_FETCHES_LESS = "that is not a setting, so name a repository with less in it in spec.source.git.url"


def exit_message(code: int, reason: str | None, said: str = "") -> str:
    """A container ended otherwise than Penstock's own do; `said` is what it left of its own."""
    why = f" ({reason})" if reason and reason not in ("Error", "Completed") else ""
    ended = f"Its container ended with exit code {code}{why}"
    return f"{ended}: {said}" if said else f"{ended}, and left no message; its log says more."


def job_failed(reason: str, message: str) -> str:
    """A Job failed and no pod is left to say why."""
    return f"{message or 'Its Job failed'} ({reason}); no pod is left that could say more."


def result_lost(attempts: int) -> str:
    """The job said that it was done, and nobody could read what it did."""
    times = "once" if attempts == 1 else f"{attempts} times"
    return f"Its container succeeded {times} and left no result that can be read; is its image made from Penstock's?"


def refinding(attempt: int) -> str:
    """The job is done, and its result was lost with its pod."""
    return f"It is done, and its result was lost with its pod; another pod reads it from storage (attempt {attempt})."


def name_taken(name: str, other: str) -> str:
    """The storage holds files of another run under the wished name."""
    return f"The storage has files of another run under the name {name}; this one takes the name {other}."


def names_taken(name: str, most: int) -> str:
    """Too many names were taken."""
    return f"The storage has files of other runs under {name} and {most} indexes of it; choose another executionName."


def still_ending(count: int) -> str:
    """What is left of a run that has failed, or was cancelled, is being ended."""
    return f"{count} of its Jobs and pods {'is' if count == 1 else 'are'} still ending."


def cancellation_message() -> str:
    """A run was cancelled."""
    return "It was cancelled; nothing of it runs any more."


def interrupted(signal: str) -> str:
    """A person, or the system, stopped the command that worked on a run."""
    return f"It was stopped by {signal}; the same command takes it up again."


def superseded() -> str:
    """Another run was begun in the place of one that was interrupted."""
    return "It was interrupted, and another run of its name was begun with a manifest that has changed since."


def all_succeeded() -> str:
    """A run without a deployment step is done."""
    return "All its jobs succeeded."


def pipeline_deleted(name: str) -> str:
    """There is nothing to deploy to."""
    return f"The Pipeline {name} was deleted while this run was at work; its Model is kept, and nothing serves it."


def no_deployment(name: str) -> str:
    """The Pipeline serves nothing any more."""
    return f"The Pipeline {name} has no spec.deployment any more, so nothing is served; the Model is kept."


def proposal_message(challenger: str, why: str) -> str:
    """The Pipeline's reconciler has yet to decide."""
    return f"{challenger} is proposed to be served. {why}"


def rolling_out(model: str) -> str:
    """The new Model starts beside the old one."""
    return f"{model} was chosen, and its servers are starting; the Model served before answers until they are ready."


def model_not_ready(model: str, served: str | None, why: str) -> str:
    """The servers of the new Model did not become ready."""
    kept = f"{served} stays" if served else "nothing is served"
    return f"{model} was chosen, and its servers did not become ready, so {kept}: {why}"


def retest(models: Iterable[str]) -> str:
    """Another Model has been served since this run's was tested."""
    return f"Another Model is served by now; {', '.join(models)} is tested again beside it, before it is decided."


def still_incomparable(served: str | None) -> str:
    """The served Model changed once more while the run tested again."""
    return f"{served or 'Nothing'} is served by now, and this run has tested again once already; run again to compare."


def begins() -> str:
    """A run has its name, and no Job yet."""
    return "It begins."


def acceptance_message() -> str:
    """A Pipeline without a deployment can work."""
    return "Runs can be made of it; it has no spec.deployment, so it serves nothing."


def no_model() -> str:
    """Nothing has been chosen to be served."""
    return "No Model has been selected yet; a run with the deployment job selects one."


def model_not_found(name: str) -> str:
    """The Model that is to be served is not there."""
    return f"There is no Model {name} in this namespace; name another in deployment.model, or import it again."


def model_served(name: str) -> str:
    """All is as it should be."""
    return f"{name} is served."


def first_rolling_out(model: str) -> str:
    """The first Model of a Pipeline starts."""
    return f"{model} was chosen, and its servers are starting; nothing answers until they are ready."


def not_ready_in_time() -> str:
    """A Deployment did not come up, and says no more."""
    return "they did not become ready in their time; their pods and logs say more."


def pipeline_name_conflict(kind: str, name: str) -> str:
    """A stranger's object has the name of one of the Pipeline's."""
    return f"There is a {kind} {name} that this Pipeline did not make; it is left alone. Rename it, or the Pipeline."


def awaits_trigger() -> str:
    """A run was made for an event, and waits for its turn."""
    return "It begins as soon as its Trigger lets it."


def trigger_active(next_moment: str | None) -> str:
    """A Trigger fires."""
    return f"It fires next at {next_moment}." if next_moment else "It waits for its next event."


def trigger_waits(why: str) -> str:
    """A Trigger fires, and something waits for the run before."""
    return f"A run waits to begin until {why} has ended."


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


def fired_for_pipeline(pipeline: str) -> str:
    """A change of the Pipeline started the run."""
    return f"What its jobs read of the Pipeline {pipeline} changed."


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


# --- files of what was deleted ----------------------------------------------------------------------------------------

FILES_DELETED = "FilesDeleted"
"""The files of a run or Model that was deleted are deleted too."""
FILES_NOT_DELETED = "FilesNotDeleted"
"""The files of a run or Model that was deleted could not be deleted yet; it is tried again."""


def files_deleted(kind: str, name: str, files: int | None) -> str:
    """The files of what was deleted are gone too."""
    counted = "The" if files is None else f"{files:,}"
    return f"{counted} files of the {kind} {name}, which was deleted, are deleted."


def files_not_deleted(kind: str, name: str, why: str, pause: timedelta) -> str:
    """The files of what was deleted are still there."""
    minutes = int(pause.total_seconds() // 60)
    return f"The files of the {kind} {name} could not be deleted; it is tried again in {minutes} min: {why}"
