"""A fitted estimator becomes a Model: its files, the proof that they answer as it did, and last its manifest."""

import platform
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import msgspec

from penstock_jobs.contract import document
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.manifest import FORMAT, FeatureSpec, ModelManifest, ServedFile
from penstock_jobs.contract.result import ModelReference
from penstock_jobs.logs import log
from penstock_jobs.models import conversion, files, skops_file
from penstock_jobs.models.fitted import FittedModel
from penstock_jobs.models.loading import LoadedModel, labels_from_raw, read_manifest
from penstock_jobs.models.merging import merge_inputs
from penstock_jobs.models.network_file import find_network, network_files
from penstock_jobs.models.parity import Parity, compare
from penstock_jobs.models.predictors import EstimatorPredictor, OnnxPredictor, Predictor
from penstock_jobs.models.probes import Probes, probes_of
from penstock_jobs.models.samples import samples_of
from penstock_jobs.storage import Store

Clock = Callable[[], datetime]

_PACKAGES = ("numpy", "onnx", "onnxruntime", "scikit-learn", "skl2onnx", "skops")
# In the order of how near they are to what scikit-learn computes.
_PRECISIONS: dict[conversion.Precision, str] = {
    "double": "in double precision",
    "mixed": "with the preprocessing in double precision and the estimator in single",
    "single": "in single precision",
}


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


def save_model(
    models: Store,
    model: FittedModel,
    rehearse: Callable[[LoadedModel], None],
    trusted_types: Iterable[str] = (),
    clock: Clock = now,
    source: Callable[[], bytes] | None = None,
) -> ModelReference:
    """Write a Model to `<models>/<name>`, manifest last, and return where it is.

    `model.onnx` is what will be served, if it answers every row of the validation set as the estimator does;
    otherwise it is `model.skops`. The manifest says which, and why. A Model that the same candidate of the same run
    has saved already is left as it is.

    Args:
        models: the store of all Models.
        model: what was fitted.
        rehearse: asks the Model as its server will, and refuses one that no server could start.
        trusted_types: the types that the Pipeline trusts, beside those known to be safe.
        clock: for `created`, the only thing in a manifest that differs between two equal Models.
        source: reads the archive of the user's own operations; it is saved beside a served file that needs them.

    Raises:
        Refused: when it could not be loaded again or be served, or the folder holds another Model.
    """
    earlier = find_saved_model(models, model.name, model.origin.run_uid, model.origin.candidate)
    if earlier is not None:
        return earlier
    store = models.child(model.name)
    _check(model)
    estimator = EstimatorPredictor(model.estimator, model.features)
    probes = probes_of(estimator, model.features, model.validation)
    contents, serving, predictor, untrusted = _make_files(model, estimator, probes, tuple(trusted_types))
    if serving.format == "skops" and untrusted and source is not None:
        contents[files.SOURCE] = source()
    log.info("Model %s: %s", model.name, serving.reason)
    manifest = _manifest(model, probes.features, serving, untrusted, clock)
    manifest = msgspec.structs.replace(
        manifest,
        files={name: files.digest_of(content) for name, content in contents.items()},
        samples=samples_of(LoadedModel(manifest, "", predictor, manifest.threshold), model.validation),
    )
    rehearse(LoadedModel(manifest, "", predictor, manifest.threshold))
    for name, content in contents.items():
        store.write(name, content)
    encoded = document.encode(manifest)
    if not store.write_if_absent(files.MANIFEST, encoded):
        return _require_same_model(store, model.origin.run_uid, model.origin.candidate)
    return _reference(store, manifest, files.digest_of(encoded))


def find_saved_model(models: Store, name: str, run_uid: str, candidate: str) -> ModelReference | None:
    """Return the Model of that name, which an earlier start of the same job has saved; None where there is none.

    Raises:
        Refused: when the folder holds a Model of another run or candidate.
    """
    store = models.child(name)
    return _require_same_model(store, run_uid, candidate) if store.exists(files.MANIFEST) else None


@dataclass(frozen=True)
class _ServableFile:
    """A file that could be served: what it is, why (not), and how it answers."""

    content: bytes | None
    reason: str
    predictor: Predictor | None = None


