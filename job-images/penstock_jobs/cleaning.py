"""Files of what was deleted are deleted too: those that can be proven to be its own, and no others.

Each step may be done again: the file that proves whose a folder is goes last, so that whoever is killed before finds it
again, and where it is gone there is nothing left to do.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from penstock_jobs.begun_before import forget_run
from penstock_jobs.contract import document
from penstock_jobs.contract.manifest import ModelManifest
from penstock_jobs.contract.result import CleaningResult
from penstock_jobs.contract.specification import CleaningJob, OwnedFolder, UnmadeModels
from penstock_jobs.logs import log
from penstock_jobs.models.files import MANIFEST, digest_of
from penstock_jobs.storage import KeyNotFound, Store, open_store

AT_ONCE = 16  # requests to a bucket; a large grid leaves a file for each candidate


def clean(job: CleaningJob) -> CleaningResult:
    """Delete the files of these folders.

    Raises:
        Refused: the credentials do not allow it.
        Unavailable: the storage did not answer.
    """
    unmade = sum(_clean_unmade(each) for each in job.unmade)
    return CleaningResult(files=unmade + sum(clean_folder(each) for each in job.folders))


def clean_folder(folder: OwnedFolder) -> int:
    """Delete the files of this folder, its proof last; return how many there were."""
    store = open_store(folder.location)
    try:
        proof = store.read(folder.proof)
    except KeyNotFound:
        log.info("There is nothing at %s.", store.uri)
        return 0
    if not _is_proof(folder, proof):
        log.warning("%s belongs to something else by now; it is left as it is.", store.uri)
        return 0
    beneath = folder.beneath or ("",)
    keys = [key for each in beneath for key in store.keys(each) if key != folder.proof]
    deleted = delete_all(store, keys)
    if not folder.beneath:
        forget_run(folder.location, proof)
        deleted += delete_all(store, [folder.proof])
    store.remove_empty_folders()
    log.info("%d files of %s are deleted.", deleted, store.uri)
    return deleted


def delete_all(store: Store, keys: Iterable[str]) -> int:
    """Delete what is under these keys; return how many they were."""
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="cleaning") as threads:
        return sum(1 for _ in threads.map(store.delete, keys))


def delete_model(models: Store, name: str, uid: str) -> int:
    """Delete the files of a Model that the run of that uid saved, and that of no other; return how many there were."""
    store = models.child(name)
    try:
        content = store.read(MANIFEST)
    except KeyNotFound:
        return 0
    if document.decode(content, ModelManifest, f"{store.uri}/{MANIFEST}").origin.run_uid != uid:
        return 0
    deleted = delete_all(store, [key for key in store.keys("") if key != MANIFEST]) + delete_all(store, [MANIFEST])
    store.remove_empty_folders()
    return deleted


def _is_proof(folder: OwnedFolder, proof: bytes) -> bool:
    if folder.digest is not None:
        return digest_of(proof) == folder.digest
    return folder.uid is not None and folder.uid.encode() in proof


def _clean_unmade(unmade: UnmadeModels) -> int:
    run = open_store(unmade.run_storage)
    alone = unmade.workers == 1
    results = ["results/training.json"] if alone else [f"results/training-{n}.json" for n in range(unmade.workers)]
    if all(run.exists(key) for key in results):
        return 0  # it came to its end, and each Model that it kept is somebody's
    models = open_store(unmade.models)
    found = [key.removesuffix(f"/{MANIFEST}") for key in models.keys("") if key.endswith(f"/{MANIFEST}")]
    return sum(delete_model(models, name, unmade.uid) for name in found if "/" not in name)
