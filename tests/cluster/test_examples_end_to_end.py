"""An example through the operator, in real pods on a real S3 server, is served as a laptop makes it.

All that are asked for run at once under one operator, while this machine runs the same manifests with no cluster.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cluster.git_server import PRIVATE, GitServer, git_server, login
from cluster.hand_made_runs import ROOT, pipeline_on_cluster
from cluster.kubernetes_api import Object
from cluster.laptop_runs import (
    TOLERANCE,
    LaptopRun,
    RunResults,
    assert_same_candidates,
    assert_same_testing,
    read_results,
    start_run,
)
from cluster.sites import PIPELINES, NewSite, Site, has_ended, run_condition
from penstock_jobs.contract.manifest import ModelManifest, Sample
from penstock_jobs.contract.result import ModelReference
from penstock_jobs.storage import Store
from testcluster.what_was_shown import Lacks

OWN = "own-operations/pipeline"
# The tests of the laptop run the short ones, and what README says runs breast-cancer: here they are in the soak.
ELSEWHERE = ("breast-cancer", "diabetes", "penguins", "wine")
EXAMPLES = ("weather", OWN, "digits", *(pytest.param(each, marks=pytest.mark.soak) for each in ELSEWHERE))
REPOSITORY = "repository"
OF_NETWORKS = 0.01  # of scores of a network, which another processor or GPU gives slightly different weights
SECONDS = 1200  # for all runs at once, on a machine that does much else
TOLERANCES = {"network": OF_NETWORKS}

# The first of these waits for all that runs at once.
pytestmark = pytest.mark.timeout(SECONDS + 600)


@dataclass(frozen=True)
class Applied:
    """The examples on the cluster, and what runs the same on this machine."""

    site: Site
    images: dict[str, str]
    git: GitServer
    home: Path


@dataclass(frozen=True)
class Done:
    """An example that has come to its end in both places."""

    name: str
    run: Object
    pipeline: Object
    store: Store
    laptop: LaptopRun
    laptop_store: Store
    site: Site

    @property
    def on_cluster(self) -> RunResults:
        return read_results(self.store)

    @property
    def on_laptop(self) -> RunResults:
        return read_results(self.laptop_store)

    @property
    def tolerance(self) -> float:
        return OF_NETWORKS if self.name == "digits" else TOLERANCE

    def ask(self, path: str, body: Object) -> Any:
        """Ask the server of the Pipeline, through its Service."""
        service = f"/api/v1/namespaces/{self.site.namespace}/services/{self.name}:http/proxy"
        return json.loads(self.site.api.request("POST", f"{service}{path}", json.dumps(body).encode()))


@pytest.fixture(scope="module")
def applied(
    new_site: NewSite,
    image: Callable[[str], str],
    lacking: Lacks,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Applied]:
    names = ("jobs", "serving", "source", *(() if lacking("gpu") else ("torch",)))
    images = {name: image(name) for name in names}
    with ExitStack() as stack:
        made = stack.enter_context(new_site("examples", images))
        content = ROOT / "examples" / "own-operations"
        server = git_server(made.api, made.namespace, images["source"], content, tmp_path_factory.mktemp("git"))
        git = stack.enter_context(server)
        made.api.create(login(REPOSITORY), made.namespace)
        for example in asked_for(request.session.items):
            if example != "digits" or "torch" in images:
                apply(made, example, git)
        yield Applied(made, images, git, tmp_path_factory.mktemp("home"))


def asked_for(items: Iterable[pytest.Item]) -> set[str]:
    """Return the examples of the tests of this file that are going to run."""
    here = [item for item in items if isinstance(item, pytest.Function) and item.path == Path(__file__)]
    parameters = [item.callspec.params for item in here if hasattr(item, "callspec")]
    return {OWN, *(str(each["done"]) for each in parameters)}


def apply(site: Site, example: str, git: GitServer) -> None:
    """Apply an example, where only its inputs, storage and repository are the cluster's, and a run of it."""
    changes: dict[str, Any] = {}
    if example == OWN:
        changes["source__git"] = {"url": git.url(PRIVATE), "revision": "main"}
        changes["source__git"]["credentials"] = {"secretName": REPOSITORY}
    if example == "digits":
        changes["jobs__training"] = {"gpu": {"count": 1, "required": False}, "timeout": "10m"}
    made = pipeline_on_cluster(example, site.namespace, site.buckets, **changes)
    manifest: Object = msgspec.json.decode(msgspec.json.encode(made))
    name = manifest["metadata"]["name"]
    site.api.create(manifest, site.namespace)
    # As the first run on a laptop is called: it is in the names of the Models.
    site.run(name, "dataset", "training", "testing", "deployment", name=f"{name}-1", executionName="run")


