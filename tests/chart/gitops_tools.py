"""What GitOps tools make of our objects: Argo CD by the check that we ship, in its own interpreter; Flux by kstatus."""

import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import yaml

from chart.helm_program import CHART
from testcluster.programs import build

Object = dict[str, Any]
FRAGMENT = CHART / "files" / "argocd-cm.yaml"


@dataclass(frozen=True)
class Health:
    """A status in the tool's own words, and the message that it shows."""

    argocd: str
    flux: str
    message: str = ""


def health_of(*objects: Object) -> list[Health]:
    """Return what both tools make of each object."""
    checks = yaml.safe_load(FRAGMENT.read_text("utf-8"))["data"]
    asked = [
        {"script": checks[f"resource.customizations.health.penstock.dev_{each['kind']}"], "object": each}
        for each in objects
    ]
    return list(_answers(asked))


def _answers(asked: list[Object]) -> Iterable[Health]:
    program = build("health") / "health"
    lines = "\n".join(json.dumps(each) for each in asked)
    done = subprocess.run([program], input=lines, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    for line in done.stdout.splitlines():
        answer = json.loads(line)
        assert not answer["argocd"].get("error"), answer["argocd"]["error"]
        yield Health(answer["argocd"]["status"], answer["flux"]["status"], answer["argocd"]["message"])
