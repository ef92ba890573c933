"""The images in real pods: what they hold, what they cannot do, and that trimming broke nothing.

Each image runs one pod under Pod Security `restricted`, with a read-only root file system, that looks around in itself.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from cluster.kubernetes_api import PODS, KubernetesApi, Object
from cluster.namespaces import Namespaces
from penstock_images import archive_contents, catalogue
from penstock_images.building import Builder, BuiltImage
from penstock_images.catalogue import IMAGES
from testcluster import images
from testcluster.cluster import Cluster

LOOKING = (Path(__file__).parent / "looking_around.py").read_text()
GPU_NODES = [{"key": "nvidia.com/gpu", "operator": "Exists"}]
MEGABYTE = 10**6
OWN_BASE = 66.1  # megabytes
LAYERS = {"source": 4}  # on the base: the name of the user, git, the dependencies, our own code
WITHOUT_GIT = 3
# Of what the jobs image should weigh at most, and does not: held to what it weighs now: docs/explanation/images.md.
MISSED = {"jobs": 605}


# Nobody listens there: each transport of git is found, loads its libraries and says so itself.
FETCHING = """
for url in https://127.0.0.1:1/x ssh://git@127.0.0.1:1/x; do git ls-remote $url 2>&1; done
ssh-agent sh -c 'ssh-add -l'
exit 0
"""


@dataclass(frozen=True)
class Looked:
    """What a pod of an image saw."""

    image: str
    saw: dict[str, Any]


@pytest.fixture(params=list(IMAGES))
def built(request: pytest.FixtureRequest) -> BuiltImage:
    """An image, and the archive that it is in."""
    return images.build_image(request.param)


@pytest.fixture(scope="module")
def look(
    api: KubernetesApi,
    cluster: Cluster,
    image: Callable[[str], str],
    namespaces: Namespaces,
    request: pytest.FixtureRequest,
) -> Iterator[Callable[[str], Looked]]:
    """What gives the report of a pod of an image. The image of torch may be on the nodes with GPUs alone."""
    with_gpus = [each.name for each in cluster.nodes if each.gpus]
    with namespaces.one(request.node.nodeid) as namespace:

        @lru_cache
        def looked(name: str) -> Looked:
            node = with_gpus[0] if name == "torch" and with_gpus else None
            api.create(pod(f"look-{name}", image(name), node), namespace)
            ended = api.wait_for(PODS, f"look-{name}", namespace, has_ended, what=f"{name} having looked around")
            said = api.logs(f"look-{name}", namespace, "look")
            assert ended["status"]["phase"] == "Succeeded", said
            return Looked(name, json.loads(said))

        yield looked


@pytest.fixture(params=list(IMAGES))
def inside(request: pytest.FixtureRequest, look: Callable[[str], Looked]) -> Looked:
    """What a pod of an image saw."""
    return look(request.param)


def pod(name: str, reference: str, node: str | None, *command: str) -> Object:
    container = {
        "name": "look",
        "image": reference,
        "imagePullPolicy": "IfNotPresent",
        "command": list(command) or ["python", "-c", LOOKING],
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
    }
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "tolerations": GPU_NODES,
        "containers": [container],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }
    if node:
        spec["nodeSelector"] = {"kubernetes.io/hostname": node}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def has_ended(found: Object) -> bool:
    return found.get("status", {}).get("phase") in ("Succeeded", "Failed")


# --- in a pod ---------------------------------------------------------------------------------------------------------


def test_an_image_runs_as_a_user_without_rights_and_writes_nowhere_but_in_its_volume(inside: Looked) -> None:
    assert (inside.saw["user"], inside.saw["group"], inside.saw["name"]) == (65532, 65532, "penstock")
    assert inside.saw["writable"] == ["/tmp"]


def test_an_image_has_no_compiler_and_no_pip(inside: Looked) -> None:
    assert inside.saw["programs"] == []
    assert inside.saw["modules"] == []


def test_no_file_of_an_image_gives_the_rights_of_another_user(inside: Looked) -> None:
    if images.builder().bases().archives is None:
        pytest.skip("the base was pulled, and has what its makers put there")
    assert inside.saw["privileged"] == []


def test_what_the_processes_import_was_compiled_ahead(inside: Looked) -> None:
    assert inside.saw["uncompiled"] == []


def test_a_module_of_ours_is_not_imported_only_where_an_image_has_no_library_for_it(inside: Looked) -> None:
    """The jobs image has the code of networks and no torch; the serving image has the code of the jobs."""
    libraries = {
        "jobs": {"torch"},
        "torch": set(),
        "serving": {"deltalake", "duckdb", "onnx", "pandas", "sklearn"},
        "source": {"deltalake", "duckdb", "jinja2", "numpy", "onnx", "onnxruntime", "pandas", "sklearn"}
        | {"httptools", "prometheus_client"},
        "operator": {"boto3", "botocore", "deltalake", "duckdb", "jinja2", "numpy", "onnx", "onnxruntime", "pandas"}
        | {"httptools", "sklearn"},
    }[inside.image]
    missing = {f"No module named '{each}'" for each in libraries}
    broken = {name: why for name, why in inside.saw["broken"].items() if why not in missing}
    assert broken == {}


# Files and frames are read by the engine of the dataset job; a server reads single values.
NEED_THE_ENGINE = {"penstock_jobs.serving.batch", "penstock_jobs.serving.notebook"}


@pytest.mark.parametrize(
    ("name", "not_there"),
    [("serving", NEED_THE_ENGINE), ("jobs", set()), ("torch", set())],
)
def test_the_server_is_whole_in_the_images_that_serve(
    look: Callable[[str], Looked], name: str, not_there: set[str]
) -> None:
    broken = look(name).saw["broken"]
    assert {each for each in broken if each.startswith("penstock_jobs.serving")} == not_there


def test_the_operator_is_whole_in_its_image(look: Callable[[str], Looked]) -> None:
    """It touches no storage: of the jobs' code it needs what they are asked and what they report."""
    assert {each for each in look("operator").saw["broken"] if each.startswith("penstock.")} == set()


