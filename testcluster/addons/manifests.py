"""Manifests as their makers ship them, and what the tests change in them. Pure."""

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

Object = dict[str, Any]
WORKLOADS = ("Deployment", "DaemonSet", "StatefulSet")
# What has to be there before the rest names it.
FIRST = ("Namespace", "CustomResourceDefinition")
LAST = ("APIService",)
EVERYBODYS_GROUPS = ("", "apps", "batch")


def with_image(objects: Iterable[Object], reference: str) -> list[Object]:
    """Return the objects with every container running this image, never pulled where it is there already."""
    return [_each_container(each, lambda container: _run(container, reference)) for each in objects]


def with_arguments(objects: Iterable[Object], *arguments: str) -> list[Object]:
    """Return the objects with arguments added to each container."""
    return [
        _each_container(each, lambda container: {**container, "args": [*container.get("args", []), *arguments]})
        for each in objects
    ]


def with_small_requests(objects: Iterable[Object]) -> list[Object]:
    """Return the objects with containers that ask for next to nothing: the room on the nodes is for the tests."""
    small = {"cpu": "10m", "memory": "32Mi"}
    return [
        _each_container(each, lambda container: {**container, "resources": {"requests": small}}) for each in objects
    ]


def with_early_probes(objects: Iterable[Object]) -> list[Object]:
    """Return the objects with their probes starting early and asking often: a test waits for what they say."""

    def hurry(container: Object) -> Object:
        probes: Object = {
            kind: {**container[kind], "initialDelaySeconds": 1, "periodSeconds": 2, "failureThreshold": 60}
            for kind in ("startupProbe", "readinessProbe")
            if kind in container
        }
        return {**container, **probes}

    return [_each_container(each, hurry) for each in objects]


def with_webhooks_for(objects: Iterable[Object], label: str) -> list[Object]:
    """Return the objects with admission webhooks that see only the namespaces that carry this label.

    A webhook that everybody's Jobs and pods go through would stop the tests beside, each time that it is started.
    """
    selector = {"matchExpressions": [{"key": label, "operator": "Exists"}]}

    def narrow(webhook: Object) -> Object:
        everybodys = any(group in EVERYBODYS_GROUPS for rule in webhook["rules"] for group in rule["apiGroups"])
        return {**webhook, "namespaceSelector": selector} if everybodys else webhook

    return [
        {**each, "webhooks": [narrow(webhook) for webhook in each["webhooks"]]} if "webhooks" in each else each
        for each in objects
    ]


def drop_kinds(objects: Iterable[Object], *kinds: str) -> list[Object]:
    """Return the objects without those of these kinds."""
    return [each for each in objects if each["kind"] not in kinds]


def waves(objects: Sequence[Object]) -> list[list[Object]]:
    """Part the objects by when they can be applied: what others name, the rest, and what needs their pods to answer.

    An aggregated API whose server does not answer yet holds up the deletion of every namespace.
    """
    first = [each for each in objects if each["kind"] in FIRST]
    last = [each for each in objects if each["kind"] in LAST]
    return [first, drop_kinds(objects, *FIRST, *LAST), last]


def fingerprint(objects: Sequence[Object]) -> str:
    """Return a hash of the objects, by which the cluster is asked whether it has these already."""
    return hashlib.sha256(json.dumps(objects, sort_keys=True).encode()).hexdigest()[:16]


def workloads(objects: Iterable[Object]) -> list[Object]:
    """Return what runs pods."""
    return [each for each in objects if each["kind"] in WORKLOADS]


def _run(container: Object, reference: str) -> Object:
    return {**container, "image": reference, "imagePullPolicy": "IfNotPresent"}


def _each_container(manifest: Object, change: Callable[[Object], Object]) -> Object:
    if manifest["kind"] not in WORKLOADS:
        return manifest
    template = manifest["spec"]["template"]
    containers = [change(container) for container in template["spec"]["containers"]]
    spec = {**template["spec"], "containers": containers}
    return {**manifest, "spec": {**manifest["spec"], "template": {**template, "spec": spec}}}