def _make_files(
    model: FittedModel, estimator: EstimatorPredictor, probes: Probes, trusted_types: tuple[str, ...]
) -> tuple[dict[str, bytes], ServedFile, Predictor, tuple[str, ...]]:
    """Return the files to write, which of them is served, how it answers, and which types need the Pipeline's trust."""
    onnx = _make_onnx(model, estimator, probes)
    contents = {} if onnx.content is None else {files.ONNX: onnx.content}
    untrusted: tuple[str, ...] = ()
    try:
        content = skops_file.dump(model.estimator)
        untrusted = tuple(skops_file.find_untrusted_types(content))
        contents[files.SKOPS] = content
    except skops_file.NotWritableError as error:
        if onnx.predictor is None:
            raise Refused(
                f"Model {model.name} cannot be saved as data: {onnx.reason} And skops cannot write it: {error}."
            ) from error
    if onnx.predictor is not None:
        contents |= network_files(model.estimator)
        return contents, ServedFile(format="ONNX", file=files.ONNX, reason=onnx.reason), onnx.predictor, untrusted
    loaded = skops_file.load(contents[files.SKOPS], trusted_types, f"Model {model.name}")
    contents.pop(files.ONNX, None)
    predictor = EstimatorPredictor(loaded, model.features)
    parity = _parity(model, estimator, predictor, probes)
    if not parity.holds:
        raise Refused(f"Model {model.name} answers otherwise when read back from skops: {parity.sentence()}.")
    reason = f"{onnx.reason} The skops file answers as the estimator does: {parity.sentence()}."
    return contents, ServedFile(format="skops", file=files.SKOPS, reason=reason), predictor, untrusted


def _make_onnx(model: FittedModel, estimator: EstimatorPredictor, probes: Probes) -> _ServableFile:
    """Return the ONNX file in doubles, or in float32 if only that can be converted, run, and answers as it should."""
    if probes.refused_categories:
        column = probes.refused_categories[0]
        return _ServableFile(
            None, f"The estimator refuses categories of {column} it has not seen, which ONNX cannot say."
        )
    reasons = []
    for precision, words in _PRECISIONS.items():
        try:
            content = merge_inputs(conversion.convert(model.estimator, model.features, precision), model.features)
            predictor = OnnxPredictor(content, model.features)
            parity = _parity(model, estimator, predictor, probes)
        except conversion.NotConvertibleError as error:
            reasons.append(f"It cannot be written as ONNX: {error}.")
            continue
        except Refused as error:
            reasons.append(f"As ONNX {words} it does not run: {error}")
            continue
        if parity.holds:
            return _ServableFile(
                content, f"The ONNX file, {words}, answers as the estimator does: {parity.sentence()}.", predictor
            )
        reasons.append(f"As ONNX {words} it answers otherwise: {parity.sentence()}.")
    return _ServableFile(None, " ".join(dict.fromkeys(reasons)))


def _parity(model: FittedModel, estimator: Predictor, file: Predictor, probes: Probes) -> Parity:
    def labels(raw: dict[str, Any]) -> Any:
        return labels_from_raw(model.classes, model.positive, raw, model.threshold)

    return compare(estimator(probes.columns), file(probes.columns), labels)


def _manifest(
    model: FittedModel, features: Sequence[FeatureSpec], serving: ServedFile, untrusted: tuple[str, ...], clock: Clock
) -> ModelManifest:
    return ModelManifest(
        format=FORMAT,
        name=model.name,
        created=clock().astimezone(UTC).isoformat(timespec="seconds"),
        task=model.task,
        target=model.target,
        target_type=model.target_type,
        features=tuple(features),
        files={},
        serving=serving,
        origin=model.origin,
        lineage=model.lineage,
        versions={"python": platform.python_version()}
        | {package: version(package) for package in _PACKAGES}
        | ({} if find_network(model.estimator) is None else {"torch": version("torch")}),
        classes=model.classes,
        positive=model.positive,
        threshold=model.threshold,
        threshold_tuned_for=model.threshold_tuned_for,
        calibration=model.calibration,
        validation=model.scores,
        untrusted_types=untrusted,
        reading=model.reading,
    )


def _check(model: FittedModel) -> None:
    found = tuple(getattr(model.estimator, "classes_", ()))
    if len(found) != len(model.classes) or any(
        ours != theirs for ours, theirs in zip(model.classes, found, strict=True)
    ):
        raise ValueError(f"{model.name}: the classes {model.classes} are not the estimator's, {found}")
    if model.validation.empty:
        raise Refused(
            f"Model {model.name} cannot be saved: its validation set is empty, so no file of it can be checked."
        )
    if model.threshold is not None and not hasattr(model.estimator, "predict_proba"):
        raise Refused(
            f"{model.origin.estimator} predicts no probabilities, so it cannot have a decision threshold; "
            "remove deployment.decision, or calibrate it."
        )


def _require_same_model(store: Store, run_uid: str, candidate: str) -> ModelReference:
    manifest, digest = read_manifest(store)
    if (manifest.origin.run_uid, manifest.origin.candidate) != (run_uid, candidate):
        raise Refused(
            f"{store.uri} holds another Model already, of run {manifest.origin.execution_name}; "
            "give this run another name."
        )
    return _reference(store, manifest, digest)


def _reference(store: Store, manifest: ModelManifest, digest: str) -> ModelReference:
    return ModelReference(
        name=manifest.name,
        uri=store.uri,
        digest=digest,
        candidate=manifest.origin.candidate,
        algorithm=manifest.origin.algorithm,
        validation=manifest.validation[0] if manifest.validation else None,
    )
