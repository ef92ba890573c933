"""An upgrade and the way back, with a Pipeline that is served under load and a run in each step: nobody notices.

What an upgrade is here: CRDs with one field more, which has a default, and an operator that has another serving image.
"""

import copy
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest

from cluster.callers import REVISION, Caller, rows_of_breast_cancer, start_caller
from cluster.custom_resources import definitions, is_established
from cluster.kubernetes_api import CRDS, SERVICES, KubernetesApi, Object
from cluster.operator_process import OperatorProcess
from cluster.sites import PIPELINES, NewSite, Site, step_of

NAME = "breast-cancer"
PREDICT = f"http://{NAME}/v1/models/{NAME}:predict"
STEPS = ("dataset", "training")
# With other CRDs, which all tests share, only in the soak.
ORDERS = [
    ("operator",),
    pytest.param(("crds", "operator"), marks=[pytest.mark.soak, pytest.mark.timeout(1800)]),
    pytest.param(("operator", "crds"), marks=[pytest.mark.soak, pytest.mark.timeout(1800)]),
]


@dataclass
class Upgrade:
    """A served Pipeline, and the operator that works at the moment; each change has a run of its own."""

    site: Site
    serving_image: str
    operator: OperatorProcess
    model: str
    operators: ExitStack
    runs: int = 0

    def change(self, what: str, *, back: bool) -> None:
        """Upgrade one thing, or put it back, while a run is at work; touch the Pipeline, and wait until all is done."""
        self.runs += 1
        run = self.site.run(NAME, *STEPS, name=f"during-{self.runs}")
        self.site.pod(run, "dataset", lambda pod: True, "a pod of the dataset job")
        before = self.revision()
        if what == "crds":
            _define_pipelines(self.site.api, with_motto=not back)
        else:
            self._replace_operator(back=back)
        touched = {"metadata": {"annotations": {"touched": run}}}
        self.site.api.patch(PIPELINES, NAME, touched, self.site.namespace)
        self.site.wait_for_success(run)
        if what == "operator":
            self._wait_until_served_by(lambda revision: revision != before)
        for step in STEPS:
            assert len(self.site.jobs(run, step)) == len(self.site.pods(run, step)) == 1

    def revision(self) -> str:
        """Return the revision that the Service selects."""
        return str(self.service()["spec"]["selector"][REVISION])

    def service(self) -> Object:
        return self.site.api.get(SERVICES, NAME, self.site.namespace)

    def status(self) -> Object:
        found: Object = self.site.api.get(PIPELINES, NAME, self.site.namespace)["status"]
        return found

    def _replace_operator(self, *, back: bool) -> None:
        assert self.operator.stop() == 0
        images = {"images": {**self.site.settings["images"], "serving": self.serving_image}}
        self.operator = self.operators.enter_context(self.site.another_operator({} if back else images))
        self.operator.wait_until_ready()

    def _wait_until_served_by(self, holds: Callable[[str], bool]) -> None:
        def is_served(pipeline: Object) -> bool:
            status = pipeline["status"]
            ready = next(each for each in status["conditions"] if each["type"] == "Ready")
            return ready["reason"] == "ModelServed" and holds(status["servedModel"]["revision"])

        self.site.api.wait_for(PIPELINES, NAME, self.site.namespace, is_served, what="servers of the other image")


def _define_pipelines(api: KubernetesApi, *, with_motto: bool) -> None:
    """Give the API server the CRD of Pipelines, as it is or with one field more that has a default."""
    definition = copy.deepcopy(next(each for each in definitions() if each["spec"]["names"]["kind"] == "Pipeline"))
    [version] = definition["spec"]["versions"]
    if with_motto:
        fields = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
        fields["motto"] = {"type": "string", "default": "onwards"}
    api.apply(definition)
    api.wait_for(CRDS, definition["metadata"]["name"], None, is_established, what="an established CRD")


@contextmanager
def _served(new_site: NewSite, image: Callable[[str], str]) -> Iterator[tuple[Upgrade, Caller]]:
    """Give a Pipeline that is served, and who calls it."""
    with new_site("upgrade") as site, ExitStack() as operators:
        site.pipeline(NAME, deployment={"selection": {"scoring": "roc_auc", "minimum": "0.5"}})
        run = site.run(NAME, *STEPS, "testing", "deployment", name="first")
        model = str(step_of(site.wait_for_success(run), "deployment")["deployment"]["served"])
        upgrade = Upgrade(site, image("serving"), site.operator, model, operators)
        caller = start_caller(site.api, site.namespace, image("serving"), PREDICT, rows_of_breast_cancer())
        caller.wait_for(model)
        try:
            yield upgrade, caller
        finally:
            _define_pipelines(site.api, with_motto=False)


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_through_an_upgrade_and_back_each_request_is_answered_each_step_is_done_once_and_no_status_is_lost(
    new_site: NewSite, image: Callable[[str], str], order: tuple[str, ...]
) -> None:
    with _served(new_site, image) as (upgrade, caller):
        before, revision, service = upgrade.status(), upgrade.revision(), upgrade.service()

        for what in order:
            upgrade.change(what, back=False)
        upgraded = upgrade.revision()
        for what in order:
            upgrade.change(what, back=True)

        after = upgrade.status()
        assert (upgrade.revision() == revision, upgraded == revision) == (True, False)
        assert upgrade.service()["metadata"]["uid"] == service["metadata"]["uid"]
        assert {line for line in caller.read_answers() if line} == {f"answer {upgrade.model}"}
        assert after["servedModel"] == before["servedModel"]
        assert [after.get(name) for name in ("selectedModel", "anchorModel", "url")] == [
            before.get(name) for name in ("selectedModel", "anchorModel", "url")
        ]
