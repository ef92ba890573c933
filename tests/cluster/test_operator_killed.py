"""`kill -9` of the operator at random moments of a run in real pods: the same end, no second Job, nothing left over."""

import random

import pytest

from cluster.kubernetes_api import CONFIG_MAPS, DEPLOYMENTS, JOBS
from cluster.sites import MODELS, PIPELINES, RUNS, Site, has_ended, step_of

ALONE = True  # it kills its operator
STEPS = ["dataset", "testing", "training"]
LONGEST_LIFE = 6.0  # seconds
KILLS = 12


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(2, 8))])
def test_killed_at_random_it_makes_nothing_twice_and_leaves_nothing(site: Site, seed: int) -> None:
    name, chance = f"killed-{seed}", random.Random(seed)
    site.operator.kill()
    site.pipeline(name, deployment={"selection": {"scoring": "roc_auc", "minimum": "0.5"}})
    site.run(name, "dataset", "training", "testing", "deployment")
    for _ in range(KILLS):
        if has_ended(site.api.get(RUNS, f"{name}-1", site.namespace)):
            break
        with site.another_operator() as operator:
            operator.wait_until_ready()
            operator.kill_after(chance.uniform(0.1, LONGEST_LIFE))
    with site.another_operator() as operator:
        operator.wait_until_ready()
        run = site.wait_for_success(f"{name}-1")
        pipeline = site.api.get(PIPELINES, name, site.namespace)

    assert sorted(job["metadata"]["labels"]["penstock.dev/step"] for job in site.jobs(f"{name}-1")) == STEPS
    assert len(site.pods(f"{name}-1")) == len(STEPS)
    [model] = site.api.objects(MODELS, site.namespace, labels=f"penstock.dev/pipeline={name}")
    assert pipeline["status"]["servedModel"]["name"] == model["metadata"]["name"]
    assert step_of(run, "deployment")["deployment"]["served"] == model["metadata"]["name"]
    assert len(site.api.objects(DEPLOYMENTS, site.namespace, labels=f"penstock.dev/pipeline={name}")) == 1
    uids = {run["metadata"]["uid"], pipeline["metadata"]["uid"]}
    for resource in (JOBS, CONFIG_MAPS, DEPLOYMENTS):
        for child in site.api.objects(resource, site.namespace, labels=f"penstock.dev/pipeline={name}"):
            assert {owner["uid"] for owner in child["metadata"]["ownerReferences"]} <= uids
