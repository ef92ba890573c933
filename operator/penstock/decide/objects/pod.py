"""The pod of a job: its container, what it mounts, where it may run. One container, and only what it was told of.

Without a token of the API, with a root file system that cannot be written, under the Pod Security Standard
`restricted`, and with the credentials of the artifacts that its job names alone.
"""

from dataclasses import dataclass
from dataclasses import field as defaulting

from penstock.api.environment_names import FORBIDDEN_SENTENCE, is_forbidden
from penstock.api.jobs import Gpu, JobSettings, ResourceAmounts, Toleration
from penstock.decide.objects.children import Object
from penstock.decide.objects.folders import SCRATCH, SPECIFICATION_FOLDER, TERMINATION_MESSAGE
from penstock.decide.objects.mounts import Mount
from penstock.decide.objects.pod_template import CONTAINER_SECURITY, POD_SECURITY, merge_pod_template
from penstock.decide.settings import Pods
from penstock_jobs.contract.errors import Refused

CONTAINER = "job"
# Isolated from the environment, the folder it is started in and the user's packages; without bytecode and buffers.
PYTHON = ("python", "-IBu", "-m")
# Results can depend on the number of threads, and must not on the machine.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


@dataclass(frozen=True)
class Pod:
    """What a pod is to run: its words, what it mounts, and how.

    `specification` names the ConfigMap with the specification, where there is one. `field` is where the settings are,
    as `spec.jobs[training]`. `deadline` is a ceiling, in seconds from when a node took the pod. `container` has further
    fields of the container; pods that `spread` selects are kept apart where there is room.
    """

    image: str
    command: tuple[str, ...]
    specification: str | None
    settings: JobSettings
    field: str
    mounts: tuple[Mount, ...] = ()
    threads: int = 1
    restart_policy: str | None = "Never"
    deadline: int | None = None
    grace: int = 30
    general: Pods = defaulting(default_factory=Pods)
    container: Object = defaulting(default_factory=dict)
    spread: Object | None = None


def pod_template(pod: Pod, labels: dict[str, str]) -> Object:
    """Return the PodTemplateSpec, with what `podTemplate` of the settings lays over it.

    Raises:
        Refused: `podTemplate` asks for what no pod of Penstock may have.
    """
    template: Object = {"metadata": {"labels": dict(labels)}, "spec": _spec(pod)}
    return merge_pod_template(template, pod.settings.pod_template, f"{pod.field}.podTemplate")


def _spec(pod: Pod) -> Object:
    settings = pod.settings
    spec: Object = {
        "restartPolicy": pod.restart_policy,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": pod.grace,
        "activeDeadlineSeconds": pod.deadline,
        "securityContext": _security(pod.general),
        "serviceAccountName": settings.service_account_name,
        "imagePullSecrets": [{"name": secret.name} for secret in settings.image_pull_secrets],
        "nodeSelector": dict(settings.node_selector),
        "tolerations": _tolerations(settings),
        "priorityClassName": settings.priority_class_name,
        "runtimeClassName": settings.runtime_class_name,
        "topologySpreadConstraints": [_apart(pod.spread)] if pod.spread else [],
        "containers": [_container(pod)],
        "volumes": [
            {"name": "scratch", "emptyDir": {}},
            *([{"name": "specification", "configMap": {"name": pod.specification}}] if pod.specification else []),
            *(mount.volume for mount in pod.mounts),
        ],
    }
    return {name: value for name, value in spec.items() if value is not None and value not in ([], {})}


def _container(pod: Pod) -> Object:
    container: Object = {
        "name": CONTAINER,
        "image": pod.image,
        "imagePullPolicy": pod.general.image_pull_policy,
        "command": list(pod.command),
        "env": _environment(pod),
        "resources": resources(pod.settings),
        "securityContext": dict(CONTAINER_SECURITY),
        "terminationMessagePath": TERMINATION_MESSAGE,
        "terminationMessagePolicy": "File",
        "volumeMounts": [
            {"name": "scratch", "mountPath": SCRATCH},
            *(
                [{"name": "specification", "mountPath": SPECIFICATION_FOLDER, "readOnly": True}]
                if pod.specification
                else []
            ),
            *(mount.mount for mount in pod.mounts),
        ],
        **pod.container,
    }
    return {name: value for name, value in container.items() if value != {}}


def resources(settings: JobSettings) -> Object:
    """Return what the container asks for, GPUs among it; testing and serving are given them as training is."""
    asked: Object = {}
    if settings.resources is not None:
        asked = {"requests": _amounts(settings.resources.requests), "limits": _amounts(settings.resources.limits)}
    if settings.gpu is not None:
        gpus = {settings.gpu.resource: str(settings.gpu.count)}
        asked = {name: {**asked.get(name, {}), **gpus} for name in ("requests", "limits")}
    return {name: amounts for name, amounts in asked.items() if amounts}


def _apart(selected: Object) -> Object:
    return {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": selected},
    }


def _amounts(amounts: ResourceAmounts | None) -> dict[str, str]:
    if amounts is None:
        return {}
    given = {
        "cpu": amounts.cpu,
        "memory": amounts.memory,
        "ephemeral-storage": amounts.ephemeral_storage,
    }
    return {name: str(amount) for name, amount in given.items() if amount is not None}


def _tolerations(settings: JobSettings) -> list[Object]:
    tolerations = [_toleration(each) for each in settings.tolerations]
    if settings.gpu is not None:
        # As the admission plugin ExtendedResourceToleration does: nodes with GPUs are tainted by their resource's name.
        own = _gpu_toleration(settings.gpu)
        tolerations += [own] if own not in tolerations else []
    return tolerations


def _gpu_toleration(gpu: Gpu) -> Object:
    return {"key": gpu.resource, "operator": "Exists", "effect": "NoSchedule"}


def _toleration(toleration: Toleration) -> Object:
    given: Object = {
        "key": toleration.key,
        "operator": toleration.operator,
        "value": toleration.value,
        "effect": toleration.effect,
        "tolerationSeconds": toleration.toleration_seconds,
    }
    return {name: value for name, value in given.items() if value is not None}


def _security(general: Pods) -> Object:
    context: Object = dict(POD_SECURITY)
    if general.user is not None:
        context |= {"runAsUser": general.user}
    if general.group is not None:
        # Files of a volume are the group's; a large volume is not walked each time.
        context |= {"fsGroup": general.group, "fsGroupChangePolicy": "OnRootMismatch"}
    return context


def thread_variables(threads: int) -> dict[str, str]:
    """Return the environment variables by which libraries compute with so many threads."""
    return dict.fromkeys(_THREADS, str(threads))


def _environment(pod: Pod) -> list[Object]:
    ours = thread_variables(pod.threads) | {"HOME": SCRATCH, "TMPDIR": SCRATCH}
    for each in pod.settings.env:
        if is_forbidden(each.name):  # of an object from before the rule, or in the settings of the operator
            raise Refused(f"{pod.field}.env[{each.name}]: {FORBIDDEN_SENTENCE}")
    given = ours | {each.name: each.value for each in pod.settings.env}
    return [{"name": name, "value": value} for name, value in given.items()]
