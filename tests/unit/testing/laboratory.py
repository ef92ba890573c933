"""Real tables and real Models in a folder, made without the dataset and training jobs."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline

from penstock_jobs.contract.manifest import FeatureSpec, Lineage, Origin
from penstock_jobs.contract.result import Column, ModelReference, ScoreResult, TableVersion
from penstock_jobs.contract.specification import Location, Run, ScoringSpec, SplitSpec, TargetSpec, TestingJob
from penstock_jobs.dataset.draw import draw, threshold
from penstock_jobs.dataset.encoding import HASHING
from penstock_jobs.models.fitted import FittedModel
from penstock_jobs.models.inputs import model_frame
from penstock_jobs.models.saving import save_model
from penstock_jobs.scoring import order_classes
from penstock_jobs.serving.warming import rehearse
from penstock_jobs.storage import open_store
from penstock_jobs.tables import delta
from penstock_jobs.tables.columns import DUCKDB_TYPES, TESTING_INTERNAL, TRAINING_INTERNAL

TYPES = {"i": "Integer", "f": "Float", "b": "Boolean", "O": "String", "U": "String", "M": "Timestamp"}


def identity(*values: object) -> int:
    hashed = hashlib.md5(repr(values).encode(), usedforsecurity=False).digest()
    return int.from_bytes(hashed[:8], signed=True)


@dataclass
class Laboratory:
    """A storage folder whose tables hold `frame`, split by key (or group) as the dataset job would."""

    folder: Path
    frame: pd.DataFrame
    target: str
    task: str = "Classification"
    key: tuple[str, ...] = ("id",)
    roles: dict[str, str] = field(default_factory=dict)
    split: SplitSpec = field(default_factory=lambda: SplitSpec(testing=0.3))
    epoch: int = 1
    positive: Any = None

    def __post_init__(self) -> None:
        self.storage = Location(uri=(self.folder / "storage").as_uri())
        self.columns = tuple(
            Column(name=name, type=self._type(name), role=self._role(name)) for name in self.frame.columns
        )
        self.identified = self.frame.assign(
            _penstock_point=[identity(*row) for row in self.frame[list(self.key)].itertuples(index=False)],
            _penstock_group=self._groups(),
            _penstock_fold=np.arange(len(self.frame)),
        )
        side = self._testing_mask(self.split.testing)
        rest = self.identified[~side]
        held = self._draws_below("validation", 0.25, rest["_penstock_point"])
        self.frames = {"training": rest[~held], "validation": rest[held], "testing": self.identified[side]}
        self.tables = {name: self.write(name, rows) for name, rows in self.frames.items()}

    def _type(self, name: str) -> Any:
        return TYPES[self.frame[name].dtype.kind] if self.frame[name].dtype != "str" else "String"

    def _role(self, name: str) -> Any:
        if name in self.key:
            return "Key"
        if name in self.split.group_columns:
            return "Group"
        if name == self.split.time_column:
            return "Time"
        return "Target" if name == self.target else self.roles.get(name, "Feature")

    def _testing_mask(self, share: float) -> Any:
        if self.split.cutoff is not None:
            return (self.frame[self.split.time_column] >= pd.Timestamp(self.split.cutoff)).to_numpy()
        by = "_penstock_group" if self.split.group_columns else "_penstock_point"
        return self._draws_below("testing", share, self.identified[by])

    def _draws_below(self, purpose: Any, share: float, identities: Any) -> Any:
        below = threshold(share)
        return np.array([draw(purpose, self.split.salt, self.epoch, one) < below for one in identities])

    def _groups(self) -> Any:
        columns = list(self.split.group_columns)
        return [identity(*row) for row in self.frame[columns].itertuples(index=False)] if columns else None

    def write(self, name: str, rows: pd.DataFrame, generation: int = 0, revision: int = 0) -> TableVersion:
        place = f"datasets/{name}" if name != "testing" else f"datasets/testing/epoch-{self.epoch}"
        store = open_store(self.storage).child(place)
        internal = TRAINING_INTERNAL if name != "testing" else TESTING_INTERNAL
        types = {**internal, **{column.name: DUCKDB_TYPES[column.type] for column in self.columns}}
        if name == "testing":
            rows = rows.assign(_penstock_generation=generation, _penstock_revision=revision, _penstock_retired=False)
        path = Path(str(store.local_path(f"part-{generation}.parquet")))
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = rows.astype(dict.fromkeys(("_penstock_point", "_penstock_group"), object))
        listed = ", ".join(f'CAST("{one}" AS {kind}) AS "{one}"' for one, kind in types.items())
        with duckdb.connect() as connection:
            connection.register("rows", rows)
            connection.execute(f"COPY (SELECT {listed} FROM rows) TO '{path}' (FORMAT parquet)")
        change = delta.Commit(
            files=(delta.DataFile(path.name, path.stat().st_size, len(rows)),),
            types=types,
            generation=generation,
            epoch=self.epoch,
            run="test",
            moment=0,
            overwrite=False,
            configuration=delta.configuration(name == "testing", 86400.0),
        )
        version = delta.commit(store, delta.open_table(store), change)
        counts: Any = rows[self.target].value_counts() if self.task == "Classification" else {}
        return TableVersion(
            uri=store.uri,
            version=version,
            rows=len(rows),
            digest=f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}",
            classes={str(one): int(count) for one, count in dict(counts).items()},
        )

    @property
    def features(self) -> tuple[FeatureSpec, ...]:
        return tuple(FeatureSpec(name=one.name, type=one.type) for one in self.columns if one.role == "Feature")

    def lineage(self, **changes: Any) -> Lineage:
        tables = {
            f"{name}_{what}": getattr(table, what)
            for name, table in self.tables.items()
            for what in ("uri", "version", "digest")
            if (name, what) != ("testing", "digest")
        }
        values = {
            "storage": self.storage.uri,
            "strategy": self.split.strategy,
            "key": self.key,
            "salt": self.split.salt,
            "epoch": self.epoch,
            "testing_share": self.split.testing,
            "generation": 0,
            "hashing": HASHING,
            "group": self.split.group_columns,
            **tables,
        }
        return Lineage(**(values | changes))

    def model(
        self,
        name: str,
        *steps: Any,
        validation: float = 0.5,
        features: tuple[str, ...] = (),
        lineage: Lineage | None = None,
        **changes: Any,
    ) -> ModelReference:
        """Fit the steps on the training table and save them as a Model."""
        chosen = tuple(one for one in self.features if not features or one.name in features)
        training = self.frames["training"]
        estimator = make_pipeline(*steps).fit(model_frame(training, chosen), training[self.target].to_numpy())
        classes = order_classes(training[self.target].to_numpy()) if self.task == "Classification" else ()
        fitted = FittedModel(
            name=name,
            estimator=estimator,
            features=chosen,
            task=self.task,  # type: ignore[arg-type]
            target=self.target,
            target_type=self._type(self.target),
            validation=self.frames["validation"],
            origin=Origin(
                pipeline="laboratory",
                run_uid="1",
                execution_name="test",
                candidate=f"c-{name}",
                algorithm=type(steps[-1]).__name__,
                estimator=f"{type(steps[-1]).__module__}.{type(steps[-1]).__name__}",
                parameters={},
                seed=0,
            ),
            lineage=lineage or self.lineage(),
            classes=classes,
            positive=self.positive,
            scores=(ScoreResult(name="validation", value=validation),),
            **changes,
        )
        reference = save_model(open_store(self.storage).child("models"), fitted, rehearse)
        return ModelReference(
            name=reference.name,
            uri=reference.uri,
            digest=reference.digest,
            candidate=f"c-{name}",
            algorithm=type(steps[-1]).__name__,
            validation=ScoreResult(name="validation", value=validation),
        )

    def job(
        self, models: tuple[ModelReference, ...], scoring: tuple[str | ScoringSpec, ...], **changes: Any
    ) -> TestingJob:
        values: dict[str, Any] = {
            "run": Run(uid="1", execution_name="test", pipeline="laboratory", pipeline_uid="0"),
            "storage": self.storage,
            "run_storage": Location(uri=(self.folder / "run").as_uri()),
            "testing": self.tables["testing"],
            "training": self.tables["training"],
            "validation": self.tables["validation"],
            "columns": self.columns,
            "task": self.task,
            "target": TargetSpec(column=self.target, positive=self.positive),
            "split": self.split,
            "models": models,
            "scoring": tuple(ScoringSpec(name=one) if isinstance(one, str) else one for one in scoring),
            "minimum_points": 20,
            "resamples": 400,
        }
        return TestingJob(**(values | changes))
