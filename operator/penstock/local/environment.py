"""The environment of a process: this command's own, without the credentials that the process has no use for."""

from collections.abc import Mapping
from typing import Any

import msgspec


def environment(
    mine: Mapping[str, str], specification: msgspec.Struct, secrets: frozenset[str], given: Mapping[str, str]
) -> dict[str, str]:
    """Return mine, without those of the secrets that the specification does not name, under what is given."""
    own = _variables(msgspec.to_builtins(specification))
    chosen = {name: value for name, value in mine.items() if name not in secrets or name in own}
    return {**chosen, **given}


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
