"""Which format a file is of: the ending of its name tells, behind that of a compression."""

from pathlib import Path

from penstock_jobs.contract.reading import InputFormat

ENDINGS: dict[str, InputFormat] = {
    ".csv": "CSV",
    ".tsv": "CSV",
    ".jsonl": "JSONLines",
    ".ndjson": "JSONLines",
    ".json": "JSONLines",
    ".parquet": "Parquet",
}
COMPRESSIONS = (".gz", ".zst")


def format_of(name: str) -> InputFormat | None:
    """Return the format of a file of that name, None where its ending does not tell."""
    return ENDINGS.get(ending_of(name))


def ending_of(name: str) -> str:
    """Return the ending that tells the format: `.csv` of `rows.csv.gz`."""
    path = Path(name.lower())
    return (path.with_suffix("") if path.suffix in COMPRESSIONS else path).suffix


def is_tabbed(name: str) -> bool:
    """Return whether the ending says that tabs are between the values."""
    return ending_of(name) == ".tsv"
