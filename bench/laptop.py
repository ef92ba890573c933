"""`penstock run` of an example, this tree against another one: `python bench/laptop.py OTHER [--example wine]`.

OTHER is another checkout of this repository, as of a commit before a change (`git worktree add OTHER COMMIT`). Both are
run by this interpreter, with the same packages, each time into a fresh home, in turns. Printed are the medians of wall
and processor time of `--repeats` runs, their ratio, and the load average before and after. Nothing is written down.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parents[1]
COMMAND = "from penstock.cli import main; main()"


@dataclass(frozen=True)
class Took:
    """Seconds that a run took, of the wall clock and of the processors."""

    wall: float
    processor: float


def main() -> None:
    options = _options()
    trees = {"this": HERE, "other": options.other.absolute()}
    found: dict[str, list[Took]] = {name: [] for name in trees}
    load = os.getloadavg()[0]
    for turn in range(options.repeats + 1):
        for name, tree in trees.items():
            took = _measure(tree, tree / "examples" / f"{options.example}.yaml")
            if turn:  # the first of each fills caches
                found[name].append(took)
    walls, processors = (
        {name: statistics.median(getattr(each, field) for each in every) for name, every in found.items()}
        for field in ("wall", "processor")
    )
    print(f"{options.example}, medians of {options.repeats} in turns, load {load:.1f} to {os.getloadavg()[0]:.1f}")
    for name in trees:
        print(f"{name:<6} {walls[name]:8.2f} s wall {processors[name]:8.2f} s processor")
    ratios = walls["this"] / walls["other"], processors["this"] / processors["other"]
    print(f"this / other: {ratios[0]:.2f} wall, {ratios[1]:.2f} processor")


def _measure(tree: Path, manifest: Path) -> Took:
    path = os.pathsep.join([str(tree / "operator"), str(tree / "job-images")])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as home:
        words = [sys.executable, "-c", COMMAND, "run", str(manifest), "--home", home, "-q"]
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        subprocess.run(words, env=environment, check=True, stdout=subprocess.DEVNULL)
        wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Took(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path, help="another checkout")
    parser.add_argument("--example", default="wine", help="a manifest of examples/, without its ending")
    parser.add_argument("--repeats", type=int, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    main()
