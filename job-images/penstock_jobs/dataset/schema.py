"""What the first generation of an epoch fixed, kept in `datasets/schema.json`."""

from typing import ClassVar, Literal

from penstock_jobs.contract.document import Document, Form, VersionedDocument, decode, encode, format_of
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.reading import InputReading
from penstock_jobs.contract.result import Column, Strategy
from penstock_jobs.contract.specification import DatasetJob
from penstock_jobs.dataset.encoding import HASHING
from penstock_jobs.storage import KeyNotFound, Store

KEY = "datasets/schema.json"
SCHEMAS = Form("schemas", 1, since="0.1.0")


class EpochSchema(Document, frozen=True):
    """The columns of an epoch's tables with their types, and the rule that made its identities and draws.

    `identity` are the columns that identify a point, in order; `readings` holds, by input, how its files are read.
    `inputs` holds, by input, the engine's type of each column of text: all that schemas before `readings` say, and what
    a version that does not know them goes by. `hashing` is the version of the rule by which identities and draws are
    made of values.
    """

    columns: tuple[Column, ...]
    identity: tuple[str, ...]
    has_key: bool
    salt: str
    strategy: Strategy
    task: Literal["Classification", "Regression"]
    group_columns: tuple[str, ...] = ()
    time_column: str | None = None
    inputs: dict[str, dict[str, str]] = {}
    hashing: int = 1
    readings: dict[str, InputReading] = {}


class Schemas(VersionedDocument, frozen=True):
    """The schema of each epoch, by its number."""

    form: ClassVar[Form] = SCHEMAS

    epochs: dict[str, EpochSchema] = {}
    format: str = format_of(SCHEMAS)


def load(store: Store, epoch: int) -> EpochSchema | None:
    """Return what the epoch's first generation fixed, None where there is nothing yet."""
    return _read_all(store).epochs.get(str(epoch))


def save(store: Store, epoch: int, schema: EpochSchema) -> None:
    """Keep the schema of the epoch."""
    schemas = _read_all(store)
    if schemas.epochs.get(str(epoch)) != schema:
        store.write(KEY, encode(Schemas(epochs={**schemas.epochs, str(epoch): schema})))


def refuse_other_rule(schema: EpochSchema, job: DatasetJob) -> None:
    """Raise `Refused` where the job would give the same points another identity or another draw."""
    if schema.hashing != HASHING:
        raise Refused(
            "The testing set was begun by another version of Penstock, which drew its points by another hash "
            f"(rule {schema.hashing}; this version has rule {HASHING}); begin a new testing set with resetTesting."
        )
    asked: list[tuple[str, object, object]] = [
        ("spec.dataset.key", list(schema.identity) if schema.has_key else [], list(job.key)),
        ("spec.dataset.split.strategy", schema.strategy, job.split.strategy),
        ("spec.dataset.split.salt", schema.salt, job.split.salt),
        ("spec.dataset.split.group.columns", list(schema.group_columns), list(job.split.group_columns)),
        ("spec.dataset.split.time.column", schema.time_column, job.split.time_column),
    ]
    for field, before, now in asked:
        if before != now:
            raise Refused(
                f"{field} was {_format_value(before)} when the testing set was begun and is {_format_value(now)} now, "
                "which would place its points anew; take it back, or begin a new testing set with resetTesting."
            )


def _read_all(store: Store) -> Schemas:
    try:
        return decode(store.read(KEY), Schemas, f"{store.uri}/{KEY}")
    except KeyNotFound:
        return Schemas()


def _format_value(value: object) -> str:
    if isinstance(value, list) and value:
        return ", ".join(map(str, value))
    return "empty" if value in (None, []) else str(value)
