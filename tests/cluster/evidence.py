"""What is kept of a namespace when a test in it failed: objects, events and logs, in files for people to read.

Nothing here may hide the failure itself: what cannot be read is said in its place.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import urllib3
import yaml

from cluster.kubernetes_api import EVENTS, NODES, PODS, ApiRefused, KubernetesApi, Object, Resource

FOLDER = Path(__file__).parents[2] / ".cache" / "evidence"


def folder_of(test: str) -> Path:
    """Return where the evidence of that test is, a pytest node id."""
    return FOLDER / re.sub(r"[^A-Za-z0-9_.-]+", "-", test.removeprefix("tests/")).strip("-")[:150]


def collect(api: KubernetesApi, namespace: str, folder: Path) -> None:
    """Write all that the cluster has of the namespace into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "events.txt", lambda: _events(api, namespace))
    _write(folder / "nodes.yaml", lambda: _yaml(api.objects(NODES)))
    for resource in _kinds(api):
        _write(folder / f"{resource.plural}.yaml", lambda each=resource: _yaml(api.objects(each, namespace)))  # type: ignore[misc]
    for name, read in _logs(api, namespace):
        _write(folder / "logs" / name, read)


def _kinds(api: KubernetesApi) -> list[Resource]:
    """Return every kind that a namespace can hold, each once, but for events."""
    try:
        versions = ["v1", *(group["preferredVersion"]["groupVersion"] for group in api.json("GET", "/apis")["groups"])]
        found = [kind for version in versions for kind in api.resources(version, verb="list").values()]
    except (ApiRefused, urllib3.exceptions.HTTPError):
        found = [PODS]
    return [kind for kind in found if kind.namespaced and kind.plural != EVENTS.plural]


def _logs(api: KubernetesApi, namespace: str) -> Iterator[tuple[str, Callable[[], str]]]:
    try:
        pods = api.objects(PODS, namespace)
    except (ApiRefused, urllib3.exceptions.HTTPError):
        return
    for pod in pods:
        name, status = pod["metadata"]["name"], pod.get("status", {})
        for container in (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())):
            for previous in (False, True) if container.get("restartCount") else (False,):
                ending = "-previous" if previous else ""

                def read(pod: str = name, container: str = container["name"], previous: bool = previous) -> str:
                    return api.logs(pod, namespace, container, previous=previous)

                yield f"{name}-{container['name']}{ending}.log", read


def _events(api: KubernetesApi, namespace: str) -> str:
    events = sorted(api.objects(EVENTS, namespace), key=_moment)
    return "".join(f"{_moment(each)} {_event_line(each)}\n" for each in events)


def _event_line(event: Object) -> str:
    about, times = event["involvedObject"], event.get("count") or 1
    said = f"{event.get('reason', '')}: {event.get('message', '')}"
    return f"{event.get('type', '')} {about.get('kind')}/{about.get('name')} {said}" + (
        f" ({times} times)" * (times > 1)
    )


def _moment(event: Object) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"]["creationTimestamp"])


def _yaml(objects: list[Object]) -> str:
    return (
        yaml.safe_dump_all([_redact(each) for each in objects], sort_keys=False, allow_unicode=True) if objects else ""
    )


def _redact(item: Object) -> Object:
    """Return the object without what nobody reads, and without what nobody may read."""
    metadata = {name: value for name, value in item["metadata"].items() if name != "managedFields"}
    shown = {**item, "metadata": metadata}
    if item["kind"] == "Secret":
        metadata.pop("annotations", None)  # kubectl apply keeps the whole object in one
        shown["data"] = {name: f"({len(value)} characters)" for name, value in (item.get("data") or {}).items()}
    return shown


def _write(path: Path, read: Callable[[], str]) -> None:
    try:
        content = read()
    except (ApiRefused, urllib3.exceptions.HTTPError) as error:
        content = f"It could not be read: {error}\n"
    if content:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
