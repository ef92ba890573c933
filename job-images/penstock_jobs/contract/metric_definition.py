"""What a metric is, for who reads it: the registries count, and the reference lists these."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class MetricDefinition:
    """A metric: its name as Prometheus shows it, its type, what it counts, and its labels."""

    name: str
    type: Literal["counter", "gauge", "histogram"]
    meaning: str
    labels: tuple[str, ...] = ()
