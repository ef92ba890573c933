"""What each job is given: resources, GPUs, time, a place to run."""

from typing import Annotated, Any, ClassVar, Literal

import msgspec

from penstock.api.environment_names import FORBIDDEN_NAME, FORBIDDEN_SENTENCE, SERVER_LIMITS
from penstock.api.scalars import (
    EXTENDED_RESOURCE,
    IMAGE,
    LABEL_KEY,
    NO_TIME,
    PYTHON_NAME,
    Duration,
    Factor,
    Label,
    Quantity,
    ResourceName,
)
from penstock.api.schema import JobName, Rule, Value, field

# What holds of a job by its name, in a Pipeline and in a run alike.
RULES_BY_NAME = (
    Rule(
        "!has(self.processes) || self.name == 'training'",
        "Only the candidates of training run in processes; remove processes.",
        field=".processes",
    ),
    Rule(
        "!has(self.parallelism) || self.name != 'testing'",
        "Only the work of dataset and training can be shared out; remove parallelism.",
        field=".parallelism",
    ),
    Rule(
        "!has(self.gpu) || self.name != 'dataset'",
        "Tables are made without a GPU, which is for training and testing; remove gpu.",
        field=".gpu",
    ),
)
NO_TIMEOUT = Rule(
    f"!has(self.timeout) || !self.timeout.matches('{NO_TIME}')",
    "This leaves the job no time; write one as 1h, or remove it.",
    field=".timeout",
)


class ResourceAmounts(Value, frozen=True, kw_only=True):
    """Amounts of computing resources, as Kubernetes writes them."""

    cpu: Annotated[Quantity, field('Processors, as `"1"` or `500m`.')] | None = None
    memory: Annotated[Quantity, field("Memory, as `2Gi`.")] | None = None
    ephemeral_storage: Annotated[Quantity, field("Local disk, as `10Gi`.")] | None = msgspec.field(
        default=None, name="ephemeral-storage"
    )


class Resources(Value, frozen=True, kw_only=True):
    """What a pod of the job asks for, and what it may not exceed."""

    requests: (
        Annotated[
            ResourceAmounts, field("What is kept free for the pod on its node. The limits, where nothing is said.")
        ]
        | None
    ) = None
    limits: (
        Annotated[
            ResourceAmounts,
            field(
                "What the pod may not exceed. The job reads its memory limit, and says beforehand where its data "
                "would "
                "not fit."
            ),
        ]
        | None
    ) = None


class Gpu(Value, frozen=True, kw_only=True):
    """GPUs of each pod of the job."""

    count: Annotated[int, field("How many a pod gets.", ge=1, le=64)] = 1
    resource: Annotated[
        str,
        field(
            "The name under which the nodes offer them.",
            min_length=1,
            max_length=253,
            pattern=EXTENDED_RESOURCE,
        ),
    ] = "nvidia.com/gpu"
    required: Annotated[
        bool,
        field(
            "Whether the job fails, with that sentence, where it finds no GPU that works; otherwise it goes on "
            "without one, and says so."
        ),
    ] = True


class MoreMemory(Value, frozen=True, kw_only=True):
    """How much more memory a job gets each time that it was killed for want of it."""

    factor: Annotated[
        Factor,
        field("By what its requests and limits of memory are multiplied with each such try."),
    ] = "1.5"
    limit: Annotated[
        Quantity, field("The most that it gets, as `32Gi`. What is killed with that much has failed for good.")
    ]

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.factor) || !self.factor.matches('^1([.]0+)?$')",
            'A factor of 1 gives no more memory; write one as "1.5".',
            field=".factor",
        ),
    )


class Retries(Value, frozen=True, kw_only=True):
    """How often a job that failed for something that may pass is tried again.

    Such are a storage that did not answer, and memory that ran out. A pod that was evicted, deleted or lost with its
    node is no try.
    """

    limit: Annotated[int, field("How many times.", ge=0, le=100)] = 2
    backoff: Annotated[Duration, field("How long the first wait is; each is twice as long as the one before.")] = "10s"
    memory: (
        Annotated[
            MoreMemory,
            field(
                "More memory for each try after one that was killed for want of it. `resources.limits.memory` is what "
                "the first has. Such a try is one of `limit`."
            ),
        ]
        | None
    ) = None


class Toleration(Value, frozen=True, kw_only=True):
    """A taint of nodes that the pods put up with."""

    key: (
        Annotated[str, field("The taint's key; any, where it is not said.", max_length=316, pattern=LABEL_KEY)] | None
    ) = None
    operator: Annotated[
        Literal["Equal", "Exists"], field("Whether the taint's value must be equal, or the key be there.")
    ] = "Equal"
    value: Annotated[str, field("The taint's value.", max_length=63)] | None = None
    effect: (
        Annotated[
            Literal["NoSchedule", "PreferNoSchedule", "NoExecute"],
            field("The taint's effect; any, where it is not said."),
        ]
        | None
    ) = None
    toleration_seconds: (
        Annotated[int, field("How long a pod stays on a node that gets a NoExecute taint.", ge=0)] | None
    ) = None

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.operator) || self.operator == 'Equal' || !has(self.value)",
            "A toleration that asks whether the key exists has no value; remove value.",
            field=".value",
        ),
        Rule(
            "has(self.key) || (has(self.operator) && self.operator == 'Exists')",
            "A toleration without a key tolerates all taints, and its operator is Exists; set operator or name the "
            "key.",
            field=".operator",
        ),
    )


