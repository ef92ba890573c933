"""Making the tables of a Parquet file, against pandas, `train_test_split` and `to_parquet` on the same file.

Two sides more: `copy`, DuckDB copying the file to one other file, and `polars`, what a user may write by hand: the file
is streamed to three by a hash of the key. Neither digests, finds duplicates, keeps a testing set or proves anything.

Run `python bench/dataset.py`, with `bench/requirements.txt` installed beside the package (`--rows 20000000
--only penstock` for the large one). Each side runs in a process of its own, in turn, `--repeats` times; printed are the
medians of wall time and of processor time, the greatest memory, the load average before and after, and the ratios.
Nothing is written down.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

SIDES = ["pandas", "copy", "polars", "penstock"]


def main() -> None:
    options = _options()
    if options.side:
        print(json.dumps(_measure(options)))
        return
    with tempfile.TemporaryDirectory(prefix="penstock-bench-", dir=options.folder) as folder:
        _make_input(Path(folder), options.rows)
        sides = [options.only] if options.only else SIDES
        results: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
        load = os.getloadavg()[0]
        for _ in range(options.repeats):
            for side in sides:
                results[side].append(_measure_in_process(side, folder, options))
        _show(results)
        print(f"load average {load:.1f} before, {os.getloadavg()[0]:.1f} after")


def _make_input(folder: Path, rows: int) -> None:
    """Write 20 columns: a key, twelve floats, four integers, two strings of few values, a Boolean target."""
    columns = ["i AS id", *(f"random() * 1000 AS f{k}" for k in range(12))]
    columns += [f"(random() * 100000)::BIGINT AS i{k}" for k in range(4)]
    columns += [f"'category ' || (random() * 20)::INT AS s{k}" for k in range(2)]
    columns += ["random() < 0.3 AS target"]
    with duckdb.connect(config={"memory_limit": "1GB"}) as connection:
        connection.execute(f"COPY (SELECT {', '.join(columns)} FROM range({rows}) t(i)) TO '{folder}/input.parquet'")


def _measure_in_process(side: str, folder: str, options: argparse.Namespace) -> dict[str, float]:
    limits = ["--threads", str(options.threads), "--memory", str(options.memory)]
    command = [sys.executable, __file__, "--side", side, "--folder", folder, *limits]
    measured: dict[str, float] = json.loads(
        subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.splitlines()[-1]
    )
    return measured


def _measure(options: argparse.Namespace) -> dict[str, float]:
    work = {"pandas": _pandas, "copy": _copy, "polars": _polars, "penstock": _penstock}[options.side]
    with tempfile.TemporaryDirectory(dir=options.folder) as target:
        run = work(Path(options.folder) / "input.parquet", Path(target), options)
        start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
        run()
        wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall": wall, "processor": processor, "memory": after.ru_maxrss / 1024}


def _pandas(source: Path, target: Path, options: argparse.Namespace) -> Callable[[], object]:
    import pandas as pd
    from sklearn.model_selection import train_test_split

    def run() -> None:
        rest, testing = train_test_split(pd.read_parquet(source), test_size=0.2, random_state=0)
        training, validation = train_test_split(rest, test_size=0.2, random_state=0)
        for name, frame in (("training", training), ("validation", validation), ("testing", testing)):
            frame.to_parquet(target / f"{name}.parquet")

    return run


def _copy(source: Path, target: Path, options: argparse.Namespace) -> Callable[[], object]:
    def run() -> None:
        with duckdb.connect(config={"threads": options.threads, "memory_limit": "1GB"}) as connection:
            connection.execute("SET preserve_insertion_order = false")
            connection.execute(f"COPY (FROM '{source}') TO '{target}/copy.parquet' (COMPRESSION snappy)")

    return run


def _polars(source: Path, target: Path, options: argparse.Namespace) -> Callable[[], object]:
    os.environ["POLARS_MAX_THREADS"] = str(options.threads)
    import polars as pl

    def run() -> None:
        drawn = pl.col("id").hash(seed=7)
        testing, validation = drawn < 2**64 // 5, drawn < 2**64 // 5 * 9 // 5
        sides = {"testing": testing, "validation": ~testing & validation, "training": ~validation}
        rows = pl.scan_parquet(source)
        sinks = [
            rows.filter(side).sink_parquet(target / f"{name}.parquet", compression="snappy", lazy=True)
            for name, side in sides.items()
        ]
        pl.collect_all(sinks, engine="streaming")

    return run


def _penstock(source: Path, target: Path, options: argparse.Namespace) -> Callable[[], object]:
    from penstock_jobs.contract.specification import (
        DatasetJob,
        InputSpec,
        Location,
        Run,
        SplitSpec,
        TargetSpec,
        ValidationSpec,
    )
    from penstock_jobs.dataset import generate

    storage = Location(uri=target.as_uri())
    job = DatasetJob(
        run=Run(uid="bench", execution_name="bench", pipeline="bench", pipeline_uid="bench"),
        storage=storage,
        run_storage=storage,
        inputs=(InputSpec(name="rows", location=Location(uri=source.as_uri())),),
        target=TargetSpec(column="target"),
        split=SplitSpec(testing=0.2),
        validation=ValidationSpec(holdout=0.2),
        key=("id",),
        memory=options.memory * 2**20,
        threads=options.threads,
    )
    return lambda: generate(job)


def _show(results: dict[str, list[dict[str, float]]]) -> None:
    middle = {
        side: {name: statistics.median(run[name] for run in runs) for name in runs[0]} for side, runs in results.items()
    }
    for side, found in middle.items():
        print(
            f"{side:9} {found['wall']:7.1f} s   {found['processor']:7.1f} s of processor   {found['memory']:6.0f} MiB"
        )
    for side in SIDES[1:] if len(middle) == len(SIDES) else []:
        ratio = {name: middle["pandas"][name] / middle[side][name] for name in middle["pandas"]}
        print(f"pandas / {side}: " + ", ".join(f"{name} {value:.2f}" for name, value in ratio.items()))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory", type=int, default=2048, help="MiB that the dataset job is told it may use")
    parser.add_argument("--folder", default=tempfile.gettempdir(), help="where the files of the bench are made")
    parser.add_argument("--only", choices=SIDES)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
