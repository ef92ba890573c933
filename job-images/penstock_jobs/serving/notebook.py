"""A saved Model in a notebook: `load(location).predict(frame)`, by the same code as the server's."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.manifest import ModelManifest
from penstock_jobs.contract.specification import Location
from penstock_jobs.models.answers import ModelPredictions
from penstock_jobs.models.loading import LoadedModel, load_model
from penstock_jobs.reading.frames import read_features

if TYPE_CHECKING:
    import pandas as pd


class NotebookModel:
    """A Model that predicts from frames, with scikit-learn's names.

    Attributes:
        manifest: what it is: features, classes, scores, origin.
    """

    def __init__(self, model: LoadedModel) -> None:
        """Take the loaded Model."""
        self._model = model
        self.manifest: ModelManifest = model.manifest

    @property
    def classes_(self) -> tuple[Any, ...]:
        """The classes, in the order of the probabilities; empty for regression."""
        return self.manifest.classes

    def predict(self, frame: "pd.DataFrame") -> "pd.Series[Any]":
        """Return the predicted class or number of each row, with the frame's index.

        Args:
            frame: at least the features, by name; other columns are ignored. Texts are read as those of the Model's
                own input were: its null texts, date formats and marks in numbers.
        """
        import pandas as pd

        labels: NDArray[Any] = self._predictions(frame).labels
        return pd.Series(labels, index=frame.index, name=self.manifest.target)

    def predict_proba(self, frame: "pd.DataFrame") -> "pd.DataFrame":
        """Return the probability of each class, a column a class, with the frame's index."""
        import pandas as pd

        probabilities = self._predictions(frame).probabilities
        if probabilities is None:
            raise Refused(f"The Model {self.manifest.name} predicts no probabilities.")
        return pd.DataFrame(probabilities, index=frame.index, columns=list(self.manifest.classes))

    def _predictions(self, frame: "pd.DataFrame") -> ModelPredictions:
        if not len(frame):
            raise Refused("The table has no rows; there is nothing to predict.")
        return self._model.predict_frame(read_features(frame, self.manifest))

    def __repr__(self) -> str:
        manifest = self.manifest
        return (
            f"<Model {manifest.name}: {manifest.target} from {len(manifest.features)} features, "
            f"{manifest.origin.estimator}, {manifest.serving.format}>"
        )


def load(
    location: Location | str, *, trusted_types: Iterable[str] = (), digest: str | None = None, threads: int = 1
) -> NotebookModel:
    """Return the Model in a folder, once its digests were found to be right.

    Args:
        location: the Model's folder; a string is its URI.
        trusted_types: full names of your own types that a skops file may hold.
        digest: what the manifest's digest must be.
        threads: for one prediction.
    """
    place = Location(uri=location) if isinstance(location, str) else location
    return NotebookModel(load_model(place, None, trusted_types, threads, digest))
