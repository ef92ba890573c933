"""Every reason that a condition, a step or an Event of Kubernetes gives.

A reason is one word for programs and keeps its meaning; the sentences beside it are in `penstock.decide.messages`, and
those of a Trigger in `penstock.decide.trigger.messages`. The text beneath a reason is what it means:
`docs/reference/conditions.md` is made of these, section by section.
"""

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
BEGUN_BEFORE = "BegunBefore"
"""The run was executed before as another object of its name: it came back from a backup, or was applied again. Its
results were found in storage, and nothing is done again; the message says how to run it once more."""
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
TAKEN_AWAY = "TakenAway"
"""The Job was deleted, or its pod was before it began, more often than it is made again; the message says how."""
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
"""The Model that is to be served is not there. A run that comes to deploy then fails with the same reason."""
MODEL_SERVED = "ModelServed"
"""The Model is served, and all is as the spec says."""
SERVERS_UNAVAILABLE = "ServersUnavailable"
"""The Model is to be served, and none of its servers answers; the message says why, in the words of whoever knows."""
ROLLOUT_FAILED = "RolloutFailed"
"""The servers of the chosen Model did not become ready; where another Model was served, it still is."""
ROLLOUT_QUEUED = "RolloutQueued"
"""The Model is served. The operator's settings for servers changed, as their image, and other Pipelines go first."""
SELECTED = "Selected"
"""Why a Model is served, where the verdict of its run is no longer known."""

# --- of a Model -------------------------------------------------------------------------------------------------------

SAVED = "Saved"
"""The Model was saved, and can be read: a Pipeline may serve it."""

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
