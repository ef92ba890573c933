"""What the tests of the dataset job share: inputs written from rows, jobs, and the tables as sets of keys."""

import csv
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import duckdb

from penstock_jobs.contract.result import DatasetResult, TableVersion
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
from penstock_jobs.tables.reading import read_frame

Row = dict[str, Any]


def rows(count: int, start: int = 0, groups: int = 59) -> list[Row]:
    """Return rows with the integer key `id`, a group, a day, a number, a text that may be missing, and two targets."""
    return [
        {
            "id": i,
            "who": f"group-{i * 7 % groups}",
            "day": f"2026-{1 + i // 28 % 12:02}-{1 + i % 28:02}",
            "x": i * 0.5,
            "word": None if i % 11 == 0 else f"word {i % 5}",
            "amount": i * 0.25,
            "label": "yes" if i * 13 % 7 < 3 else "no",
        }
        for i in range(start, start + count)
    ]


def write_csv(path: Path, table: Sequence[Row]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        names = list(dict.fromkeys(name for row in table for name in row))
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(table)
    return path


def write_parquet(path: Path, table: Sequence[Row]) -> Path:
    """Write the rows as Parquet, typed as the CSV of them would be."""
    text = write_csv(path.with_suffix(".csv"), table)
    with duckdb.connect() as connection:
        read = f"read_csv('{text}', auto_type_candidates = ['BIGINT', 'DOUBLE', 'DATE', 'VARCHAR'])"
        connection.execute(f"COPY (FROM {read}) TO '{path}'")
    text.unlink()
    return path


def job(home: Path, data: Path | str, uid: str = "run-1", **changes: Any) -> DatasetJob:
    storage = Location(uri=(home / "storage").as_uri())
    uri = data if isinstance(data, str) else data.as_uri()
    fields: dict[str, Any] = {
        "run": Run(uid=uid, execution_name=uid, pipeline="churn", pipeline_uid="pipeline-1"),
        "storage": storage,
        "run_storage": Location(uri=(home / "storage/runs" / uid).as_uri()),
        "inputs": (InputSpec(name="rows", location=Location(uri=uri)),),
        "target": TargetSpec(column="amount"),
        "split": SplitSpec(testing=0.3),
        "validation": ValidationSpec(holdout=0.2),
        "key": ("id",),
    }
    return DatasetJob(**{**fields, **changes})


def keys(home: Path, table: TableVersion, column: str = "id") -> set[Any]:
    return set(read_frame(table, Location(uri=(home / "storage").as_uri()), [column])[column])


def sides(home: Path, result: DatasetResult, column: str = "id") -> dict[str, set[Any]]:
    return {name: keys(home, getattr(result, name), column) for name in ("training", "validation", "testing")}


def digests(result: DatasetResult) -> tuple[str, str, str]:
    return result.training.digest, result.validation.digest, result.testing.digest


def shuffle_rows(table: Iterable[Row], seed: int) -> list[Row]:
    mixed = list(table)
    random.Random(seed).shuffle(mixed)
    return mixed


def make_dataset(home: Path, table: Sequence[Row], uid: str = "run-1", **changes: Any) -> DatasetResult:
    """Write the rows as a CSV file and generate the tables from it."""
    return generate(job(home, write_csv(home / "input" / f"{uid}.csv", table), uid, **changes))
