"""Servers without an operator: Deployment and Service are applied by hand, from the operator's own builders."""

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from cluster.hand_made_runs import READER, HandMadeRun, condition_of, ends_of, strip_owner
from cluster.kubernetes_api import DEPLOYMENTS, PODS, Object
from penstock.api.credentials import SecretReference
from penstock.api.jobs import JobSettings
from penstock.decide.model_resource import model_resource
from penstock.decide.objects.children import Owner
from penstock.decide.objects.places import ClusterPlaces
from penstock.decide.objects.pod_template import CONTAINER_SECURITY, POD_SECURITY
from penstock.decide.objects.service import service, url
from penstock.decide.objects.serving import Serving, deployment, deployment_name, serving_file
from penstock_jobs.contract import document
from penstock_jobs.contract.manifest import ModelManifest
from penstock_jobs.contract.result import ModelReference

SERVICE_PORT = 80
# What a neighbour in the cluster does: it knows the name of the Service, and leaves the answer where the test reads it.
_ASK = """
import sys, urllib.request
request = urllib.request.Request(sys.argv[1], sys.argv[2].encode(), {"Content-Type": "application/json"})
with urllib.request.urlopen(request, timeout=30) as response:
    open("/dev/termination-log", "wb").write(response.read())
"""


@dataclass(frozen=True)
class HandMadeServer:
    """The server of one Model of a run, behind a Service of the Pipeline's name."""

    run: HandMadeRun
    model: ModelReference
    image: str
    uid: str = field(default_factory=lambda: str(uuid4()))

    @property
    def owner(self) -> Owner:
        name = self.run.pipeline.metadata.name or ""
        return Owner(namespace=self.run.namespace, name=name, uid=self.uid, pipeline=name, kind="Pipeline")

    def start(self) -> None:
        """Create all, and return once the Deployment is available: its pods have answered that they are ready."""
        owner, api = self.owner, self.run.api
        serving = self._serving(owner)
        made = (serving_file(serving), deployment(serving, 1), service(owner, SERVICE_PORT, serving.revision))
        for each in made:
            api.create(strip_owner(each))
        name = deployment_name(owner, serving.revision)
        available = "the server available"
        api.wait_for(DEPLOYMENTS, name, owner.namespace, lambda each: condition_of(each, "Available"), what=available)

    def ask(self, path: str, body: Object | None = None) -> Any:
        """Ask the server from this machine, through the Service and the API server; None sends a GET."""
        proxied = f"/api/v1/namespaces/{self.owner.namespace}/services/{self.owner.name}:http/proxy{path}"
        content = None if body is None else json.dumps(body).encode()
        return json.loads(self.run.api.request("GET" if body is None else "POST", proxied, content) or b"null")

    def ask_from_a_pod(self, path: str, body: Object) -> Any:
        """Ask the server as a neighbour in the cluster does, by the name of the Service."""
        api, namespace = self.run.api, self.owner.namespace
        command = ["python", "-c", _ASK, f"{url(self.owner, SERVICE_PORT)}{path}", json.dumps(body)]
        container = {"name": "ask", "image": self.image, "command": command, "securityContext": CONTAINER_SECURITY}
        spec = {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "securityContext": POD_SECURITY,
            "containers": [container],
        }
        api.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "neighbour"}, "spec": spec}, namespace)
        pod = api.wait_for(PODS, "neighbour", namespace, lambda each: ends_of([each]), what="an end of the neighbour")
        (ended,) = ends_of([pod])
        assert ended.code == 0, api.logs("neighbour", namespace, "ask")
        return json.loads(ended.said)

    def _serving(self, owner: Owner) -> Serving:
        uri = f"{self.model.uri}/manifest.json"
        content = self.run.buckets.store(self.model.uri).read("manifest.json")
        resource = model_resource(
            self.model,
            document.decode(content, ModelManifest, uri),
            run=None,
            pipeline_uid=None,
            endpoint=self.run.buckets.server.inside,
            credentials=SecretReference(secret_name=READER),
        )
        return Serving(owner, resource, ClusterPlaces(owner.namespace).model(resource), self.image, JobSettings())
