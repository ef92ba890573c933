"""More memory for a part that was killed for want of it: a multiple of what it had, up to a limit."""

from decimal import Decimal
from math import ceil

import msgspec

from penstock.api.jobs import JobSettings, MoreMemory
from penstock.api.quantities import read_quantity

_UNITS = ((2**30, "Gi"), (2**20, "Mi"))


def memory_limit(settings: JobSettings) -> str | None:
    """Return how much memory a pod of the job may use, or None where nobody said."""
    limits = settings.resources.limits if settings.resources else None
    return None if limits is None or limits.memory is None else str(limits.memory)


def next_memory(more: MoreMemory, had: str) -> str | None:
    """Return how much memory comes after that much, or None where it is the most already."""
    before, most = _amount(had), _amount(more.limit)
    if before >= most:
        return None
    after = before * Decimal(more.factor)
    return str(more.limit) if after >= most else _write(after)


def with_memory(settings: JobSettings, memory: str) -> JobSettings:
    """Return the settings with this limit of memory, and requests that are higher by as much."""
    resources, had = settings.resources, memory_limit(settings)
    if resources is None or resources.limits is None or had is None:
        return settings
    requests = resources.requests
    if requests is not None and requests.memory is not None:
        asked = _amount(requests.memory) * _amount(memory) / _amount(had)
        requests = msgspec.structs.replace(requests, memory=memory if asked >= _amount(memory) else _write(asked))
    limits = msgspec.structs.replace(resources.limits, memory=memory)
    return msgspec.structs.replace(
        settings, resources=msgspec.structs.replace(resources, requests=requests, limits=limits)
    )


def _amount(quantity: int | str) -> Decimal:
    return read_quantity(quantity, "retries.memory")


def _write(amount: Decimal) -> str:
    """Return a quantity of whole Gi where it is one, and otherwise of Mi, rounded up."""
    for size, unit in _UNITS:
        if amount % size == 0:
            return f"{int(amount / size)}{unit}"
    return f"{ceil(amount / 2**20)}Mi"
