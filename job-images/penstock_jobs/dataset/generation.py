"""One generation of the tables: everything is read, split, written and checked before anything is committed.

The order of the commits is testing, validation, training. A kill before the first leaves the tables as they were (its
files are unseen, and vacuumed later). A kill between them leaves points set apart in testing that the last training set
may still hold, in versions that no result names; the same run, started again, or the next one, finds those points in
testing, keeps them there and makes the other two tables again. A generation is known by the run that committed it, so
that the run started again counts it as its own.
"""

import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from penstock_jobs.contract.document import encode
from penstock_jobs.contract.result import Column, DatasetResult, Remark, TableVersion
from penstock_jobs.contract.specification import DatasetJob
from penstock_jobs.dataset import (
    checks,
    history,
    missing_values,
    points,
    proof,
    schema,
    shards,
    sources,
    strategies,
    writing,
)
from penstock_jobs.dataset.bound_query import bind_parameters
from penstock_jobs.dataset.canonical import columns_left_out, make_canonical
from penstock_jobs.dataset.claim import claim, lock_datasets
from penstock_jobs.dataset.encoding import HASHING
from penstock_jobs.dataset.input_rules import engine_types, recorded_readings
from penstock_jobs.dataset.key_origin import refuse_numbered_keys
from penstock_jobs.dataset.loading import ROWS, LoadedInputs, QueryEngine, load
from penstock_jobs.dataset.query import remarks_on_query
from penstock_jobs.dataset.remarks import (
    COLUMNS_KEY,
    WrittenRows,
    gather_facts,
    make_remarks,
    refuse_broken_bounds,
    refuse_remarks,
    statistics_document,
)
from penstock_jobs.dataset.state import TRAINING, VALIDATION, read_state, remarks_on_reset, testing_folder
from penstock_jobs.logs import report_progress
from penstock_jobs.storage import Store, open_store
from penstock_jobs.tables import delta
from penstock_jobs.tables.columns import TESTING_INTERNAL, TRAINING_INTERNAL, types_of_columns
from penstock_jobs.tables.engine import connect, explain_duckdb_errors, reduce_memory
from penstock_jobs.tables.files import fetch_file
from penstock_jobs.tables.row_hash import require_hash


def generate(job: DatasetJob) -> DatasetResult:
    """Read the inputs and write the next generation of the tables.

    Raises:
        Refused: the input or the rule is wrong; the tables are as they were.
        Unavailable: another generation was committed meanwhile, or the machine has no room.
    """
    store = open_store(job.storage)
    claim(store, job.run)
    with lock_datasets(store), tempfile.TemporaryDirectory(prefix="penstock-") as folder:
        scratch = Path(folder)
        with connect(scratch, job.memory, job.threads) as connection:
            require_hash(connection)
            return _Generation(job, store, scratch, connection).run()


@dataclass(frozen=True)
class _TableFiles:
    """The files of each table, those new and all those of the version to be, and the rows that are in no table."""

    new: dict[str, tuple[delta.DataFile, ...]]
    paths: dict[str, tuple[Path, ...]]
    left_out: int

    @property
    def new_paths(self) -> dict[str, tuple[Path, ...]]:
        """The new files of each table, where they can be read."""
        return {name: self.paths[name][len(self.paths[name]) - len(files) :] for name, files in self.new.items()}

    @property
    def new_rows(self) -> dict[str, int]:
        """How many rows the new files of each table have."""
        return {name: sum(file.rows for file in files) for name, files in self.new.items()}


