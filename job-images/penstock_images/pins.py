"""The digests of images that were pushed, as values of the chart: what is installed with them runs these alone."""

from collections.abc import Mapping
from pathlib import Path


def write_pins(file: Path, registry: str, digests: Mapping[str, str]) -> None:
    """Write the values, for `helm install -f`."""
    lines = [f"registry: {registry.rstrip('/')}", "images:"]
    lines += [f"  {name}: {{name: penstock/{name}, digest: {digest}}}" for name, digest in sorted(digests.items())]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
