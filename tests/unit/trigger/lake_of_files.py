"""A lake of files that a Trigger waits for: a cluster whose looks are carried out here, at a folder for its bucket."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from penstock.kubernetes.kinds import Object
from penstock_jobs.contract import document
from penstock_jobs.contract.result import Failure, JobResult
from penstock_jobs.contract.specification import JobSpecification, LookJob
from penstock_jobs.contract.termination_message import TerminationMessage
from penstock_jobs.looking import look
from unit.trigger.trigger_cluster import NAMESPACE, TriggerCluster, TriggerOperator

ROWS: dict[str, Any] = {"objects": {"input": "rows", "interval": "5m"}}


class Lake:
    """A cluster with a Pipeline whose input is a folder here, and whose Jobs this class carries out."""

    def __init__(self, folder: Path, **spec: Any) -> None:
        self.files, self.storage = folder / "rows", folder / "storage"
        self.files.mkdir(parents=True)
        self.cluster = TriggerCluster()
        self.apply_pipeline()
        self.cluster.apply_trigger(**{**ROWS, "concurrencyPolicy": "Allow", **spec})
        self.restart()

    def restart(self) -> None:
        """Let another process of the operator take over."""
        self.operator = TriggerOperator(self.cluster)

    def apply_pipeline(self, **table: Any) -> None:
        tables = [{"name": "rows", "uri": "s3://lake/rows/*.csv", **table}]
        storage = {"s3": {"bucket": "ml-team", "prefix": "churn"}, "credentials": {"write": {"secretName": "store"}}}
        self.cluster.apply_pipeline(storage=storage, dataset={"inputs": tables, "target": {"column": "y"}})

    def arrive(self, name: str, content: str = "a") -> None:
        (self.files / name).write_text(content, "utf-8")

    def pass_by(self, minutes: float = 5.0) -> None:
        """Let time pass, in which one look at most is due, and its Job is carried out at once."""
        self.cluster.now += timedelta(minutes=minutes)
        self.settle()

    def settle(self) -> None:
        """Let the operator and the Jobs do all that there is to do now."""
        self.operator.settle()
        while self.work():
            self.operator.settle()

    def work(self) -> bool:
        """Carry out the Jobs that are there; return whether there was one."""
        found = [job for job in self.of_kind("Job") if not job.get("status")]
        for job in found:
            self.end(job, self.look_for(job))
        return bool(found)

    def look_for(self, job: Object) -> JobResult:
        """Look, as the pod of the Job does, at the folder that stands for the bucket."""
        asked = self.asked(job)
        here = msgspec.structs.replace(asked.input.location, uri=f"{self.files.as_uri()}/*.csv")
        input_here = msgspec.structs.replace(asked.input, location=here)
        memory = msgspec.structs.replace(asked.memory, uri=(self.storage / asked.memory.uri[5:]).as_uri())
        return look(msgspec.structs.replace(asked, input=input_here, memory=memory), self.cluster.now)

    def end(self, job: Object, result: JobResult | None) -> None:
        """Let the Job end, with this result; with None its pod went before anybody heard it."""
        failed = isinstance(result, Failure)
        kind, code = ("Failed", 2) if failed else ("Complete", 0)
        condition = {"type": kind, "status": "True", "reason": "PodFailurePolicy", "message": ""}
        self.cluster.api.put(job | {"status": {"conditions": [condition]}})
        if result is not None:
            message = msgspec.json.encode(TerminationMessage(result=result)).decode()
            state = {"terminated": {"exitCode": code, "message": message}}
            self.put_pod(job, {"containerStatuses": [{"name": "job", "state": state}]})

    def asked(self, job: Object) -> LookJob:
        volumes = job["spec"]["template"]["spec"]["volumes"]
        name = next(each["configMap"]["name"] for each in volumes if each["name"] == "specification")
        data = next(each["data"] for each in self.of_kind("ConfigMap") if each["metadata"]["name"] == name)
        asked: JobSpecification = document.decode(data["specification.json"], JobSpecification, "It")
        assert isinstance(asked, LookJob)
        return asked

    def of_kind(self, kind: str) -> list[Object]:
        return [each for each in self.cluster.api.objects.values() if each["kind"] == kind]

    def events(self) -> list[str]:
        return [run["spec"]["trigger"]["event"]["id"] for run in self.cluster.runs()]

    def look(self) -> Object:
        found: Object = self.cluster.status()["look"]
        return found

    def message(self) -> str:
        conditions = self.cluster.status()["conditions"]
        return str(next(each["message"] for each in conditions if each["type"] == "Ready"))

    def put_pod(self, job: Object, status: Object) -> None:
        metadata = job["metadata"]
        owner = {"apiVersion": "batch/v1", "kind": "Job", "name": metadata["name"], "uid": metadata["uid"]}
        self.cluster.api.put(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {
                    "namespace": NAMESPACE,
                    "name": f"{metadata['name']}-x",
                    "uid": f"pod-of-{metadata['uid']}",
                    "labels": metadata["labels"],
                    "ownerReferences": [{**owner, "controller": True}],
                },
                "spec": {},
                "status": status,
            }
        )
