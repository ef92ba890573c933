"""By which rules an input is read: what the manifest says of it, else what was recorded, else what a new input has."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.reading import ColumnType, InputReading
from penstock_jobs.dataset.schema import EpochSchema
from penstock_jobs.dataset.sources import InputFiles
from penstock_jobs.reading.expressions import ENGINE_TYPES

# The types of the engine that schemas hold which were written before there were readings.
_TYPES: dict[str, ColumnType] = {
    "BIGINT": "Integer",
    "DOUBLE": "Float",
    "BOOLEAN": "Boolean",
    "DATE": "Date",
    "TIMESTAMP": "Timestamp",
    "TIMESTAMP WITH TIME ZONE": "Timestamp",
    "VARCHAR": "String",
    "TIME": "String",
    "UUID": "String",
    "JSON": "String",
}


@dataclass(frozen=True)
class RecordedReading:
    """How an input was read before: `reading`; of tables that were begun before there were any, `types` alone."""

    reading: InputReading | None = None
    types: Mapping[str, ColumnType] | None = None


def recorded_readings(schema: EpochSchema | None, inputs: tuple[str, ...]) -> dict[str, RecordedReading]:
    """Return how the inputs were read before, by name; none where the tables are not there yet."""
    if schema is None:
        return {}
    recorded = {}
    for name in inputs:
        if schema.readings and name not in schema.readings:
            continue  # an input that has come since
        old = {column: _TYPES[kind] for column, kind in schema.inputs.get(name, {}).items() if kind in _TYPES}
        recorded[name] = RecordedReading(schema.readings.get(name), old)
    return recorded


def reading_rules(source: InputFiles, recorded: RecordedReading | None) -> InputReading:
    """Return the rules to read an input by; refuse marks that would read its texts as other values than before."""
    declared = source.declared
    before = recorded.reading if recorded is not None else None
    if before is not None:
        _refuse_other_marks(source, before)
    # Empty texts of other formats than CSV were values in tables that were begun before there were readings.
    empty = () if recorded is not None and before is None and source.format != "CSV" else ("",)
    if before is not None:
        empty = ("",) if "" in before.null_texts else ()
    rules = before or InputReading(format=source.format)
    return msgspec.structs.replace(
        rules,
        format=source.format,
        delimiter=declared.delimiter or rules.delimiter,
        null_texts=tuple(dict.fromkeys((*empty, *declared.null_values))),
        decimal=declared.decimal or rules.decimal,
        thousands=declared.thousands or rules.thousands,
    )


def types_of_input(source: InputFiles, recorded: RecordedReading | None) -> dict[str, ColumnType]:
    """Return the types that columns must have: the manifest's, and those of tables that have no readings."""
    old = recorded.types if recorded is not None and recorded.reading is None and source.is_text else None
    return {**(old or {}), **source.declared.types}


def engine_types(readings: Mapping[str, InputReading]) -> dict[str, dict[str, str]]:
    """Return the engine's type of each column of text, as versions go by that know no readings."""
    return {
        name: {
            column.name: "TIMESTAMP WITH TIME ZONE" if column.offset else ENGINE_TYPES[column.type]
            for column in reading.columns
            if column.type is not None
        }
        for name, reading in readings.items()
        if reading.columns
    }


def _refuse_other_marks(source: InputFiles, before: InputReading) -> None:
    declared = source.declared
    forms = {column.date_format for column in before.columns if column.date_format is not None}
    changes: list[tuple[str, object, object]] = []
    if before.columns:
        changes = [("decimal", before.decimal, declared.decimal), ("thousands", before.thousands, declared.thousands)]
    if forms:
        changes.append(("dateFormat", " or ".join(sorted(forms)), declared.date_format))
    for field, was, now in changes:
        if now is not None and now != was and now not in str(was).split(" or "):
            raise Refused(
                f"`{field}` of the input '{source.name}' (spec.dataset.inputs) is {now}, and its values were read with "
                f"{'none' if was is None else was} when the testing set was begun; take it back, or begin a new "
                "testing set with resetTesting."
            )
