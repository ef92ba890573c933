"""What is said of an image that was pushed, and by whom: a signature, its provenance and its bill of materials.

cosign signs them and keeps them beside the image in the registry. Nothing of it is needed to build, or to run.
"""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from penstock_images import catalogue
from penstock_images.building import BuiltImage, revision
from penstock_images.lacking import MissingForBuild

KEYLESS = "keyless"  # by the identity that cosign finds: that of a person in a browser, or of a workflow
BUILDER = "https://penstock.dev/make-images/v1"
SOURCE = "penstock"


def require_cosign() -> str:
    """Return the program, or say before anything is built that it is missing."""
    found = shutil.which("cosign")
    if found is None:
        raise MissingForBuild("Images are signed by cosign, which is not installed; install it, or leave SIGN out.")
    return found


def provenance(built: BuiltImage, base: str) -> dict[str, Any]:
    """Return of what and how the image was built, as a predicate of SLSA (https://slsa.dev/spec/v1.0/provenance)."""
    commit = revision(built.image)
    # A commit that something was changed after is not what the image was made of.
    clean = commit != "unknown" and not commit.endswith("-dirty")
    source = {"name": SOURCE, "digest": {"gitCommit": commit}}
    return {
        "buildDefinition": {
            "buildType": BUILDER,
            "externalParameters": {"image": built.image.name, "revision": commit},
            "internalParameters": {"inputs": built.reference.rsplit("-", 1)[1]},
            "resolvedDependencies": [*([source] if clean else []), {"uri": base}],
        },
        "runDetails": {"builder": {"id": BUILDER, "version": {"penstock": catalogue.project()["version"]}}},
    }


def sign(built: BuiltImage, pinned: str, base: str, key: str) -> Path:
    """Sign an image in its registry, its provenance and its bill of materials; return the file of the provenance.

    Args:
        built: the image.
        pinned: its name in the registry, by its digest: a tag could be another's by now.
        base: what it stands on.
        key: cosign's key, a file or an address of a key management service; `keyless` for none.
    """
    file = built.archive.with_suffix(".provenance.json")
    file.write_text(json.dumps(provenance(built, base), indent=1) + "\n", encoding="utf-8")
    by = () if key == KEYLESS else ("--key", key)
    _cosign("sign", "--yes", *by, pinned)
    for kind, predicate in (("slsaprovenance1", file), ("cyclonedx", built.bill_of_materials)):
        _cosign("attest", "--yes", *by, "--type", kind, "--predicate", str(predicate), pinned)
    return file


def _cosign(*words: str) -> None:
    ended = subprocess.run([require_cosign(), *words], capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        said: Sequence[str] = (ended.stderr or ended.stdout).strip().splitlines()[-1:] or ["it said nothing"]
        raise MissingForBuild(f"cosign could not {words[0]} {words[-1]}: {said[0]}")
