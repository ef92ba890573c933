"""helm, as the tests ask it: what it makes of the chart with some values, and what it refuses."""

import json
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from testcluster.programs import build

CHART = Path(__file__).parents[2] / "helm" / "penstock"
Object = dict[str, Any]


class HelmError(Exception):
    """helm refused; the text is what it said."""


@dataclass(frozen=True)
class ChartObjects:
    """The objects that helm made of the chart."""

    objects: tuple[Object, ...]

    def all(self, *kinds: str) -> list[Object]:
        return [each for each in self.objects if each["kind"] in kinds]

    def one(self, kind: str, name: str | None = None) -> Object:
        (found,) = [each for each in self.all(kind) if name in (None, each["metadata"]["name"])]
        return found


@lru_cache
def helm(*words: str) -> str:
    """Return what helm prints, or raise what it said."""
    program = build("helm") / "helm"
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False, timeout=120)
    if done.returncode != 0:
        raise HelmError(done.stderr)
    return done.stdout


def render_chart(**values: Any) -> ChartObjects:
    """Return the chart with these values, as it would be installed into penstock-system."""
    words = ["template", "penstock", str(CHART), "--namespace", "penstock-system", "--kube-version", "1.34.0"]
    for name, value in values.items():
        words += ["--set-json", f"{name.replace('__', '.')}={json.dumps(value)}"]
    return _objects(helm(*words))


@lru_cache
def _objects(text: str) -> ChartObjects:
    # In C, where it is there: the CRDs are long.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return ChartObjects(tuple(each for each in yaml.load_all(text, loader) if each))
