"""Namespaces of the tests: one for each, that admits only pods of the Pod Security Standard `restricted`."""

import hashlib
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from cluster import evidence
from cluster.kubernetes_api import NAMESPACES, KubernetesApi, Resource

SERVICE_ACCOUNTS = Resource("v1", "serviceaccounts")
LABEL = "penstock.dev/test"
_LONGEST = 40  # leaves room for the names of Services in it, in certificates and in DNS


@dataclass
class Namespaces:
    """Those that tests of this process have open now: their evidence is kept when a test fails."""

    api: KubernetesApi
    open: list[str] = field(default_factory=list)

    @contextmanager
    def one(self, test: str) -> Iterator[str]:
        """Make a namespace for that test, a pytest node id; ask for its end afterwards without waiting for it."""
        name = _name(test)
        self.api.create(_manifest(name))
        self.open.append(name)
        try:
            # Until its controller has made this, every pod is refused.
            self.api.wait_for(SERVICE_ACCOUNTS, "default", name, lambda _: True, what="a default service account")
            yield name
        finally:
            self.open.remove(name)
            if self.api.find(NAMESPACES, name) is not None:  # else the test itself was about its end
                self.api.delete(NAMESPACES, name)

    def keep(self, test: str) -> list[str]:
        """Write the evidence of all that are open; return the folders, one a namespace."""
        shutil.rmtree(evidence.folder_of(test), ignore_errors=True)
        folders = {name: evidence.folder_of(test) / name for name in self.open}
        for name, folder in folders.items():
            evidence.collect(self.api, name, folder)
        return [str(folder) for folder in folders.values()]


def _name(test: str) -> str:
    """Return a name that says which test it is of, and is never had twice."""
    last = re.split(r"::|/", test)[-1].removesuffix(".py").removeprefix("test_")
    said = re.sub(r"[^a-z0-9]+", "-", last.lower()).strip("-")
    ending = hashlib.sha256(f"{test}{uuid.uuid4()}".encode()).hexdigest()[:6]
    return f"t-{said[: _LONGEST - 9].strip('-')}-{ending}"


def _manifest(name: str) -> dict[str, object]:
    security = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
    metadata = {"name": name, "labels": {LABEL: "true", **security}}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
