"""The sentences that go with reasons of a run, and those that a run and a Pipeline share.

A sentence is for people, and may be worded better any day; the reason keeps its meaning. Those of one subject alone
are in its folder: `pipeline.messages`, `trigger.messages`, `cleaning.messages` and `notifications.messages`.
"""

from collections.abc import Iterable

from penstock.api.jobs import job_field
from penstock.api.schema import JobName


def step_runs(step: str, number: int, of: int) -> str:
    """A step is at work."""
    return f"The {step} step is running, {number} of {of}."


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


def no_run_to_repeat(run: str) -> str:
    """The run that another repeats is not there."""
    return f"There is no run {run} of this Pipeline in this namespace yet; this run repeats it once it has ended."


def repeated_run_lives(run: str) -> str:
    """The run that another repeats has not ended."""
    return f"The run {run}, which this one repeats, has not ended yet."


def repeated_run_unseen(run: str) -> str:
    """The run that another repeats has ended so lately that not all of it was seen yet."""
    return f"The run {run}, which this one repeats, has only just ended, and not all that it made is seen yet."


def reused_step(run: str) -> str:
    """A step whose result is that of another run."""
    return f"Taken over from the run {run}."


def snapshot_gone(run: str) -> str:
    """Nobody knows any more what the run was that another repeats."""
    return f"spec.rerunOf.name is {run}, and what that run was is no longer there; apply a new run."


def results_gone(run: str, job: str) -> str:
    """The run that another repeats has no result to take over."""
    return f"The run {run} has no result of its {job} step that could be taken over; begin with {job}, or before it."


def model_gone(run: str, model: str) -> str:
    """A Model that the run made, which another repeats, is gone."""
    return f"The Model {model}, which the run {run} made, is no longer there; begin with training."


def missing_result(step: str, needed: str) -> str:
    """Nobody makes what this run needs."""
    return f"The job {step} needs what {needed} makes, and no run has made it; add {needed} to the jobs."


def lost_result(step: str, needed: str, run: str) -> str:
    """What this run needs was made, and is gone."""
    return (
        f"The job {step} needs what {needed} makes; the run {run} made it last, and its results are no longer there. "
        f"Add {needed} to the jobs."
    )


def no_job(pipeline: str) -> str:
    """The Pipeline describes nothing that a run could do."""
    return f"The Pipeline {pipeline} describes no job; add dataset and training, or deployment."


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


def next_try_message(number: int, tries: int, at: str, why: str, memory: tuple[str, str] | None = None) -> str:
    """A job failed for what may pass, and is tried again after a while; `memory` is what it had, and will have."""
    more = "" if memory is None else f" with {memory[1]} of memory instead of {memory[0]}"
    return f"Try {number} of {tries} begins at {at}{more}; the last one ended so: {why}"


def job_deleted() -> str:
    """A Job is no longer there, and it was not Penstock that deleted it."""
    return "Its Job was deleted before its end was seen."


def taken_away(times: int, why: str) -> str:
    """A Job comes to nothing time and again, and no container of it fails."""
    return (
        f"It was made {times} times, and taken away each time; see who deletes Jobs or pods here. The last time: {why}"
    )


def next_job_at(at: str) -> str:
    """The next try has yet to begin."""
    return f"The next try begins at {at}."


def remade_at(at: str, why: str) -> str:
    """A Job that came to nothing is made again after a while."""
    return f"Another one begins at {at}, and that is not counted as a try. {why}"


def disruption_message(why: str) -> str:
    """A pod was evicted, preempted or lost with its node."""
    return f"Its pod was taken away ({why}); another one takes its place, and that is not counted as a try."


def stop_request_message() -> str:
    """A pod that nobody evicted was told to end all the same."""
    return "it was told to end, as when somebody deletes it"


def being_deleted(job: str) -> str:
    """A Job that was not done is going away."""
    return f"Its Job {job} is being deleted; another one takes its place."


def nodes_lost(nodes: Iterable[str]) -> str:
    """The pods of a Job should have ended long ago."""
    return f"Nothing is heard of the node {', '.join(nodes)}, where it ran; it begins again elsewhere."


def pods_ending(count: int) -> str:
    """Pods of a Job that is gone are still ending."""
    return f"{count} of its earlier pods {'is' if count == 1 else 'are'} still ending."


def some_wait(waiting: int, of: int, why: str) -> str:
    """Some workers have no place yet, while others are at work."""
    return f"{waiting} of {of} pods wait: {why}"


def wanted_by_quota(quota: str, fields: Iterable[str], message: str) -> str:
    """A quota refuses pods that do not say how much they want; the API server's own sentence comes last."""
    return (
        f"The quota {quota} takes only pods that say how much they want; set {', '.join(fields)} in the Pipeline and "
        f"run again, or give the namespace a LimitRange with defaults. The API server says: {message}"
    )


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


def out_of_most_memory(had: str, field: str) -> str:
    """The kernel killed a container that had all the memory that its job may get."""
    return (
        f"The container was killed because it used more memory than its limit of {had}, and {field} allows no more; "
        "raise it, or give it less to do at a time."
    )


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


def begun_before(storage: str, lacking: str | None) -> str:
    """A run that came back as another object was executed before; `lacking` is the step that has no result."""
    end = "its results were found" if lacking is None else f"it ended then without a result of {lacking}"
    return (
        f"It was executed before, as another object of this name: {end} in {storage}, and nothing is done again. To "
        "run it once more, apply it under another name, or with generateName."
    )


def no_result_of_before() -> str:
    """The step at which a run ended when it was another object."""
    return "It has no result in storage: it failed then, or was ended."


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
    """The Pipeline serves nothing."""
    return f"The Pipeline {name} has no spec.deployment, so nothing is decided or served; its Models are kept."


def proposal_message(challenger: str, why: str) -> str:
    """The Pipeline's reconciler has yet to decide."""
    return f"{challenger} is proposed to be served. {why}"


def untaken_proposal(why: str, obstacle: str) -> str:
    """A Model is proposed, and the Pipeline takes none before somebody mends it."""
    return f"{why} The Pipeline takes no Model: {obstacle}"


def rolling_out(model: str) -> str:
    """The new Model starts beside the old one."""
    return f"{model} was chosen, and its servers are starting; the Model served before answers until they are ready."


def model_not_ready(model: str, served: str | None, why: str) -> str:
    """The servers of the new Model did not become ready."""
    kept = f"{served} stays" if served else "nothing is served"
    return f"{model} was chosen, and its servers did not become ready, so {kept}: {why}"


def still_incomparable(served: str | None) -> str:
    """The served Model changed once more while the run tested again."""
    return f"{served or 'Nothing'} is served by now, and this run has tested again once already; run again to compare."


def begins() -> str:
    """A run has its name, and no Job yet."""
    return "It begins."


def model_not_found(name: str) -> str:
    """The Model that is to be served is not there."""
    return f"There is no Model {name} in this namespace; name another in deployment.model, or import it again."


def challenger_not_found(name: str, served: str | None) -> str:
    """The Model that passed the gate was deleted meanwhile."""
    kept = f"{served} stays" if served else "nothing is served"
    return f"{name} was chosen, and there is no such Model any more, so {kept}; run again, or import it again."


def model_saved() -> str:
    """A Model is there and can be read."""
    return "It was saved and can be read; a Pipeline of this namespace may serve it."


def awaits_trigger() -> str:
    """A run was made for an event, and waits for its turn."""
    return "It begins as soon as its Trigger lets it."


def write_refusal_message(kind: str, name: str, message: str) -> str:
    """The API server did not take an object."""
    return f"{kind} {name} was not accepted: {message}"
