"""By which rules rows for a Model are read: those that its own input was read by, which its manifest holds."""

import math
from collections.abc import Mapping, Sequence

import msgspec

from penstock_jobs.contract.manifest import FeatureSpec, ModelManifest
from penstock_jobs.contract.reading import ColumnReading, InputReading
from penstock_jobs.reading.formats import format_of, is_tabbed


def reading_for_model(readings: Mapping[str, InputReading], features: Sequence[FeatureSpec]) -> InputReading | None:
    """Return how rows with these features are read, None where nothing is known of the inputs.

    Of several inputs, which a query made one table of, it says what they have in common, and all their null texts.

    Args:
        readings: of the inputs, by name.
        features: of the Model.
    """
    if not readings:
        return None
    inputs = list(readings.values())
    first = next((each for each in inputs if each.format == "CSV"), inputs[0])
    tables = [each for each in inputs if each.format == "CSV"] or inputs
    alike = len({(each.delimiter, each.quote, each.escape) for each in tables}) == 1
    numbers = {(each.decimal, each.thousands) for each in inputs if each.format in ("CSV", "JSONLines")}
    decimal, thousands = numbers.pop() if len(numbers) == 1 else (".", None)
    return InputReading(
        format=first.format,
        columns=tuple(column for feature in features if (column := _column_of(inputs, feature)) is not None),
        delimiter=first.delimiter if alike else None,
        quote=first.quote if alike else None,
        escape=first.escape if alike else None,
        null_texts=tuple(dict.fromkeys(text for each in inputs for text in each.null_texts)),
        decimal=decimal,
        thousands=thousands,
    )


def features_with_null_texts(features: Sequence[FeatureSpec], reading: InputReading | None) -> tuple[FeatureSpec, ...]:
    """Return the features with the texts that meant null where the tables were made, as they mean it to the server.

    The empty text is as the tables have it. Of numbers, moments and flags only a number can be sent in its place.
    """
    texts = () if reading is None else tuple(text for text in reading.null_texts if text)
    numbers = tuple(text for text in texts if _is_number(text))
    of_type = {"String": texts, "Integer": numbers, "Float": numbers}
    return tuple(
        msgspec.structs.replace(each, null_texts=(*each.null_texts, *of_type.get(each.type, ()))) for each in features
    )


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def rules_for_model(manifest: ModelManifest, name: str) -> InputReading:
    """Return the rules by which a file of that name is read for the Model, whatever format its own input had."""
    kind = format_of(name) or "CSV"
    known = manifest.reading or InputReading(format=kind)
    if known.format != "CSV":
        known = msgspec.structs.replace(known, delimiter=None, quote=None, escape=None)
    if kind == "CSV" and is_tabbed(name) and known.delimiter != "\t":
        known = msgspec.structs.replace(known, delimiter="\t", quote=None, escape=None)
    return msgspec.structs.replace(known, format=kind)


def feature_readings(manifest: ModelManifest) -> tuple[ColumnReading, ...]:
    """Return how each feature of the Model is read, in their order."""
    found = []
    for feature in manifest.features:
        known = manifest.reading.column(feature.name) if manifest.reading is not None else None
        date_format = known.date_format if known is not None else None
        found.append(ColumnReading(name=feature.name, type=feature.type, date_format=date_format))
    return tuple(found)


def _column_of(inputs: Sequence[InputReading], feature: FeatureSpec) -> ColumnReading | None:
    known = {column for each in inputs if (column := each.column(feature.name)) is not None}
    alike = {column for column in known if column.type == feature.type}
    return alike.pop() if len(known) == len(alike) == 1 else None
