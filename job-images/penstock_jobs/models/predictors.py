"""From the columns that a Model sees to its raw answers, by ONNX Runtime or by scikit-learn."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.manifest import FeatureSpec
from penstock_jobs.models.block import METADATA, NUMBERS, TEXTS, Block, BlockLayout
from penstock_jobs.models.inputs import frame_of_columns
from penstock_jobs.models.onnx_runtime import InferenceSession, SessionOptions
from penstock_jobs.models.onnx_tensors import refuse_external_tensors

Raw = dict[str, NDArray[Any]]


class Predictor(Protocol):
    """Answers to columns: `probabilities` (rows, classes), or `label` and `decision`, or `value` (rows,)."""

    def __call__(self, columns: Mapping[str, NDArray[Any]]) -> Raw:
        """Return the raw answers; `columns` are as `inputs` says."""
        ...

    def block(self, block: Block) -> Raw:
        """Return the raw answers to rows that are in a block already."""
        ...


class OnnxPredictor:
    """An ONNX file in ONNX Runtime, on the CPU."""

    def __init__(self, content: bytes, features: Sequence[FeatureSpec], threads: int = 1) -> None:
        """Read the file.

        Args:
            content: the ONNX file.
            features: its inputs.
            threads: for one prediction; 1 is best for small ones.
        """
        refuse_external_tensors(content)
        options = SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._session = InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's exceptions have only Exception in common
            raise Refused(f"The ONNX file cannot be loaded: {_first_line(error)}.") from error
        self._layout = BlockLayout(features)
        self._merged = METADATA in self._session.get_modelmeta().custom_metadata_map
        inputs = {entry.name: entry.type for entry in self._session.get_inputs()}
        unknown = sorted(set(inputs) - ({NUMBERS, TEXTS} if self._merged else {feature.name for feature in features}))
        if unknown:
            raise Refused(f"The ONNX file has an input {unknown[0]}, which is no feature of its manifest.")
        self._types: dict[str, Any] = {name: _TYPES[kind] for name, kind in inputs.items()}
        found = {entry.name for entry in self._session.get_outputs()}
        known = [names for names in _OUTPUTS if found.issuperset(names)]
        if not known:
            raise Refused(f"The ONNX file has outputs {', '.join(sorted(found))}, and none that Penstock knows.")
        self._outputs = list(known[0])
        self._keys = list(known[0].values())

    def __call__(self, columns: Mapping[str, NDArray[Any]]) -> Raw:
        """Return the raw answers."""
        if self._merged:
            return self.block(self._layout.block(columns))
        # A feature that the preprocessing drops may be no input of the file.
        return self._run({name: columns[name].reshape(-1, 1).astype(kind) for name, kind in self._types.items()})

    def block(self, block: Block) -> Raw:
        """Return the raw answers."""
        if not self._merged:
            return self(self._layout.columns(block))
        matrices: dict[str, NDArray[Any]] = {NUMBERS: block.numbers, TEXTS: block.texts}
        return self._run({name: matrices[name].astype(kind, copy=False) for name, kind in self._types.items()})

    def _run(self, feed: dict[str, NDArray[Any]]) -> Raw:
        try:
            found = self._session.run(self._outputs, feed)
        except Exception as error:  # as above
            raise Refused(f"The ONNX file cannot answer: {_first_line(error)}.") from error
        raw = dict(zip(self._keys, found, strict=True))
        if "value" in raw:
            raw["value"] = raw["value"].reshape(-1)
        return raw


_TYPES = {"tensor(double)": np.float64, "tensor(float)": np.float32, "tensor(string)": object}
# The outputs to ask for, by what there is; the class follows from the probabilities.
_OUTPUTS = (
    {"predict_proba": "probabilities"},
    {"predict": "label", "decision_function": "decision"},
    {"predict": "value"},
)


class EstimatorPredictor:
    """A fitted scikit-learn estimator."""

    def __init__(self, estimator: Any, features: Sequence[FeatureSpec], threads: int | None = None) -> None:
        """Take the estimator.

        Args:
            estimator: fitted.
            features: its inputs.
            threads: how many a prediction may use; None: what the process has been given.
        """
        self._estimator = estimator
        self._limited = _thread_limit(threads)
        self._features = tuple(features)
        self._layout = BlockLayout(features)

    def block(self, block: Block) -> Raw:
        """Return the raw answers, or refuse rows that the estimator refuses."""
        return self(self._layout.columns(block))

    def __call__(self, columns: Mapping[str, NDArray[Any]]) -> Raw:
        """Return the raw answers, or refuse rows that the estimator refuses."""
        frame = frame_of_columns(columns, self._features)
        try:
            with self._limited():
                return _answers(self._estimator, frame)
        except ValueError as error:
            raise Refused(f"The Model cannot answer: {_first_line(error)}.") from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300].rstrip(". ")


def _thread_limit(threads: int | None) -> Callable[[], AbstractContextManager[Any]]:
    if threads is None:
        return nullcontext
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

    return partial(ThreadpoolController().limit, limits=threads)


def set_n_jobs_to_one(estimator: Any) -> Any:
    """Return the estimator with every `n_jobs` at one: more only slow small predictions down, 5 to 10 times."""
    parameters = [name for name in estimator.get_params(deep=True) if name.rpartition("__")[2] == "n_jobs"]
    return estimator.set_params(**dict.fromkeys(parameters))


def _answers(estimator: Any, frame: Any) -> Raw:
    if hasattr(estimator, "predict_proba"):
        return {"probabilities": np.asarray(estimator.predict_proba(frame))}
    predicted = np.asarray(estimator.predict(frame))
    if not hasattr(estimator, "classes_"):
        return {"value": np.asarray(predicted, dtype=np.float64).reshape(-1)}
    if hasattr(estimator, "decision_function"):
        return {"label": predicted, "decision": np.asarray(estimator.decision_function(frame))}
    return {"label": predicted, "decision": np.full(len(predicted), np.nan)}
