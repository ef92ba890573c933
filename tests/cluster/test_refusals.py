"""Each bad manifest is refused by a real API server with the sentence that a person needs; the exact text is asserted.

The table is `tests/bad_manifests.yaml`: `server` is what is said, a sentence a field. What only Penstock's own reading
can see the server accepts, and the table says so too.
"""

import pytest

from bad_manifests import BAD, Bad
from cluster.custom_resources import MANIFESTS, Object, dry_run, install, sentences
from cluster.kubernetes_api import ApiRefused, KubernetesApi
from penstock.api.manifests import read_manifests
from testcluster.cluster import Cluster
from testcluster.kubectl import Kubectl, KubectlFailed

OF_EVERY_RESOURCE = [bad for bad in BAD if bad.by == "server"]
OF_OURS = [bad for bad in BAD if bad.by in ("schema", "rule")]
SEEN_BY_PENSTOCK_ONLY = [bad for bad in BAD if bad.by in ("operator", "not yet", "laptop")]


@pytest.fixture(scope="session")
def api(api: KubernetesApi) -> KubernetesApi:
    return install(api)


def spoiled(bad: Bad) -> str:
    return (MANIFESTS / f"{bad.of}.yaml").read_text("utf-8").replace(bad.old, bad.new, 1)


def manifest(bad: Bad) -> Object:
    [read] = read_manifests(spoiled(bad))
    value: Object = read.value
    return value


@pytest.mark.parametrize("bad", OF_OURS, ids=str)
def test_the_api_server_refuses_it_with_these_sentences(api: KubernetesApi, bad: Bad) -> None:
    with pytest.raises(ApiRefused) as refused:
        dry_run(api, manifest(bad), "default")
    assert sentences(refused.value) == list(bad.server)


@pytest.mark.parametrize("bad", OF_EVERY_RESOURCE, ids=str)
def test_kubectl_and_the_api_server_refuse_what_no_resource_may_be(
    api: KubernetesApi, cluster: Cluster, bad: Bad
) -> None:
    with pytest.raises(KubectlFailed) as failed:
        Kubectl(cluster.kubeconfig)("create", "--dry-run=server", "-n", "default", "-f", "-", given=spoiled(bad))
    _, _, said = str(failed.value).partition(" failed: ")
    assert said.splitlines() == list(bad.server)


@pytest.mark.parametrize("bad", SEEN_BY_PENSTOCK_ONLY, ids=str)
def test_what_only_penstock_can_see_is_accepted(api: KubernetesApi, bad: Bad) -> None:
    assert dry_run(api, manifest(bad), "default")["kind"] == manifest(bad)["kind"]


def test_a_sentence_names_the_field_and_shows_no_regular_expression() -> None:
    assert len(OF_OURS) >= 60
    for bad in OF_OURS:
        assert bad.server
        for sentence in bad.server:
            assert "spec" in sentence or "metadata" in sentence
            assert "should match" not in sentence or "RFC 1123" in sentence
