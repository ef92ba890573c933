"""Pods of a small program that listens, connects, writes and reads: they show what a cluster does for pods."""

from dataclasses import dataclass

from cluster.kubernetes_api import PODS, KubernetesApi, Object

PORT = 8080
TRYING = "20"  # seconds; names and Services take a moment to be known everywhere


@dataclass(frozen=True)
class ProbePods:
    """Makes pods of a program that listens and connects."""

    api: KubernetesApi
    namespace: str
    image: str

    def create(self, name: str, *arguments: str, **spec: object) -> str:
        """Create a pod; return its name."""
        container = {
            "name": "probe",
            "image": self.image,
            "imagePullPolicy": "IfNotPresent",
            "args": list(arguments),
            "resources": spec.pop("resources", {}),
            "volumeMounts": spec.pop("mounts", []),
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        }
        whole = {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [container],
            **spec,
        }
        metadata = {"name": name, "labels": {"app": name}}
        self.api.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": whole}, self.namespace)
        return name

    def on(self, node: str, name: str, *arguments: str) -> str:
        """Create a pod on this node, whatever keeps others away from it."""
        selector = {"kubernetes.io/hostname": node}
        return self.create(name, *arguments, nodeSelector=selector, tolerations=[{"operator": "Exists"}])

    def create_listeners(self, *nodes: str) -> list[str]:
        """Create a pod that listens on each of these nodes; return their addresses once they run."""
        names = [self.on(node, f"on-{node}", "listen", str(PORT)) for node in nodes]
        return [str(self.running(name)["status"]["podIP"]) for name in names]

    def running(self, name: str) -> Object:
        """Return the pod once it runs."""
        return self.wait_for_phase(name, "Running")

    def wait_for_phase(self, name: str, phase: str) -> Object:
        """Return the pod once it is in this phase."""
        return self.api.wait_for(
            PODS, name, self.namespace, lambda pod: pod.get("status", {}).get("phase") == phase, what=f"{name} {phase}"
        )

    def connect(self, *tries: tuple[str, str]) -> None:
        """Hold that pods connect: each is on a node, and connects to a target."""
        names = [self.on(node, f"try-{number}", "connect", to, TRYING) for number, (node, to) in enumerate(tries)]
        for name in names:
            self.wait_for_phase(name, "Succeeded")

    def wait_for_scheduler_sentence(self, name: str) -> str:
        """Return the scheduler's sentence once it finds no place for the pod."""
        pod = self.api.wait_for(PODS, name, self.namespace, _scheduler_sentence, what=f"{name} finding no place")
        return str(_scheduler_sentence(pod))


def _scheduler_sentence(pod: Object) -> str:
    conditions = pod.get("status", {}).get("conditions", [])
    return next((each.get("message", "") for each in conditions if each.get("reason") == "Unschedulable"), "")
