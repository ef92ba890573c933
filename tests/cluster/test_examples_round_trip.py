"""A good manifest is stored as it was written: nothing changed, nothing lost, with the defaults it has on a laptop."""

from pathlib import Path

import pytest

from cluster.custom_resources import Object, dry_run, exact_text, good_manifests, good_texts, install, spec_to_expect
from cluster.kubernetes_api import KubernetesApi
from penstock.api.manifests import read_manifests
from penstock.api.values import read_value
from testcluster.cluster import Cluster
from testcluster.kubectl import Kubectl

GOOD = dict(good_manifests())
APPLIED = [place for place, text in sorted(good_texts().items()) if "generateName" not in text]


@pytest.fixture(scope="session")
def api(api: KubernetesApi) -> KubernetesApi:
    return install(api)


@pytest.fixture(scope="session")
def kubectl(cluster: Cluster) -> Kubectl:
    return Kubectl(cluster.kubeconfig)


def stored(api: KubernetesApi, manifest: Object, namespace: str) -> Object:
    return api.get(api.resource(manifest), manifest["metadata"]["name"], namespace)


def test_there_are_examples_and_documentation_to_try() -> None:
    assert sum(place.startswith("examples/") for place in GOOD) >= 7
    assert any(place.startswith("README.md") for place in GOOD)


@pytest.mark.parametrize("manifest", GOOD.values(), ids=GOOD.keys())
def test_each_manifest_is_accepted_with_the_defaults_that_it_has_on_a_laptop(
    api: KubernetesApi, manifest: Object
) -> None:
    assert exact_text(dry_run(api, manifest, "default")["spec"]) == exact_text(spec_to_expect(manifest))


@pytest.mark.parametrize("place", APPLIED)
def test_what_kubectl_applies_is_stored_as_it_was_written_and_stays_so(
    api: KubernetesApi, kubectl: Kubectl, namespace: str, tmp_path: Path, place: str
) -> None:
    file = tmp_path / "manifest.yaml"
    file.write_text(good_texts()[place], "utf-8")
    manifests = [each for where, each in GOOD.items() if where.startswith(f"{place},")]
    said = kubectl("apply", "-n", namespace, "-f", str(file))
    assert said.count(" created\n") == len(manifests)
    first = [stored(api, each, namespace) for each in manifests]
    assert [exact_text(each["spec"]) for each in first] == [exact_text(spec_to_expect(each)) for each in manifests]

    kubectl("diff", "-n", namespace, "-f", str(file))  # fails on any difference
    assert kubectl("apply", "-n", namespace, "-f", str(file)).count(" unchanged\n") == len(manifests)
    assert [stored(api, each, namespace)["metadata"]["resourceVersion"] for each in manifests] == [
        each["metadata"]["resourceVersion"] for each in first
    ]


def test_server_side_apply_stores_the_same_and_a_second_one_changes_nothing(
    api: KubernetesApi, kubectl: Kubectl, namespace: str, tmp_path: Path
) -> None:
    examples = [place for place in APPLIED if place.startswith("examples/")]
    file = tmp_path / "manifests.yaml"
    file.write_text("\n---\n".join(good_texts()[place] for place in examples), "utf-8")
    manifests = [each for where, each in GOOD.items() if where.startswith(tuple(f"{place}," for place in examples))]
    times = []
    for _ in range(2):
        kubectl("apply", "--server-side", "-n", namespace, "-f", str(file))
        there = [stored(api, each, namespace) for each in manifests]
        assert [exact_text(each["spec"]) for each in there] == [exact_text(spec_to_expect(each)) for each in manifests]
        for each in there:  # the first write after the creation stores the default of the status, which was read before
            del each["metadata"]["resourceVersion"]
        times.append(there)
    assert times[0] == times[1]


def test_values_of_parameters_keep_their_kind_on_the_way(api: KubernetesApi, namespace: str) -> None:
    values = [
        1,
        0.5,
        1e-7,
        12345678901234567,
        True,
        False,
        "1.0",
        "None",
        "(64, 32)",
        "true",
        "yes",
        "",
        "é",
        [1],
        {"a": None},
    ]
    pipeline = GOOD["tests/unit/api/manifests/pipeline-shortest.yaml, Pipeline 1"]
    algorithm = pipeline["spec"]["training"]["algorithms"][0] | {"parameters": [{"name": "a", "values": values}]}
    training = pipeline["spec"]["training"] | {"algorithms": [algorithm]}
    created = api.create(pipeline | {"spec": pipeline["spec"] | {"training": training}}, namespace)
    back = stored(api, created, namespace)["spec"]["training"]["algorithms"][0]["parameters"][0]["values"]
    assert exact_text(back) == exact_text(values)


def test_a_number_beyond_64_bits_is_read_as_it_is_on_a_laptop(api: KubernetesApi, namespace: str) -> None:
    text = good_texts()["tests/unit/api/manifests/pipeline-shortest.yaml"]
    [manifest] = read_manifests(text.replace("RandomForestClassifier", "A, parameters: [{name: a, value: 1e19}]"))
    created = api.create(manifest.value, namespace)
    [sent], [back] = (each["spec"]["training"]["algorithms"][0]["parameters"] for each in (manifest.value, created))
    assert type(back["value"]) is not type(sent["value"])  # else there is no need to read it with care
    assert exact_text(read_value(back["value"])) == exact_text(read_value(sent["value"]))
