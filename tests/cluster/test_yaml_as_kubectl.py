"""A manifest means on a laptop what it means to kubectl: the same scalars, as kubectl itself makes JSON of them."""

import json
import random
from typing import Any

import pytest

from cluster.custom_resources import exact_text
from penstock.api.manifests import NotYamlError, read_manifests
from penstock.api.values import read_value
from testcluster.cluster import Cluster
from testcluster.kubectl import Kubectl

HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: scalars}\nvalues:\n"
ALPHABETS = ["0123456789+-._eExXoObBaAfF:TZ n~yN", "0123456789e.-+_", "yesnoYESNOtrufalTRUFAL~", "0123456789-:TZ .+"]


def document(scalars: list[str]) -> str:
    return HEAD + "".join(f"- {each}\n" for each in scalars)


def read_alone(scalar: str) -> list[Any]:
    """Return the value of the scalar; nothing where it is none, or would end the document for all others."""
    try:
        [manifest] = read_manifests(document([scalar]))
    except NotYamlError:
        return []
    values = manifest.value["values"]
    return values if not manifest.faults and len(values) == 1 and not isinstance(values[0], dict | list) else []


@pytest.mark.parametrize("alphabet", ALPHABETS)
def test_a_scalar_is_what_kubectl_takes_it_for(cluster: Cluster, alphabet: str) -> None:
    chance = random.Random(7)
    made = ("".join(chance.choices(alphabet, k=chance.randint(1, 9))).strip() for _ in range(2000))
    ours = {scalar: value[0] for scalar in made if scalar and (value := read_alone(scalar))}
    arguments = ("create", "--dry-run=client", "--validate=false", "-o", "json", "-f", "-")
    theirs = json.loads(Kubectl(cluster.kubeconfig)(*arguments, given=document(list(ours))))["values"]

    assert len(ours) > 150
    for (scalar, value), of_kubectl in zip(ours.items(), theirs, strict=True):
        assert exact_text(read_value_of_json(value)) == exact_text(read_value_of_json(of_kubectl)), scalar


def read_value_of_json(value: Any) -> Any:
    """Return the value as jobs get it, so that 1e19 with or without a point is the same."""
    return value if isinstance(value, str) else read_value(value)
