"""Inputs bigger than one pod: each shard reads its own files, and the last to end makes the tables of all parts.

Shards 0 to count - 1 each write the rows of their files (by the files' order, one in `count`) as one Parquet file under
the run's storage, and report a `DatasetPart`. Whoever then finds the parts of all there claims the merge, by
put-if-absent, and goes on as the job with index = count: it takes the parts in place of the input, and from there on
everything is as for one pod, so that 1 shard and 8 give the same tables and digests. Of those that end together one at
least finds all, since each looks after its own part is there. A shard started again writes the same part again, and
goes on with a merge that it had claimed. With a query there are no shards: one pod reads.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import duckdb
import msgspec

from penstock_jobs.contract.document import decode
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.reading import ColumnReading, InputReading
from penstock_jobs.contract.result import ColumnType, DatasetPart, JobResult
from penstock_jobs.contract.specification import DatasetJob, Shard
from penstock_jobs.dataset import sources
from penstock_jobs.dataset.canonical import column_type
from penstock_jobs.dataset.input_rules import recorded_readings
from penstock_jobs.dataset.loading import LoadedInputs, QueryEngine, relation_of
from penstock_jobs.dataset.state import read_state
from penstock_jobs.logs import report_progress
from penstock_jobs.storage import KeyNotFound, open_store
from penstock_jobs.tables.columns import quote_identifier, quote_literal
from penstock_jobs.tables.engine import connect, explain_duckdb_errors, parquet_relation
from penstock_jobs.tables.files import fetch_file

_FOLDER = "shards"
_CLAIM = f"{_FOLDER}/merging"


def read_shard(job: DatasetJob) -> DatasetPart:
    """Read the files of this shard and write their rows to the run's storage."""
    if job.query is not None or len(job.inputs) > 1:
        raise Refused("An input is shared out by file only where there is one input and no query; use one shard.")
    state = read_state(open_store(job.storage), job)
    name = f"{_FOLDER}/dataset-{job.shard.index}.parquet"
    with tempfile.TemporaryDirectory(prefix="penstock-") as folder:
        scratch = Path(folder)
        report_progress(0, 2, f"Reading shard {job.shard.index} of {job.shard.count}")
        source = sources.find_input_files(job.inputs[0], job.shard, scratch)
        target = scratch / "part.parquet"
        rows = 0
        reading: InputReading | None = None
        with connect(scratch, job.memory, job.threads) as connection:
            if source.files:
                engine = QueryEngine(connection, scratch, job.memory, job.threads)
                recorded = recorded_readings(state.fixed, (source.name,))
                read, reading = relation_of(engine, source, recorded.get(source.name))
                with explain_duckdb_errors(f"The input '{source.name}'"):
                    row = connection.execute(
                        f"COPY (FROM {read}) TO {quote_literal(str(target))} (FORMAT parquet)"
                    ).fetchone()
                rows = int(row[0]) if row else 0
        store = open_store(job.run_storage)
        if rows:
            store.upload(target, name)
        report_progress(2, 2, f"Shard {job.shard.index} has {rows} rows")
    return DatasetPart(uri=f"{store.uri}/{name}" if rows else None, rows=rows, reading=reading)


def merge_job(job: DatasetJob) -> DatasetJob | None:
    """Return the job that merges, where it is this shard's to do; its own part is in storage by now."""
    store = open_store(job.run_storage)
    count = job.shard.count
    if not {_result_key(index) for index in range(count)} <= set(store.keys("results/dataset-")):
        return None
    mine = str(job.shard.index).encode()
    if not store.write_if_absent(_CLAIM, mine) and store.read(_CLAIM) != mine:
        return None
    return msgspec.structs.replace(job, shard=Shard(index=count, count=count))


def load_parts(engine: QueryEngine, job: DatasetJob, view: str) -> LoadedInputs:
    """Make the view of the rows of all parts."""
    store = open_store(job.run_storage)
    parts = [_read_part(job, index) for index in range(job.shard.count)]
    names = [f"{_FOLDER}/dataset-{index}.parquet" for index, part in enumerate(parts) if part.rows]
    if not names:
        raise Refused("The input has no rows; there is nothing to make a dataset of.")
    files = [fetch_file(store, name, engine.scratch / "parts") for name in names]
    with explain_duckdb_errors("The parts of the input"):
        _refuse_unlike(engine.connection, files)
        engine.connection.execute(f"CREATE VIEW {view} AS SELECT * FROM {parquet_relation(files)}")
    readings = [part.reading for part in parts if part.reading is not None and part.rows]
    return LoadedInputs({job.inputs[0].name: _agreed_reading(readings)} if readings else {})


def _agreed_reading(readings: Sequence[InputReading]) -> InputReading:
    """Return what the shards found out alike; where they did not, it is found out again by the next generation."""
    first = readings[0]
    alike: dict[str, set[ColumnReading]] = {}
    for reading in readings:
        for column in reading.columns:
            alike.setdefault(column.name, set()).add(column)
    marks = {(each.delimiter, each.quote, each.escape) for each in readings}
    delimiter, quote, escape = (first.delimiter, first.quote, first.escape) if len(marks) == 1 else (None, None, None)
    columns = tuple(found.pop() for found in alike.values() if len(found) == 1)
    return msgspec.structs.replace(first, columns=columns, delimiter=delimiter, quote=quote, escape=escape)


def _read_part(job: DatasetJob, index: int) -> DatasetPart:
    store = open_store(job.run_storage)
    key = _result_key(index)
    try:
        result = decode(store.read(key), JobResult, f"{store.uri}/{key}")
    except KeyNotFound as error:
        raise Refused(f"Shard {index} of {job.shard.count} has not ended; merging waits for all of them.") from error
    if not isinstance(result, DatasetPart):
        raise Refused(f"{store.uri}/{key} is not the result of a shard.")
    return result


def _result_key(index: int) -> str:
    return f"results/dataset-{index}.json"


def _refuse_unlike(connection: duckdb.DuckDBPyConnection, files: list[Path]) -> None:
    seen: dict[str, ColumnType] = {}
    for file in files:
        for name, kind, *_ in connection.execute(f"DESCRIBE SELECT * FROM {parquet_relation([file])}").fetchall():
            now = column_type(str(name), str(kind))
            before = seen.setdefault(str(name), now)
            if before == now or {before, now} == {"Integer", "Float"}:
                continue
            row = connection.execute(
                f"SELECT count({quote_identifier(str(name))}) FROM {parquet_relation([file])}"
            ).fetchone()
            if row and row[0]:
                raise Refused(
                    f"The column '{name}' is {before} in some files of the input and {now} in others; give it a type "
                    "(`types` of the input)."
                )