@pytest.fixture(scope="module")
def done_with(applied: Applied) -> Iterator[Callable[[str], Done]]:
    """What gives an example once it is done in both places. One at a time runs here, beside all those in pods."""
    with ExitStack() as stack:

        @lru_cache
        def done(example: str) -> Done:
            site = applied.site
            laptop = stack.enter_context(start_run(example, applied.home / example))
            store, name = laptop.store, laptop.pipeline
            run = site.wait_until(f"{name}-1", has_ended, "an end of the run", SECONDS)
            assert run_condition(run)["status"] == "True", run_condition(run)
            pipeline = site.api.get(PIPELINES, name, site.namespace)
            return Done(name, run, pipeline, site.store(f"{name}-1"), laptop, store, site)

        yield done


@pytest.fixture(params=EXAMPLES)
def done(request: pytest.FixtureRequest, done_with: Callable[[str], Done], lacking: Lacks) -> Done:
    if request.param == "digits" and (reason := lacking("gpu")):
        pytest.skip(reason)
    return done_with(request.param)


def test_the_tables_are_those_of_a_laptop(done: Done) -> None:
    assert done.on_cluster.tables == done.on_laptop.tables
    assert done.on_cluster.dataset.leak_proof == done.on_laptop.dataset.leak_proof


def test_the_candidates_and_their_scores_are_those_of_a_laptop(done: Done) -> None:
    assert_same_candidates(done.store, done.laptop_store, TOLERANCES)


def test_the_same_models_are_kept_and_score_alike_on_the_testing_set(done: Done) -> None:
    on_cluster, on_laptop = done.on_cluster, done.on_laptop
    assert [each.name for each in on_cluster.training.models] == [each.name for each in on_laptop.training.models]
    assert_same_testing(on_cluster, on_laptop, done.tolerance)


def test_the_model_that_a_laptop_chooses_is_served(done: Done) -> None:
    assert done.pipeline["status"]["servedModel"]["name"] == done.laptop.model_name


def test_the_service_predicts_as_the_model_of_the_laptop(done: Done) -> None:
    (chosen,) = [each for each in done.on_laptop.training.models if each.name == done.laptop.model_name]
    samples = samples_of(chosen)

    answer = done.ask(f"/v1/models/{done.name}:predict", {"instances": [each.row for each in samples]})

    assert answer["model"] == chosen.name
    if samples[0].probabilities:
        assert answer["predictions"] == [each.prediction for each in samples]
        assert answer["probabilities"] == [pytest.approx(each.probabilities, abs=done.tolerance) for each in samples]
    else:
        assert answer["predictions"] == [pytest.approx(each.prediction, abs=done.tolerance) for each in samples]


def test_a_run_with_operations_of_ones_own_says_which_commit_they_were_at(
    applied: Applied, done_with: Callable[[str], Done]
) -> None:
    done = done_with(OWN)
    assert done.run["status"]["commit"] == applied.git.commit


def test_a_model_of_a_class_of_ones_own_answers_as_on_a_laptop_once_it_is_pinned(
    done_with: Callable[[str], Done],
) -> None:
    done = done_with(OWN)
    (own,) = [each for each in done.on_laptop.training.models if each.algorithm == "nearest-mean"]
    site = done.site

    site.api.patch(PIPELINES, done.name, {"spec": {"deployment": {"model": own.name}}}, site.namespace)
    site.api.wait_for(
        PIPELINES, done.name, site.namespace, partial(serves, own.name), what=f"{own.name} served", seconds=SECONDS
    )

    samples = samples_of(own)
    answer = done.ask(f"/v1/models/{done.name}:predict", {"instances": [each.row for each in samples]})
    assert answer["model"] == own.name
    assert answer["predictions"] == [each.prediction for each in samples]


def samples_of(model: ModelReference) -> tuple[Sample, ...]:
    """Return rows with what this Model of the laptop answered to them there."""
    content = Path(model.uri.removeprefix("file://"), "manifest.json").read_bytes()
    return msgspec.json.decode(content, type=ModelManifest).samples


def serves(model: str, pipeline: Object) -> bool:
    served = pipeline["status"].get("servedModel") or {}
    return bool(served.get("name") == model)
