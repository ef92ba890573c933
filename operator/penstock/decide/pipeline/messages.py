"""The sentences that go with the reasons of a Pipeline alone; what runs say too is in `penstock.decide.messages`."""


def acceptance_message() -> str:
    """A Pipeline without a deployment can work."""
    return "Runs can be made of it; it has no spec.deployment, so it serves nothing."


def no_model() -> str:
    """Nothing has been chosen to be served."""
    return "No Model has been selected yet; a run with the deployment job selects one."


def model_served(name: str) -> str:
    """All is as it should be."""
    return f"{name} is served."


def model_served_by_some(name: str, available: int, wanted: int) -> str:
    """Some of the servers do not answer."""
    return f"{name} is served; {available} of {wanted} servers are available."


def servers_not_replaced(model: str, why: str) -> str:
    """Other servers of the Model that is served did not become ready."""
    return f"{model} is served by the servers that it had; those that were to replace them did not become ready: {why}"


def next_rollout(message: str, moment: str) -> str:
    """Servers that were given up are tried again."""
    return f"{message.rstrip('.')}. They are tried again at {moment}."


def rollout_queued(model: str, most: int) -> str:
    """Servers wait until those of other Pipelines are replaced."""
    return (
        f"{model} is served. Its servers are replaced by those of the operator's new settings when its turn comes: "
        f"settings.concurrentRollouts is {most}."
    )


def place_given_up(minutes: int, why: str) -> str:
    """Servers that only the operator's settings ask for did not start in the time of their place."""
    return f"They did not start within {minutes} minutes, and let others go first. {why}"


def servers_unavailable(name: str, why: str) -> str:
    """The Service selects servers of which none answers."""
    return f"{name} is to be served, and none of its servers is available: {why}"


def servers_made_again() -> str:
    """The Deployment is gone that the Service selects."""
    return "their Deployment was deleted, and is made again."


def servers_starting() -> str:
    """Nobody has said why no server is available."""
    return "they have not said why; they may be starting."


def first_rolling_out(model: str) -> str:
    """The first Model of a Pipeline starts."""
    return f"{model} was chosen, and its servers are starting; nothing answers until they are ready."


def not_ready_in_time() -> str:
    """A Deployment did not come up, and says no more."""
    return "they did not become ready in their time; their pods and logs say more."


def pipeline_name_conflict(kind: str, name: str) -> str:
    """A stranger's object has the name of one of the Pipeline's."""
    return f"There is a {kind} {name} that this Pipeline did not make; it is left alone. Rename it, or the Pipeline."
