"""A Model of one's own estimator takes along the operations that it needs, and they run only where they are trusted."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import model_making as making
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import ModelReference
from penstock_jobs.contract.specification import Location
from penstock_jobs.models.loading import load_model
from penstock_jobs.models.source import put_source_on_path
from penstock_jobs.source.archive import pack

TRUSTED = ("herd.estimators.Nearest",)
ESTIMATOR = """
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


class Nearest(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.means_ = np.stack([np.asarray(X)[np.asarray(y) == each].mean(axis=0) for each in self.classes_])
        return self

    def predict_proba(self, X):
        distances = ((np.asarray(X)[:, None, :] - self.means_) ** 2).sum(axis=2)
        weights = 1 / (1 + distances)
        return weights / weights.sum(axis=1, keepdims=True)

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]
"""


def forget() -> None:
    for name in [each for each in sys.modules if each.partition(".")[0] == "herd"]:
        del sys.modules[name]
    importlib.invalidate_caches()


@pytest.fixture
def saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelReference]:
    """A Model of an estimator that this process can no longer import."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    operations = tmp_path / "operations"
    (operations / "herd").mkdir(parents=True)
    (operations / "herd" / "estimators.py").write_text(ESTIMATOR)
    pack(operations, tmp_path / "packed")
    before = list(sys.path)
    sys.path.insert(0, str(operations))
    importlib.invalidate_caches()
    estimator = importlib.import_module("herd.estimators").Nearest()
    made = making.save(
        tmp_path / "models",
        making.fit_model(estimator),
        trusted_types=TRUSTED,
        source=(tmp_path / "packed").read_bytes,
    )
    sys.path[:] = before
    forget()
    yield made
    sys.path[:] = before
    forget()


def test_a_server_that_never_saw_the_repository_can_load_it(saved: ModelReference) -> None:
    there = Location(uri=saved.uri)

    with pytest.raises((Refused, ImportError)):
        load_model(there, trusted_types=TRUSTED, manifest_digest=saved.digest)
    put_source_on_path(there, saved.digest, TRUSTED)

    assert load_model(there, trusted_types=TRUSTED, manifest_digest=saved.digest).manifest.untrusted_types == TRUSTED


def test_nothing_of_it_is_imported_for_a_pipeline_that_trusts_nothing(saved: ModelReference) -> None:
    before = list(sys.path)

    put_source_on_path(Location(uri=saved.uri), saved.digest, ())

    assert sys.path == before


def test_operations_that_were_changed_are_refused(saved: ModelReference, tmp_path: Path) -> None:
    [archive] = (tmp_path / "models").rglob("source.tar.gz")
    archive.write_bytes(b"something else")

    with pytest.raises(Refused, match=r"source.tar.gz is not the archive that was packed"):
        put_source_on_path(Location(uri=saved.uri), saved.digest, TRUSTED)


def test_a_model_that_needs_none_takes_none_along(tmp_path: Path) -> None:
    making.save(tmp_path, making.fit_model(), source=lambda: b"never read")

    assert list(tmp_path.rglob("source.tar.gz")) == []
