"""A Model that is deleted takes its files with it: from the watch to the Job, and to the end of the record."""

import asyncio
from typing import Any

import msgspec
import pytest

from penstock.act.controllers import controllers
from penstock.act.reconciler import Reconciler
from penstock.decide.model_resource import model_resource
from penstock.decide.objects.children import RECORD
from penstock.decide.settings import Settings
from penstock.kubernetes.kinds import Key, Object
from penstock_jobs.contract.result import ModelReference
from unit.act.fake_api import FakeApi, status
from unit.act.shell_parts import NOW, Shell
from unit.decide_run.examples_of_runs import manifest


def a_model(name: str = "m", policy: str = "Delete") -> Object:
    reference = ModelReference(name=name, uri=f"s3://ml-team/churn/models/{name}", digest=f"sha256:{'0' * 64}")
    made = model_resource(reference, manifest(name), run="churn-1", pipeline_uid="p", deletion_policy=policy)  # type: ignore[arg-type]
    there: Object = msgspec.json.decode(msgspec.json.encode(made))
    there["metadata"] |= {"namespace": "team"}
    return there


def definition(name: str, **metadata: Any) -> Object:
    kind, version = ("CustomResourceDefinition", "apiextensions.k8s.io/v1") if "." in name else ("Namespace", "v1")
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, **metadata}}


class Stage:
    """An API server in memory with a namespace and the definition of Models, and an operator."""

    def __init__(self) -> None:
        self.api = FakeApi()
        self.namespace = self.api.put(definition("team"))
        self.definition = self.api.put(definition("models.penstock.dev"))

    def begin(self) -> None:
        self.shell = Shell(self.api)
        shell = self.shell
        table = controllers(shell.view, shell.client, Settings(), lambda: NOW)
        self.reconciler = Reconciler(table, shell.view, shell.applier, shell.queue, shell.metrics, lambda: NOW)

    async def rest(self) -> None:
        """Work until there is nothing left to do."""
        while len(self.shell.queue):
            key = await self.shell.queue.take()
            self.shell.queue.done(key, await self.reconciler.reconcile(key))

    async def model_with_a_record(self) -> Object:
        self.begin()
        model = self.api.put(a_model())
        self.shell.view.on_update(model)
        await self.rest()
        assert self.of("ControllerRevision")
        return model

    async def without(self, model: Object) -> None:
        self.api.remove(model)
        self.shell.view.on_delete(Key("Model", "team", model["metadata"]["name"]), model["metadata"]["uid"])
        await self.rest()

    def of(self, kind: str) -> list[Object]:
        return [each for each in self.api.objects.values() if each["kind"] == kind]


def test_a_job_is_made_when_the_model_is_gone_and_the_record_goes_when_it_is_complete() -> None:
    stage = Stage()

    async def all_of_it() -> None:
        model = await stage.model_with_a_record()
        await stage.without(model)
        [job] = stage.of("Job")
        assert job["metadata"]["labels"][RECORD] == model["metadata"]["uid"]
        complete = {"conditions": [{"type": "Complete", "status": "True"}]}
        stage.shell.view.on_update(stage.api.put(job | {"status": complete}))
        await stage.rest()

    asyncio.run(all_of_it())

    assert stage.of("ControllerRevision") == []
    assert [each["reason"] for each in stage.of("Event")] == ["FilesDeleted"]
    assert 'penstock_cleanings_total{reason="FilesDeleted"} 1.0' in stage.shell.metrics.text().decode()


@pytest.mark.parametrize("which", ["definition", "namespace"])
@pytest.mark.parametrize("moment", ["going", "gone", "made again"])
def test_no_job_is_made_where_the_kind_or_the_namespace_goes(which: str, moment: str) -> None:
    stage = Stage()

    async def all_of_it() -> None:
        model = await stage.model_with_a_record()
        there = getattr(stage, which)
        stage.api.remove(there)
        if moment != "gone":
            deleted = {"deletionTimestamp": "2026-11-21T12:00:00Z"} if moment == "going" else {}
            stage.api.put(definition(there["metadata"]["name"], **deleted))
        await stage.without(model)

    asyncio.run(all_of_it())

    assert stage.of("Job") == []
    assert (stage.of("ControllerRevision") == []) == (moment == "made again")


def test_no_job_is_made_where_only_our_view_lost_the_model() -> None:
    stage = Stage()

    async def all_of_it() -> None:
        model = await stage.model_with_a_record()
        stage.shell.view.on_delete(Key("Model", "team", model["metadata"]["name"]), model["metadata"]["uid"])
        await stage.rest()

    asyncio.run(all_of_it())

    assert stage.of("Job") == []


def test_no_job_is_made_while_the_kind_is_not_served() -> None:
    stage = Stage()

    async def all_of_it() -> None:
        model = await stage.model_with_a_record()
        stage.api.fault = lambda request: status(404, "NotFound") if "/models" in request.path else None
        await stage.without(model)

    asyncio.run(all_of_it())

    assert stage.of("Job") == []
    assert stage.of("ControllerRevision")


def test_a_model_that_was_deleted_while_no_operator_was_there_takes_its_files_with_it_too() -> None:
    stage = Stage()

    async def all_of_it() -> None:
        model = await stage.model_with_a_record()
        stage.api.remove(model)
        [record] = stage.of("ControllerRevision")
        stage.begin()
        stage.shell.view.on_update(record)
        await stage.rest()

    asyncio.run(all_of_it())

    assert len(stage.of("Job")) == 1