class EnvironmentVariable(Value, frozen=True, kw_only=True):
    """A variable of the job's environment. It is visible to all who can read the Pipeline: never a credential."""

    name: Annotated[str, field("Its name.", min_length=1, max_length=128, pattern=PYTHON_NAME)]
    value: Annotated[str, field("Its value.", max_length=4096)] = ""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            f"!self.name.matches('{FORBIDDEN_NAME}') || self.name.startsWith('{SERVER_LIMITS}')",
            FORBIDDEN_SENTENCE,
            field=".name",
        ),
    )


class OverridableSettings(Value, frozen=True, kw_only=True):
    """What a run may say of a job otherwise than its Pipeline."""

    profile: (
        Annotated[
            Label,
            field(
                "A named set of these settings, kept by who runs the operator (`profiles` of the chart), as "
                "`gpu-large`."
            ),
        ]
        | None
    ) = None
    parallelism: (
        Annotated[
            int,
            field(
                "Over how many pods the work is shared out: candidates for training, files of the inputs for the "
                "dataset.",
                ge=1,
                le=256,
            ),
        ]
        | None
    ) = None
    processes: (
        Annotated[
            int,
            field(
                "How many candidates each pod trains at a time; one for each processor requested, where it is not "
                "said.",
                ge=1,
                le=256,
            ),
        ]
        | None
    ) = None
    threads: (
        Annotated[
            int,
            field(
                "How many threads each process computes with. Results can depend on it, so it comes from here and "
                "not "
                "from the machine; 1 where it is not said.",
                ge=1,
                le=256,
            ),
        ]
        | None
    ) = None
    resources: Annotated[Resources, field("What a pod asks for, and what it may not exceed.")] | None = None
    gpu: Annotated[Gpu, field("GPUs of each pod.")] | None = None
    timeout: (
        Annotated[Duration, field("How long the job may run, as `2h`. Waiting for a place does not count.")] | None
    ) = None
    pending_limit: (
        Annotated[
            Duration,
            field("How long a pod may wait for quota, a node, a GPU, an image or a Secret before the run fails."),
        ]
        | None
    ) = None
    retries: (
        Annotated[Retries, field("How often a job that failed for something that may pass is tried again.")] | None
    ) = None

    rules: ClassVar[tuple[Rule, ...]] = (NO_TIMEOUT,)


class ImagePullSecret(Value, frozen=True, kw_only=True):
    """A Secret with which images are pulled, in the namespace of the object."""

    name: Annotated[ResourceName, field("Its name.")]


class JobSettings(OverridableSettings, frozen=True, kw_only=True):
    """How a job runs. What is not said comes from the `profile`, and then from the operator's own settings."""

    image: (
        Annotated[
            str,
            field(
                "One's own image for this job, made from Penstock's; give a digest where the run must be repeatable.",
                min_length=1,
                max_length=512,
                pattern=IMAGE,
            ),
        ]
        | None
    ) = None
    image_pull_secrets: Annotated[
        tuple[ImagePullSecret, ...], field("The Secrets with which images are pulled.", keys=("name",), max_length=16)
    ] = ()
    service_account_name: (
        Annotated[
            ResourceName,
            field("The service account of the pods. Who applies the manifest must be allowed to use it."),
        ]
        | None
    ) = None
    node_selector: Annotated[
        dict[str, Annotated[str, field("The value of the label.", max_length=63)]],
        field("Labels that a node must have to run the pods.", max_length=32, atomic=True),
    ] = msgspec.field(default_factory=dict)
    tolerations: Annotated[
        tuple[Toleration, ...], field("Taints of nodes that the pods put up with.", max_length=32)
    ] = ()
    runtime_class_name: Annotated[ResourceName, field("The RuntimeClass of the pods, as `nvidia`.")] | None = None
    priority_class_name: Annotated[ResourceName, field("The PriorityClass of the pods.")] | None = None
    queue_name: Annotated[ResourceName, field("The LocalQueue of Kueue that the job waits in.")] | None = None
    env: Annotated[
        tuple[EnvironmentVariable, ...],
        field("Variables of the job's environment. Never a credential.", keys=("name",), max_length=64),
    ] = ()
    pod_template: Annotated[
        dict[str, Any],
        field(
            "Anything else of a PodTemplateSpec, laid over the pod by strategic merge; the container is named `job`.",
            preserve_unknown=True,
        ),
    ] = msgspec.field(default_factory=dict)


class PipelineJob(JobSettings, frozen=True, kw_only=True):
    """How one of the jobs runs, whatever run it is part of."""

    name: Annotated[JobName, field("Which job. `deployment` is the servers of the inference API.")]

    rules: ClassVar[tuple[Rule, ...]] = (*RULES_BY_NAME, NO_TIMEOUT)


def job_field(job: str, *names: str) -> str:
    """Return how a sentence names a job's settings, or a field of them: `spec.jobs[training].timeout`."""
    return ".".join((f"spec.jobs[{job}]", *names))