def test_the_source_image_fetches_by_https_and_by_ssh(
    api: KubernetesApi, namespace: str, image: Callable[[str], str]
) -> None:
    api.create(pod("fetching", image("source"), None, "sh", "-c", FETCHING), namespace)
    api.wait_for(PODS, "fetching", namespace, has_ended, what="an end of fetching")
    said = api.logs("fetching", namespace, "look")
    assert "unable to access 'https://127.0.0.1:1/x/': Failed to connect" in said
    assert "ssh: connect to host 127.0.0.1 port 1: Connection refused" in said
    assert "The agent has no identities." in said


@pytest.mark.parametrize("name", ["jobs", "torch"])
def test_every_estimator_of_scikit_learn_is_in_the_images_that_train(look: Callable[[str], Looked], name: str) -> None:
    # In a process of its own: what another test imported here may have added the experimental ones.
    count = "from sklearn.utils.discovery import all_estimators; print(len(all_estimators()))"
    here = subprocess.run([sys.executable, "-c", count], capture_output=True, check=True, text=True)
    assert look(name).saw["estimators"] == int(here.stdout)


def test_the_bill_of_materials_lists_what_is_installed_and_nothing_else(inside: Looked) -> None:
    bill = json.loads(images.build_image(inside.image).bill_of_materials.read_text())
    listed = {each["purl"] for each in bill["components"]}
    assert {each for each in listed if each.startswith("pkg:pypi/")} == set(inside.saw["distributions"])
    assert {each for each in listed if each.startswith("pkg:deb/")} == set(inside.saw["packages"])
    assert all(each["version"] for each in bill["components"])


# --- on this machine --------------------------------------------------------------------------------------------------


def test_an_image_whose_inputs_did_not_change_is_found_and_not_built(built: BuiltImage) -> None:
    again = images.builder().build(built.image.name)
    assert again.seconds is None
    assert again.archive == built.archive


def test_an_image_says_what_it_is(built: BuiltImage) -> None:
    told = archive_contents.configuration(built.archive)["config"]
    labels = {key.removeprefix("org.opencontainers.image."): value for key, value in told["Labels"].items()}
    assert labels["title"] == f"Penstock {built.image.name}"
    assert labels["version"] == catalogue.project()["version"]
    assert labels["licenses"] == "Apache-2.0"
    for name in ("description", "source", "documentation", "revision", "base.name"):
        assert labels[name] not in ("", "unknown")
    assert told["User"] == "65532:65532"


def test_an_image_starts_its_own_program(built: BuiltImage) -> None:
    serving, jobs = [["python", "-IBu", "-m", module] for module in ("penstock_jobs.serving", "penstock_jobs")]
    starts = {"jobs": jobs, "torch": jobs, "source": jobs, "serving": serving, "operator": ["penstock"]}
    assert archive_contents.configuration(built.archive)["config"]["Entrypoint"] == starts[built.image.name]


def test_an_image_weighs_no_more_than_its_goal_or_than_what_is_admitted(built: BuiltImage) -> None:
    """On the base that is made here; what a machine pulls instead is another's, and weighs what it weighs."""
    above = archive_contents.layers(built.archive)[-LAYERS.get(built.image.name, WITHOUT_GIT) :]
    allowed = MISSED.get(built.image.name, built.image.goal)
    assert allowed is None or OWN_BASE + sum(above) / MEGABYTE < allowed


def test_our_own_code_is_a_small_last_layer(built: BuiltImage) -> None:
    assert archive_contents.layers(built.archive)[-1] < 10 * MEGABYTE


def test_no_address_and_no_certificate_of_this_machine_is_in_an_image(built: BuiltImage) -> None:
    with pytest.raises(KeyError):
        archive_contents.read(built.archive, "/etc/pip.conf")
    with pytest.raises(KeyError):
        archive_contents.read(built.archive, "/run/secrets/certificates")


def test_the_same_inputs_give_the_same_layers(tmp_path: Path) -> None:
    """The serving image is built again from nothing, dependencies and all, and compared layer by layer."""
    builder: Builder = images.builder()
    if builder.engine.name == "docker":
        pytest.skip("docker writes the time of the build into the folders of a layer")
    first = builder.build("serving")
    again = builder.build_again("serving", tmp_path / "again.tar")
    assert digests(again) == digests(first.archive)


def digests(archive: Path) -> list[str]:
    found: list[str] = archive_contents.configuration(archive)["rootfs"]["diff_ids"]
    return found
