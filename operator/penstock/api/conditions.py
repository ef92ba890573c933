"""Conditions, as the API conventions of Kubernetes say them."""

from dataclasses import dataclass
from typing import Annotated, Literal

from penstock.api.scalars import CONDITION_TYPE, REASON, Timestamp
from penstock.api.schema import Value, field


@dataclass(frozen=True)
class ConditionType:
    """An aspect that a condition may tell of objects of these kinds, and what its statuses mean."""

    name: str
    kinds: tuple[str, ...]
    meaning: str


CONDITION_TYPES = (
    ConditionType(
        "Ready",
        ("Pipeline", "Trigger", "Model"),
        "Of a Pipeline whether it is as its spec says: True where it serves the Model that it should, or has nothing "
        "to serve; Unknown while a Model's servers start; False otherwise. Of a Trigger whether it fires. Of a Model "
        "whether it can be read, and so be served; its files are looked for when they are loaded.",
    ),
    ConditionType(
        "Succeeded",
        ("PipelineRun",),
        "How the run went: Unknown while it is live, waiting too; then True or False, for good.",
    ),
    ConditionType(
        "Reconciling",
        ("Pipeline", "PipelineRun"),
        "True while it is on its way to what its spec says; not there otherwise. For kstatus, and so for Flux.",
    ),
    ConditionType(
        "Stalled",
        ("Pipeline", "PipelineRun", "Trigger", "Model"),
        "True where it will not get there by itself: somebody has to mend something. Not there otherwise.",
    ),
)


class Condition(Value, frozen=True, kw_only=True):
    """One aspect of the state of the object."""

    type: Annotated[
        str,
        field(
            f"Which aspect: {', '.join(f'`{each.name}`' for each in CONDITION_TYPES)}.",
            max_length=63,
            pattern=CONDITION_TYPE,
        ),
    ]
    status: Annotated[Literal["True", "False", "Unknown"], field("Whether it holds.")]
    reason: Annotated[
        str,
        field(
            "One word for programs that says why, as `ServedModelKept`.",
            min_length=1,
            max_length=64,
            pattern=REASON,
        ),
    ]
    message: Annotated[str, field("A sentence for people that says why.", max_length=1024)] = ""
    last_transition_time: Annotated[Timestamp, field("When the status changed last.")]
    observed_generation: (
        Annotated[int, field("The generation of the object that the condition was found on.", ge=0)] | None
    ) = None


Conditions = Annotated[
    tuple[Condition, ...],
    field("What holds of the object now, one condition for each aspect.", keys=("type",), max_length=4),
]
ObservedGeneration = (
    Annotated[
        int, field("The generation of the spec that this status is about; -1 where nobody has looked yet.", ge=-1)
    ]
    | None
)
