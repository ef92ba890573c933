"""`podTemplate` of a job's settings: laid over our pod by strategic merge, and refused where it breaks what must hold.

What must hold of every pod: the Pod Security Standard `restricted` (https://kubernetes.io/docs/concepts/security/
pod-security-standards/, as of 1.34), no token of a service account, and what the operator reads a job's end from.
"""

from collections.abc import Iterator
from typing import Any

from penstock.api.environment_names import FORBIDDEN_SENTENCE, is_forbidden
from penstock.decide.objects.children import Object
from penstock_jobs.contract.errors import Refused

POD_SECURITY: Object = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
CONTAINER_SECURITY: Object = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}
_CONTAINERS = ("initContainers", "containers")
# The field by which items of a list are the same, of the lists of a PodSpec (`patchMergeKey` of its Go types).
_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "volumes": "name",
    "env": "name",
    "imagePullSecrets": "name",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "ports": "containerPort",
    "hostAliases": "ip",
    "topologySpreadConstraints": "topologyKey",
    "resourceClaims": "name",
}
_ELSEWHERE = {
    "serviceAccountName": "serviceAccountName",
    "serviceAccount": "serviceAccountName",
    "imagePullSecrets": "imagePullSecrets",
}
_LISTS = {*_KEYS, "tolerations", "sysctls", "sources", "ephemeralContainers"}
_TEXTS = {"add", "drop"}
_NEEDED = {"spec", "metadata"}
_OBJECTS = {
    *_NEEDED,
    "appArmorProfile",
    "capabilities",
    "emptyDir",
    "httpGet",
    "labels",
    "lifecycle",
    "livenessProbe",
    "postStart",
    "preStop",
    "projected",
    "readinessProbe",
    "seLinuxOptions",
    "seccompProfile",
    "securityContext",
    "startupProbe",
    "tcpSocket",
    "windowsOptions",
}
_VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
_SYSCTLS = {
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
}
_SELINUX = {None, "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}


def merge_pod_template(pod: Object, template: Object, field: str) -> Object:
    """Return the pod with the template laid over it by strategic merge.

    Tolerations are added to those that are there; every other list without a key takes the place of ours, and a null
    takes a field away, as in Kubernetes.

    Raises:
        Refused: the pod would break what must hold of it; the sentence names the field beneath `field`.
    """
    for directive in _directives(template, field):
        raise Refused(f"{directive} is a directive of a patch; podTemplate has only fields of a PodTemplateSpec.")
    for wrong in _shape_faults(template, field):
        raise Refused(f"{wrong}, as a PodTemplateSpec has it; correct it.")
    merged: Object = _merge(pod, template, "")
    spec = merged["spec"]
    for group in _CONTAINERS:
        spec[group] = [_secure(container) for container in spec.get(group) or []]
    if not spec["initContainers"]:
        del spec["initContainers"]
    for breach in (*_fields_elsewhere(template), *_changes(pod["spec"], spec), *breaches(spec)):
        raise Refused(f"{field}.spec.{breach}")
    return {"metadata": _metadata(pod, merged, field), "spec": spec}


def _metadata(pod: Object, merged: Object, field: str) -> Object:
    """Return the metadata of the pod, in which our labels are ours: children are found by them."""
    metadata = merged["metadata"]
    for name in sorted(set(metadata) - {"labels", "annotations"}):
        raise Refused(f"{field}.metadata.{name} is not for a pod of a Job; only labels and annotations are.")
    return {**metadata, "labels": {**(metadata.get("labels") or {}), **pod["metadata"]["labels"]}}


def breaches(spec: Object) -> Iterator[str]:
    """Yield, for each way in which a PodSpec is less than `restricted`, the field and what to do."""
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(name):
            yield f"{name} shares the node's own with the pod, which Penstock's pods may not; remove it."
    if spec.get("automountServiceAccountToken") is not False:
        yield "automountServiceAccountToken would give the job a token of the API; remove it."
    yield from _security(spec.get("securityContext") or {}, "securityContext", pod=True)
    for volume in spec.get("volumes") or []:
        yield from _volume(volume)
    if spec.get("ephemeralContainers"):
        yield "ephemeralContainers is for debugging by kubectl; remove it."
    for group in _CONTAINERS:
        for container in spec.get(group) or []:
            yield from _container(container, f"{group}[{container.get('name')}]")


def _container(container: Object, place: str) -> Iterator[str]:
    context = container.get("securityContext") or {}
    yield from _security(context, f"{place}.securityContext", pod=False)
    if context.get("privileged"):
        yield f"{place}.securityContext.privileged gives the container the node; remove it."
    if context.get("allowPrivilegeEscalation") is not False:
        yield f"{place}.securityContext.allowPrivilegeEscalation must be false; remove it."
    capabilities = context.get("capabilities") or {}
    if "ALL" not in (capabilities.get("drop") or []):
        yield f"{place}.securityContext.capabilities.drop must hold ALL; remove it."
    if set(capabilities.get("add") or []) - {"NET_BIND_SERVICE"}:
        yield f"{place}.securityContext.capabilities.add may hold NET_BIND_SERVICE alone; remove the others."
    if context.get("procMount") not in (None, "Default"):
        yield f"{place}.securityContext.procMount must be Default; remove it."
    for port in container.get("ports") or []:
        if port.get("hostPort"):
            yield f"{place}.ports opens a port of the node; remove hostPort."
    for name, handler in _handlers(container):
        if any((handler.get(kind) or {}).get("host") for kind in ("httpGet", "tcpSocket")):
            yield f"{place}.{name} may not name another host; remove host."


def _security(context: Object, place: str, *, pod: bool) -> Iterator[str]:
    """Yield what is wrong with the fields that a pod's and a container's security context share."""
    if context.get("runAsNonRoot") not in ((True,) if pod else (None, True)):
        yield f"{place}.runAsNonRoot must be true; remove it."
    if context.get("runAsUser") == 0:
        yield f"{place}.runAsUser may not be 0, which is root; name another user."
    seccomp = (context.get("seccompProfile") or {}).get("type")
    if seccomp not in (("RuntimeDefault", "Localhost") if pod else (None, "RuntimeDefault", "Localhost")):
        yield f"{place}.seccompProfile.type must be RuntimeDefault or Localhost; remove it."
    apparmor = (context.get("appArmorProfile") or {}).get("type")
    if apparmor not in (None, "RuntimeDefault", "Localhost"):
        yield f"{place}.appArmorProfile.type must be RuntimeDefault or Localhost; remove it."
    selinux = context.get("seLinuxOptions") or {}
    if selinux.get("type") not in _SELINUX or selinux.get("user") or selinux.get("role"):
        yield f"{place}.seLinuxOptions may name a container type alone, no user and no role; remove it."
    if (context.get("windowsOptions") or {}).get("hostProcess"):
        yield f"{place}.windowsOptions.hostProcess gives the container the node; remove it."
    for sysctl in context.get("sysctls") or []:
        if sysctl.get("name") not in _SYSCTLS:
            yield f"{place}.sysctls has {sysctl.get('name')}, which is not a safe one; remove it."


def _volume(volume: Object) -> Iterator[str]:
    place = f"volumes[{volume.get('name')}]"
    for kind in sorted(set(volume) - {"name"} - _VOLUMES):
        yield f"{place}.{kind} is a kind of volume that Penstock's pods may not have; use another."
    for source in (volume.get("projected") or {}).get("sources") or []:
        if source.get("serviceAccountToken") or source.get("podCertificate"):
            yield f"{place}.projected would give the job a token of the API; remove that source."


def _handlers(container: Object) -> Iterator[tuple[str, Object]]:
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        yield name, container.get(name) or {}
    for name in ("postStart", "preStop"):
        yield f"lifecycle.{name}", (container.get("lifecycle") or {}).get(name) or {}


def _fields_elsewhere(template: Object) -> Iterator[str]:
    """Yield what has a field of its own, on which the author's rights are asked."""
    spec = template.get("spec") or {}
    for name, instead in _ELSEWHERE.items():
        if spec.get(name):
            yield f"{name} has a field of the job's own; use {instead} there."


def _changes(ours: Object, merged: Object) -> Iterator[str]:
    """Yield what the operator relies on and the template changed."""
    if merged.get("restartPolicy") != ours.get("restartPolicy"):
        yield "restartPolicy is Penstock's own, which counts the attempts; remove it."
    for mine in ours["containers"]:
        place = f"containers[{mine['name']}]"
        now: Object = next((each for each in merged["containers"] if each.get("name") == mine["name"]), {})
        for name in ("terminationMessagePath", "terminationMessagePolicy"):
            if now.get(name) != mine.get(name):
                yield f"{place}.{name} is how the job's result is read; remove it."
        if now.get("envFrom"):
            yield f"{place}.envFrom sets variables whose names others choose; name each in env, with valueFrom."
        for variable in now.get("env") or []:
            if is_forbidden(str(variable.get("name"))):
                yield f"{place}.env[{variable['name']}]: {FORBIDDEN_SENTENCE}"


def _secure(container: Object) -> Object:
    """Return the container with our security context beneath its own."""
    return {**container, "securityContext": _merge(CONTAINER_SECURITY, container.get("securityContext") or {}, "")}


def _merge(below: Any, above: Any, name: str) -> Any:
    if isinstance(below, dict) and isinstance(above, dict):
        merged = {**below, **{key: _merge(below.get(key), value, key) for key, value in above.items()}}
        return {key: value for key, value in merged.items() if value is not None}
    if isinstance(below, list) and isinstance(above, list):
        if name == "tolerations":
            return below + [each for each in above if each not in below]
        if name in _KEYS:
            return _merge_items(below, above, _KEYS[name])
    if isinstance(above, dict):
        return _merge({}, above, name)
    return above


def _merge_items(below: list[Any], above: list[Any], key: str) -> list[Any]:
    items = {each.get(key): each for each in below}
    for each in above:
        if not isinstance(each, dict) or each.get(key) is None:
            raise Refused(f"podTemplate has an item without {key} in a list where {key} tells items apart; add it.")
        items[each[key]] = _merge(items.get(each[key], {}), each, "")
    return list(items.values())


def _shape_faults(value: Object, place: str) -> Iterator[str]:
    """Yield what the merge or the checks would stumble over: a list that is an object, an object that is text."""
    for key, each in value.items():
        where = f"{place}.{key}"
        if key in _LISTS and each is not None:
            if not isinstance(each, list) or not all(isinstance(item, dict) for item in each):
                yield f"{where} must be a list of objects"
                return
            for item in each:
                yield from _shape_faults(item, where)
        elif key in _TEXTS and each is not None:
            if not isinstance(each, list) or not all(isinstance(item, str) for item in each):
                yield f"{where} must be a list of texts"
        elif key in _OBJECTS or isinstance(each, dict):
            if not isinstance(each, dict) and (each is not None or key in _NEEDED):
                yield f"{where} must be an object"
                return
            yield from _shape_faults(each or {}, where)


def _directives(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, list):
        for position, each in enumerate(value):
            yield from _directives(each, f"{place}[{position}]")
    elif isinstance(value, dict):
        for key, each in value.items():
            if str(key).startswith("$"):
                yield f"{place}.{key}"
            yield from _directives(each, f"{place}.{key}")
