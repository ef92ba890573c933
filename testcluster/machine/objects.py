"""The objects that the cluster has from its start: the rights of its own programs, and a class of volumes."""

from typing import Any

Object = dict[str, Any]
RBAC = "rbac.authorization.k8s.io"
# As kind names its own, and as managed clusters often do.
STORAGE_CLASS = "standard"
PROVISIONER = "penstock.dev/test-volumes"


def list_objects() -> list[Object]:
    """Return every object, as it is applied before the programs start that need it."""
    return [*dns(), *volumes(), storage_class()]


def dns() -> list[Object]:
    """Return what lets the DNS server see the names. It is no pod, so it is a user and no service account."""
    rules = [
        _rule("", ["endpoints", "services", "pods", "namespaces"], ["list", "watch"]),
        _rule("discovery.k8s.io", ["endpointslices"], ["list", "watch"]),
    ]
    return _rights("system:coredns", rules)


def volumes() -> list[Object]:
    """Return what lets the maker of volumes see claims, and make and remove volumes."""
    rules = [
        _rule("", ["persistentvolumeclaims"], ["list"]),
        _rule("", ["persistentvolumes"], ["list", "create", "delete"]),
    ]
    return _rights("penstock-test-volumes", rules)


def storage_class() -> Object:
    """Return the default class: a volume is made on the node where the first pod goes."""
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": STORAGE_CLASS, "annotations": default},
        "provisioner": PROVISIONER,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
    }


def _rule(group: str, resources: list[str], verbs: list[str]) -> Object:
    return {"apiGroups": [group], "resources": resources, "verbs": verbs}


def _rights(user: str, rules: list[Object]) -> list[Object]:
    named: Object = {"apiVersion": f"{RBAC}/v1", "metadata": {"name": user}}
    to = {"kind": "User", "apiGroup": RBAC, "name": user}
    role = {"kind": "ClusterRole", "apiGroup": RBAC, "name": user}
    return [
        {**named, "kind": "ClusterRole", "rules": rules},
        {**named, "kind": "ClusterRoleBinding", "roleRef": role, "subjects": [to]},
    ]
