"""A run is what its Pipeline was when it began."""

from cluster.hand_made_runs import READER
from cluster.kubernetes_api import Object
from cluster.sites import LINEAR, MODELS, Site, step_of

OTHER: Object = LINEAR | {"name": "other"}


def test_a_run_goes_on_as_its_pipeline_was_when_that_is_edited_in_the_middle(site: Site) -> None:
    run = held_up(site, "edited")
    site.pipeline("edited", training__algorithms=[LINEAR, OTHER], training__keep=2)
    later = site.run("edited", "dataset", "training", name="edited-2")
    let_go(site, "edited")

    assert algorithms(site, run) == ["linear"]
    assert sorted(algorithms(site, later)) == ["linear", "other"]


def test_the_next_run_of_a_pipeline_makes_its_tables_after_the_one_before(site: Site) -> None:
    first = held_up(site, "one-by-one")
    second = site.run("one-by-one", name="one-by-one-2")

    assert first in site.wait_for_reason(second, "EarlierRun")
    let_go(site, "one-by-one")
    done = [step_of(site.wait_for_success(run), "dataset") for run in (first, second)]
    assert [each["dataset"]["generation"] for each in done] == [1, 2]


def held_up(site: Site, name: str) -> str:
    """Return a run that has begun, and whose first pod waits for a Secret."""
    credentials = {"read": {"secretName": READER}, "write": {"secretName": name}}
    run = site.run(site.pipeline(name, storage__credentials=credentials), "dataset", "training")
    site.wait_for_reason(run, "NotMounted")
    return run


def let_go(site: Site, name: str) -> None:
    """Make the Secret that the run waits for."""
    site.api.create(site.buckets.server.writer.secret(name, site.namespace))


def algorithms(site: Site, run: str) -> list[str]:
    """Return what the Models of the run were made by, once it is done."""
    names = step_of(site.wait_for_success(run), "training")["training"]["models"]
    models = [site.api.get(MODELS, name, site.namespace) for name in names]
    return [model["spec"]["origin"]["algorithm"] for model in models]
