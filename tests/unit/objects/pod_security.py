"""The Pod Security Standard `restricted` of Kubernetes 1.34, written down a second time: what a test holds pods to.

https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

from collections.abc import Callable, Iterator
from typing import Any

Pod = dict[str, Any]
_VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}


def violations(pod: Pod) -> Iterator[str]:
    """Yield the name of each control that the PodSpec violates."""
    yield from (name for name, violated in _CONTROLS.items() if violated(pod))


def containers(pod: Pod) -> list[Pod]:
    return [*pod.get("initContainers", []), *pod["containers"], *pod.get("ephemeralContainers", [])]


def contexts(pod: Pod) -> list[Pod]:
    return [each.get("securityContext", {}) for each in containers(pod)]


def all_contexts(pod: Pod) -> list[Pod]:
    return [pod.get("securityContext", {}), *contexts(pod)]


def effective_values(pod: Pod, name: str) -> list[Any]:
    return [each.get(name, pod.get("securityContext", {}).get(name)) for each in contexts(pod)]


def extra_capabilities(context: Pod) -> set[str]:
    return set(context.get("capabilities", {}).get("add", []))


_CONTROLS: dict[str, Callable[[Pod], bool]] = {
    "Host Namespaces": lambda pod: any(pod.get(name) for name in ("hostNetwork", "hostPID", "hostIPC")),
    "Privileged Containers": lambda pod: any(each.get("privileged") for each in contexts(pod)),
    "Privilege Escalation": lambda pod: any(
        each.get("allowPrivilegeEscalation") is not False for each in contexts(pod)
    ),
    "Capabilities": lambda pod: any(
        "ALL" not in each.get("capabilities", {}).get("drop", []) or extra_capabilities(each) - {"NET_BIND_SERVICE"}
        for each in contexts(pod)
    ),
    "Volume Types": lambda pod: any(len(set(each) & _VOLUMES) != 1 for each in pod.get("volumes", [])),
    "Host Ports": lambda pod: any(port.get("hostPort") for each in containers(pod) for port in each.get("ports", [])),
    "Running as Non-root": lambda pod: any(each is not True for each in effective_values(pod, "runAsNonRoot")),
    "Running as Non-root user": lambda pod: any(each.get("runAsUser") == 0 for each in all_contexts(pod)),
    "Seccomp": lambda pod: any(
        (each or {}).get("type") not in ("RuntimeDefault", "Localhost")
        for each in effective_values(pod, "seccompProfile")
    ),
    "/proc Mount Type": lambda pod: any(each.get("procMount", "Default") != "Default" for each in contexts(pod)),
    "SELinux": lambda pod: any(each.get("seLinuxOptions", {}).get("user") for each in all_contexts(pod)),
    "Sysctls": lambda pod: any(
        each["name"].startswith("kernel.msg") for each in pod.get("securityContext", {}).get("sysctls", [])
    ),
    "AppArmor": lambda pod: any(
        each.get("appArmorProfile", {}).get("type") == "Unconfined" for each in all_contexts(pod)
    ),
    "Host Probes": lambda pod: any(
        each.get("livenessProbe", {}).get("httpGet", {}).get("host") for each in containers(pod)
    ),
}
