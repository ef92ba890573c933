"""The commands that speak to a cluster: `penstock --cluster …`, `penstock wait`, `kubectl penstock …`."""

COMMANDS = {
    "run": "run",
    "rerun": "rerun",
    "pipelines": "lists",
    "runs": "lists",
    "models": "lists",
    "triggers": "lists",
    "trigger": "trigger",
    "describe": "describe",
    "compare": "compare",
    "logs": "logs",
    "report": "logs",
    "cancel": "cancel",
    "deploy": "deploy",
    "wait": "wait",
    "rename": "rename",
}
"""The commands, and the modules of this package that have them."""