class _Generation:
    """The steps of one generation, in order; each reads what the steps before it left in the engine."""

    def __init__(self, job: DatasetJob, store: Store, scratch: Path, connection: duckdb.DuckDBPyConnection) -> None:
        self.job = job
        self.store = store
        self.scratch = scratch
        self.connection = connection
        self.state = read_state(store, job)
        self.stores = {
            "testing": store.child(testing_folder(self.state.epoch)),
            "validation": store.child(VALIDATION),
            "training": store.child(TRAINING),
        }

    def run(self) -> DatasetResult:
        """Do all of it."""
        job, fixed = self.job, self.state.fixed
        if fixed is not None:
            schema.refuse_other_rule(fixed, job)
        report_progress(0, 5, "Reading the inputs")
        loaded = self._load()
        columns = make_canonical(self.connection, job, self._testing_columns())
        target = next(column for column in columns if column.name == job.target.column)
        with explain_duckdb_errors("The input"):
            task = checks.check_target(self.connection, job, target)
            checks.check_weight(self.connection, columns)
            refuse_broken_bounds(self.connection, job, columns, self._rows_before())
        report_progress(1, 5, "Identifying the points")
        identity = points.identity_columns(job, columns, fixed.identity if fixed else None)
        groups = points.group_columns(job, columns)
        points.identify(self.connection, job, self.state.epoch, identity, groups)
        with explain_duckdb_errors("The input"):
            missing = missing_values.find_missing(self.connection, job, identity, groups)
            with reduce_memory(self.connection, job.memory):
                counts = points.deduplicate(self.connection, job, identity)
            points.read_testing_rows(self.connection, self._testing_files(), columns)
            setting = strategies.SplitContext(self.connection, job, self.state.epoch, columns, self._place_training)
            sides = strategies.prepare(setting)
        report_progress(2, 5, f"Splitting {counts.rows} rows")
        written = self._write(sides, columns)
        report_progress(3, 5, "Reading the tables back")
        with reduce_memory(self.connection, job.memory):
            retired_may_train = job.split.strategy == "Time" and job.split.retired == "Train"
            training, validation, testing = (written.paths[name] for name in ("training", "validation", "testing"))
            leak_proof = proof.prove(self.connection, training, validation, testing, retired_may_train)
        classes_of = target.name if task == "Classification" else None
        measured = {
            name: writing.measure(self.connection, files, _types(name, columns), columns, classes_of)
            for name, files in written.paths.items()
        }
        checks.check_repetition(job.repeated, {name: each.digest for name, each in measured.items()})
        self._check(task, measured, written, columns)
        past = history.count_changes(self.connection, job, self.state.generation, columns, written.paths["testing"])
        statistics, remarked = self._remark(
            task,
            columns,
            written,
            measured,
            (
                *missing,
                *sides.remarks,
                *remarks_on_query(job.split.strategy, combines_rows=loaded.combines_rows),
                *remarks_on_reset(self.state, job),
            ),
        )
        report_progress(4, 5, "Committing the tables")
        self._save_schema(columns, identity, task, loaded)
        versions = self._commit(written, columns, counts.rows)
        self._vacuum()
        report_progress(5, 5, "The tables are committed")
        return DatasetResult(
            training=self._version("training", versions, measured),
            validation=self._version("validation", versions, measured),
            testing=self._version("testing", versions, measured),
            columns=columns,
            task=task,
            epoch=self.state.epoch,
            generation=self.state.generation,
            rows_read=counts.rows,
            duplicates=counts.duplicates,
            leak_proof=leak_proof,
            split=job.split,
            identity=tuple(f"{column.name} {column.type}" for column in identity),
            parameters=job.parameters,
            remarks=remarked,
            statistics=statistics,
            new=past.new,
            changed=past.changed,
            vanished=past.vanished,
            retired=past.retired,
            left_out=written.left_out,
        )

    def _load(self) -> LoadedInputs:
        engine = QueryEngine(self.connection, self.scratch, self.job.memory, self.job.threads)
        if self.job.shard.count > 1:
            return shards.load_parts(engine, self.job, ROWS)
        found = tuple(sources.find_input_files(declared, self.job.shard, self.scratch) for declared in self.job.inputs)
        query = bind_parameters(self.job.query, self.job.parameters)
        if query is not None:
            refuse_numbered_keys(self.connection, query.text, self.job)
        recorded = recorded_readings(self.state.fixed, tuple(source.name for source in found))
        return load(engine, found, query, recorded)

    def _testing_columns(self) -> tuple[Column, ...] | None:
        """Return the columns that the testing table really has: a schema saved by a killed generation binds nobody."""
        if self.state.fixed is None or self.state.testing is None:
            return None
        stored = {field.name for field in self.state.testing.schema().fields}
        return tuple(column for column in self.state.fixed.columns if column.name in stored)

    def _rows_before(self) -> int | None:
        """Return how many rows were read for the generation before, None where there was none that says so."""
        said = {} if self.state.training is None else delta.last_commit(self.state.training)
        return int(said["rows"]) if "rows" in said else None

    def _testing_files(self) -> tuple[Path, ...]:
        if self.state.testing is None:
            return ()
        return self._local_paths("testing", delta.file_names(self.state.testing))

    def _local_paths(self, table: str, names: tuple[str, ...]) -> tuple[Path, ...]:
        return tuple(fetch_file(self.stores[table], name, self.scratch / table) for name in names)

    def _place_training(self) -> None:
        files: list[Path] = []
        for name, table in (("training", self.state.training), ("validation", self.state.validation)):
            if table is not None and delta.last_commit(table).get("epoch") == str(self.state.epoch):
                files += self._local_paths(name, delta.file_names(table))
        points.read_training_points(self.connection, files)

    def _write(self, sides: strategies.SideRule, columns: tuple[Column, ...]) -> _TableFiles:
        history.make_sides(self.connection, sides)
        queries = history.queries_to_write(self.connection, self.job, self.state.generation, columns, sides)
        rows = " UNION ALL BY NAME ".join(f"({query})" for query in queries)
        written = writing.write_sides(self.connection, self.stores, rows, self.scratch)
        new = written.files
        paths = {name: self._local_paths(name, tuple(file.name for file in files)) for name, files in new.items()}
        return _TableFiles(new, {**paths, "testing": (*self._testing_files(), *paths["testing"])}, written.left_out)

    def _check(
        self,
        task: checks.Task,
        measured: Mapping[str, writing.TableMeasure],
        written: _TableFiles,
        columns: tuple[Column, ...],
    ) -> None:
        asked = ["training", "testing"] + (["validation"] if self.job.validation.holdout else [])
        checks.check_classes(self.job, task, {name: (measured[name].rows, measured[name].classes) for name in asked})
        if task == "Regression":
            with explain_duckdb_errors("The tables' files"):
                seen = {
                    name: writing.seen_rows(self.connection, written.paths[name], _types(name, columns))
                    for name in asked
                }
                checks.check_variance(self.connection, self.job, seen)

    def _remark(
        self,
        task: checks.Task,
        columns: tuple[Column, ...],
        written: _TableFiles,
        measured: Mapping[str, writing.TableMeasure],
        known: tuple[Remark, ...],
    ) -> tuple[str, tuple[Remark, ...]]:
        """Return where the statistics of the columns are, and all remarks, those that are known already too.

        Raises:
            Refused: a remark is one that the manifest refuses.
        """
        job = self.job
        made = WrittenRows(written.new_paths, written.paths, written.new_rows, _add_classes(measured))
        left_out = columns_left_out(self.connection, columns)
        facts = gather_facts(self.connection, job, task, columns, made, left_out)
        found = make_remarks(facts)
        found = (*found, *known)
        refuse_remarks(job.expect, found)
        store = open_store(job.run_storage)
        store.write(COLUMNS_KEY, encode(statistics_document(facts)))
        return f"{store.uri}/{COLUMNS_KEY}", found

    def _save_schema(
        self, columns: tuple[Column, ...], identity: tuple[Column, ...], task: checks.Task, loaded: LoadedInputs
    ) -> None:
        job, fixed = self.job, self.state.fixed
        readings = {**(fixed.readings if fixed else {}), **loaded.readings}
        made = schema.EpochSchema(
            columns=columns,
            identity=tuple(column.name for column in identity),
            has_key=bool(job.key),
            salt=job.split.salt,
            strategy=job.split.strategy,
            group_columns=job.split.group_columns,
            time_column=job.split.time_column,
            task=task,
            inputs={**(fixed.inputs if fixed else {}), **engine_types(loaded.readings)},
            readings=readings,
            hashing=HASHING,
        )
        schema.save(self.store, self.state.epoch, made)

    def _commit(self, written: _TableFiles, columns: tuple[Column, ...], rows_read: int) -> dict[str, int]:
        tables = {"testing": self.state.testing, "validation": self.state.validation, "training": self.state.training}
        versions = {}
        for name, table in tables.items():
            testing = name == "testing"
            change = delta.Commit(
                files=written.new[name],
                types=_types(name, columns),
                generation=self.state.generation,
                epoch=self.state.epoch,
                run=self.job.run.uid,
                reset=self.job.reset_testing if testing else None,
                rows_read=rows_read,
                moment=time.time_ns() // 10**6,
                overwrite=not testing,
                configuration=delta.configuration(append_only=testing, keep_seconds=self.job.keep_versions),
            )
            versions[name] = delta.commit(self.stores[name], table, change)
        return versions

    def _vacuum(self) -> None:
        for name, pinned in (("training", self.job.pinned_training), ("validation", self.job.pinned_validation)):
            delta.vacuum(self.stores[name], self.job.keep_versions, pinned)

    def _version(
        self, name: str, versions: Mapping[str, int], measured: Mapping[str, writing.TableMeasure]
    ) -> TableVersion:
        seen = measured[name]
        uri = self.stores[name].uri
        return TableVersion(uri=uri, version=versions[name], rows=seen.rows, digest=seen.digest, classes=seen.classes)


def _add_classes(measured: Mapping[str, writing.TableMeasure]) -> Counter[str]:
    return sum((Counter(each.classes) for each in measured.values()), Counter())


def _types(name: str, columns: tuple[Column, ...]) -> dict[str, str]:
    return types_of_columns(columns, TESTING_INTERNAL if name == "testing" else TRAINING_INTERNAL)
