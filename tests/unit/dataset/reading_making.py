"""What the tests of reading share: text files as a person has them, and what the tables hold of them."""

from pathlib import Path
from typing import Any

import pandas as pd

from penstock_jobs.contract.result import DatasetResult
from penstock_jobs.contract.specification import InputSpec, Location, SplitSpec, ValidationSpec
from penstock_jobs.dataset import generate
from penstock_jobs.tables.reading import read_frame
from unit.dataset import dataset_making as making


def read(home: Path, data: Path, uid: str = "run-1", **options: Any) -> DatasetResult:
    """Generate the tables of a file, which has the key `id` and the target `amount`, by these options of the input."""
    changes = options.pop("changes", {})
    inputs = (InputSpec(name="rows", location=Location(uri=data.as_uri()), **options),)
    rules = {"split": SplitSpec(testing=0.5), "validation": ValidationSpec(holdout=0.5), "task": "Regression"}
    return generate(making.job(home, data, uid, **{"inputs": inputs} | rules | changes))


def rows_of(home: Path, result: DatasetResult) -> pd.DataFrame:
    """Return the rows of all three tables by their key."""
    location = Location(uri=(home / "storage").as_uri())
    names = [column.name for column in result.columns]
    tables = [read_frame(table, location, names) for table in (result.training, result.validation, result.testing)]
    return pd.concat(tables).set_index("id").sort_index()


def values(home: Path, data: Path, column: str, **options: Any) -> tuple[str, list[Any]]:
    """Return the type that a column is read as, and its values by the key, null as None."""
    result = read(home, data, **options)
    kind = next(each.type for each in result.columns if each.name == column)
    series = rows_of(home, result)[column]
    return kind, [None if pd.isna(value) else value for value in series]


def csv(path: Path, column: list[str], delimiter: str = ";") -> Path:
    """Write a CSV file with the values of the column `x`, repeated to 40 rows."""
    lines = [delimiter.join(("id", "x", "amount"))]
    lines += [delimiter.join((str(row), column[row % len(column)], str(row))) for row in range(40)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def jsonl(path: Path, column: list[str]) -> Path:
    """Write JSON lines with the values of the column `x`, each a text of JSON, repeated to 40 rows."""
    lines = [f'{{"id": {row}, "x": {column[row % len(column)]}, "amount": {row}}}' for row in range(40)]
    path.write_text("\n".join(lines) + "\n")
    return path
