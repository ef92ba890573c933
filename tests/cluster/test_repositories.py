"""Operations of one's own come from a real git server, or the run says in a sentence why they do not."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cluster.git_server import OPEN, PRIVATE, GitServer, git_server, login
from cluster.hand_made_runs import ROOT
from cluster.sites import RUNS, Site

IMAGES = ("source",)


@pytest.fixture(scope="module")
def git(site: Site, image: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitServer]:
    content = ROOT / "examples" / "own-operations"
    with git_server(site.api, site.namespace, image("source"), content, tmp_path_factory.mktemp("git")) as made:
        yield made


def began(site: Site, name: str, **git: Any) -> str:
    """Begin a run with operations from there; return its name."""
    return site.run(site.pipeline(name, source={"git": git}), "dataset", "training")


def test_a_repository_is_read_with_the_login_of_its_secret_at_the_commit_that_the_status_names(
    site: Site, git: GitServer
) -> None:
    site.api.create(login("right"), site.namespace)

    run = site.wait_for_success(began(site, "let-in", url=git.url(PRIVATE), credentials={"secretName": "right"}))

    assert run["status"]["commit"] == git.commit


def test_a_login_that_lets_nobody_in_is_told_and_not_shown(site: Site, git: GitServer) -> None:
    site.api.create(login("wrong", password="guessed"), site.namespace)
    url = git.url(PRIVATE)

    run = began(site, "locked-out", url=url, credentials={"secretName": "wrong"})
    _, message = site.wait_for_failure(run)

    assert f"spec.source.git.url is {url}, which does not let us in (Authentication failed" in message
    assert "guessed" not in json.dumps(site.api.get(RUNS, run, site.namespace))


def test_a_branch_that_is_not_there_is_told(site: Site, git: GitServer) -> None:
    _, message = site.wait_for_failure(began(site, "no-branch", url=git.url(OPEN), revision="gone"))

    assert f"spec.source.git.revision is gone, and {git.url(OPEN)} has no such branch, tag or commit" in message
