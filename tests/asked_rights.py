"""Which right a request to the API server needs, in the words of RBAC."""

from urllib.parse import parse_qs, urlsplit

from penstock.kubernetes.kinds import Kind
from penstock.kubernetes.rights import Rights

Asked = tuple[str, str, str]  # group, resource (and its subresource), verb


def right_asked(method: str, url: str) -> Asked | None:
    """Return what the request needs, or None where it is for no object (as /version is)."""
    parts = urlsplit(url).path.strip("/").split("/")
    if parts[0] not in ("api", "apis") or len(parts) < (3 if parts[0] == "api" else 4):
        return None
    group, rest = ("", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
    if rest[0] == "namespaces" and len(rest) > 2:
        rest = rest[2:]
    resource, named = "/".join((rest[0], *rest[2:])), len(rest) > 1
    asked = parse_qs(urlsplit(url).query)
    read = "get" if named else "watch" if "watch" in asked else "list"
    return group, resource, {"GET": read, "POST": "create", "PATCH": "patch", "DELETE": "delete"}[method]


def rights_in_words(rights: Rights) -> set[Asked]:
    """Return each single right of a program's table."""
    return {(kind.group, _resource(kind, part), verb) for (kind, part), verbs in rights.items() for verb in verbs}


def _resource(kind: Kind, part: str | None) -> str:
    return kind.plural if part is None else f"{kind.plural}/{part}"
