"""What the tests on a cluster share. They use the cluster that is up; none of them starts one."""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import pytest

from cluster.buckets import Buckets
from cluster.buckets import buckets as reached
from cluster.kubernetes_api import KubernetesApi, connect
from cluster.loading import load_image
from cluster.namespaces import Namespaces
from cluster.sites import NewSite, Site
from cluster.sites import open_site as a_site
from cluster.which import which_cluster
from testcluster import s3
from testcluster.cluster import Cluster
from testcluster.kubectl import Kubectl
from testcluster.sentences import Lacking
from testcluster.what_was_shown import Lacks, _has_what_it_needs, accepted_only, lacking

__all__ = ["_has_what_it_needs", "accepted_only", "lacking"]

_NAMESPACES = pytest.StashKey[Namespaces]()


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The cluster that is up. Where there is none: a failure under `make test`, else one sentence what to do."""
    return which_cluster()


@pytest.fixture(scope="session")
def api(cluster: Cluster) -> KubernetesApi:
    """The cluster's API server."""
    return connect(cluster.kubeconfig)


@pytest.fixture(scope="session")
def namespaces(api: KubernetesApi, pytestconfig: pytest.Config) -> Namespaces:
    """The namespaces that are open now; tests that share one through a fixture of their module make it here."""
    return pytestconfig.stash.setdefault(_NAMESPACES, Namespaces(api))


@pytest.fixture
def namespace(namespaces: Namespaces, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace of the test's own, which admits only pods under Pod Security `restricted`."""
    with namespaces.one(request.node.nodeid) as name:
        yield name


@pytest.fixture(scope="session")
def buckets(cluster: Cluster, lacking: Lacks, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Buckets]:
    """The S3 server in the cluster, which pods and this machine reach each in its own way."""
    if reason := lacking("s3"):
        pytest.skip(reason)
    server = s3.find(Kubectl(cluster.kubeconfig))
    with server.open_endpoint() as endpoint:
        yield reached(server, endpoint, tmp_path_factory.mktemp("s3-root"))


@pytest.fixture(scope="session")
def image(cluster: Cluster) -> Callable[[str], str]:
    """What gives the reference of one of our images, once the cluster has it. A test asks for those that it needs."""

    @lru_cache
    def reference(name: str) -> str:
        try:
            return load_image(cluster, name)
        except Lacking as lacking:
            pytest.fail(str(lacking), pytrace=False)

    return reference


@pytest.fixture(scope="session")
def new_site(
    api: KubernetesApi,
    cluster: Cluster,
    namespaces: Namespaces,
    buckets: Buckets,
    image: Callable[[str], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> NewSite:
    """What gives a namespace with an operator; it is kept apart for what goes wrong in it."""

    @contextmanager
    def open_new_site(
        title: str, images: Iterable[str] = (), settings: Mapping[str, Any] | None = None
    ) -> Iterator[Site]:
        others = dict.fromkeys(("jobs", "torch", "serving", "source"), image("jobs"))
        said = {"images": others | {name: image(name) for name in images}} | dict(settings or {})
        folder = tmp_path_factory.mktemp("operator")
        with (
            namespaces.one(title) as name,
            a_site(api, cluster, name, buckets, folder, said) as there,
        ):
            yield there

    return open_new_site


@pytest.fixture(scope="session")
def common_site(new_site: NewSite) -> Iterator[Site]:
    """A namespace with an operator of the usual settings, for all who change neither."""
    with new_site("site") as made:
        yield made


@pytest.fixture(scope="module")
def site(new_site: NewSite, request: pytest.FixtureRequest) -> Iterator[Site]:
    """A namespace with an operator: the one of all tests, or the module's own where it asks for it.

    Of the module: `SETTINGS` are those of the operator, `IMAGES` name those that are not the jobs image, and `ALONE`
    says that it does to the operator or the namespace what others must not see, or counts all that is there.
    """
    module = request.module
    if not any(hasattr(module, name) for name in ("SETTINGS", "IMAGES", "ALONE")):
        yield request.getfixturevalue("common_site")
        return
    with new_site("site", getattr(module, "IMAGES", ()), getattr(module, "SETTINGS", {})) as made:
        yield made


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep the evidence of a test that failed while its namespaces are still there, and let its report name it."""
    report = yield
    namespaces = item.config.stash.get(_NAMESPACES, None)
    if report.failed and report.when != "teardown" and namespaces and namespaces.open:
        folders = "\n".join(namespaces.keep(item.nodeid))
        report.sections.append(("Logs, events and objects of its namespaces are kept in", folders))
    return report
