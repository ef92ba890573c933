"""Making the tables of a Parquet file, against pandas, `train_test_split` and `to_parquet` on the same file.

Run `python bench/dataset.py`, with `bench/requirements.txt` installed beside the package (`--rows 20000000
--only penstock` for the large one). Each side runs in a process of its own, in turn, `--repeats` times; printed are the
medians of wall time and of processor time, the greatest memory, and the ratios. Nothing is written down.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

MEMORY = 2 * 2**30


def main() -> None:
    options = _options()
    if options.side:
        print(json.dumps(_measured(options.side, Path(options.folder), options.threads)))
        return
    with tempfile.TemporaryDirectory(prefix="penstock-bench-", dir=options.folder) as folder:
        _make_input(Path(folder), options.rows)
        sides = [options.only] if options.only else ["pandas", "penstock"]
        results: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
        for _ in range(options.repeats):
            for side in sides:
                results[side].append(_in_a_process(side, folder, options.threads))
        _show(results)


def _make_input(folder: Path, rows: int) -> None:
    """Write 20 columns: a key, twelve floats, four integers, two strings of few values, a Boolean target."""
    columns = ["i AS id", *(f"random() * 1000 AS f{k}" for k in range(12))]
    columns += [f"(random() * 100000)::BIGINT AS i{k}" for k in range(4)]
    columns += [f"'category ' || (random() * 20)::INT AS s{k}" for k in range(2)]
    columns += ["random() < 0.3 AS target"]
    with duckdb.connect(config={"memory_limit": "1GB"}) as connection:
        connection.execute(f"COPY (SELECT {', '.join(columns)} FROM range({rows}) t(i)) TO '{folder}/input.parquet'")


def _in_a_process(side: str, folder: str, threads: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--side", side, "--folder", folder, "--threads", str(threads)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.splitlines()[-1])


def _measured(side: str, folder: Path, threads: int) -> dict[str, float]:
    work = _penstock if side == "penstock" else _pandas
    with tempfile.TemporaryDirectory(dir=folder) as target:
        run = work(folder / "input.parquet", Path(target), threads)
        start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
        run()
        wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall": wall, "processor": processor, "memory": after.ru_maxrss / 1024}


def _pandas(source: Path, target: Path, threads: int):
    import pandas as pd
    from sklearn.model_selection import train_test_split

    def run() -> None:
        rest, testing = train_test_split(pd.read_parquet(source), test_size=0.2, random_state=0)
        training, validation = train_test_split(rest, test_size=0.2, random_state=0)
        for name, frame in (("training", training), ("validation", validation), ("testing", testing)):
            frame.to_parquet(target / f"{name}.parquet")

    return run


def _penstock(source: Path, target: Path, threads: int):
    from penstock_jobs.dataset import generate
    from penstock_jobs.specification import DatasetJob, Input, Location, Run, Split, Target, Validation

    storage = Location(uri=target.as_uri())
    job = DatasetJob(
        run=Run(uid="bench", execution_name="bench", pipeline="bench", pipeline_uid="bench"),
        storage=storage,
        run_storage=storage,
        inputs=(Input(name="rows", location=Location(uri=source.as_uri())),),
        target=Target(column="target"),
        split=Split(testing=0.2),
        validation=Validation(holdout=0.2),
        key=("id",),
        memory=MEMORY,
        threads=threads,
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
    if len(middle) == 2:
        ratio = {name: middle["pandas"][name] / middle["penstock"][name] for name in middle["pandas"]}
        print("pandas / penstock: " + ", ".join(f"{name} {value:.2f}" for name, value in ratio.items()))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", default=tempfile.gettempdir(), help="where the files of the bench are made")
    parser.add_argument("--only", choices=["pandas", "penstock"])
    parser.add_argument("--side", choices=["pandas", "penstock"], help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
