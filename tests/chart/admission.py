"""What the API server says of a request by the policies of the chart, in its own code, with no API server."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from penstock.kubernetes.kinds import BY_NAME
from testcluster.programs import build

Object = dict[str, Any]
ADA = "ada"


@dataclass(frozen=True)
class Right:
    """A rule of a Role in the namespace of the request, as `get secrets/mine`; without a name it is to all of them."""

    said: str

    def rule(self) -> Object:
        verb, _, rest = self.said.partition(" ")
        resource, _, name = rest.partition("/")
        group = "penstock.dev" if resource in ("pipelines", "pipelineruns", "triggers", "models") else ""
        return {"group": group, "resource": resource, "verbs": [verb], "names": [name] if name else []}


@dataclass(frozen=True)
class Attempt:
    """What somebody asks of the API server; a deletion has an object that was there, and none that is to be."""

    object: Object | None
    old: Object | None = None
    user: str = ADA
    rights: tuple[str, ...] = ()
    subresource: str = ""

    @property
    def operation(self) -> Literal["CREATE", "UPDATE", "DELETE"]:
        if self.object is None:
            return "DELETE"
        return "CREATE" if self.old is None else "UPDATE"

    def document(self) -> Object:
        subject = self.object or self.old
        assert subject is not None
        kind = BY_NAME[subject["kind"]]
        return {
            "user": self.user,
            "operation": self.operation,
            "group": kind.group,
            "version": kind.version,
            "kind": kind.kind,
            "resource": kind.plural,
            "subresource": self.subresource,
            "namespace": subject["metadata"].get("namespace", "ml"),
            "name": subject["metadata"]["name"],
            "object": _in_namespace(self.object),
            "oldObject": _in_namespace(self.old),
            "rights": [Right(each).rule() for each in self.rights],
        }


def refusals(policies: Sequence[Object], *attempts: Attempt) -> list[list[str]]:
    """Return what the policies say against each attempt."""
    asked = json.dumps({"policies": policies, "requests": [each.document() for each in attempts]})
    program = build("policies") / "policies"
    done = subprocess.run([program], input=asked, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    answers: list[list[str]] = json.loads(done.stdout)
    return answers


def _in_namespace(there: Object | None) -> Object | None:
    """Return the object in the namespace that it is asked for in, as the API server has it before any policy looks."""
    return there and {**there, "metadata": {"namespace": "ml", **there["metadata"]}}
