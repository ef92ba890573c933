"""The environment of a process: this command's own, without the credentials that the process has no use for."""

from collections.abc import Mapping
from typing import Any

import msgspec

# Python's own part: what it says comes at once, hashes are the same each time, and no bytecode is left behind.
PYTHON_VARIABLES = {"PYTHONUNBUFFERED": "1", "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}


def environment(
    mine: Mapping[str, str], specification: msgspec.Struct, secrets: frozenset[str], given: Mapping[str, str]
) -> dict[str, str]:
    """Return mine, without those of the secrets that the specification does not name, under what is given.

    A laptop's own PYTHONPATH is heeded, as its user is trusted with that laptop; a pod's Python heeds none.
    """
    own = _variables(msgspec.to_builtins(specification))
    chosen = {name: value for name, value in mine.items() if name not in secrets or name in own}
    return {**chosen, **PYTHON_VARIABLES, **given}


def _variables(value: Any) -> frozenset[str]:
    """Return the environment variables that the credentials in a specification name, wherever they are in it."""
    if isinstance(value, list | tuple):
        return frozenset().union(*(_variables(each) for each in value))
    if not isinstance(value, dict):
        return frozenset()
    credentials = value.get("credentials")
    named = credentials.get("environment") if isinstance(credentials, dict) else None
    own = frozenset(named.values()) if isinstance(named, dict) else frozenset()
    return own.union(*(_variables(each) for each in value.values()))
