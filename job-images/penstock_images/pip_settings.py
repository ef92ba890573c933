"""How this machine reaches the package index, for pip inside a build.

A machine may need an address, a proxy or certificates of its own; pip on the machine knows them. They reach the build
as secrets, so that nothing of them is in an image. Where pip needs nothing there are no secrets.
"""

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

CERTIFICATES = "/run/secrets/certificates"
_PASSED_ON = ("extra-index-url", "index-url", "proxy", "retries", "timeout", "trusted-host")


def settings(configured: str) -> dict[str, str]:
    """Return pip's settings by name, of what `pip config list` printed. The environment wins over files.

    Args:
        configured: lines such as `global.index-url='…'` and `:env:.cert='…'`.
    """
    found: dict[str, str] = {}
    for scope, key, value in re.findall(r"^([\w:-]+)\.([\w-]+)='(.*)'$", configured, flags=re.MULTILINE):
        name = "timeout" if key == "default-timeout" else key
        if scope in ("global", "install", ":env:") and (scope == ":env:" or name not in found):
            found[name] = value.replace("\\n", "\n")
    return found


def configuration(found: Mapping[str, str], certificates: Path | None) -> str:
    """Return a pip.conf for the build, empty where nothing needs saying."""
    lines = [f"{key} = {' '.join(found[key].split())}" for key in _PASSED_ON if found.get(key)]
    if certificates:
        lines.append(f"cert = {CERTIFICATES}")
    return "".join(f"{each}\n" for each in ("[global]", *lines)) if lines else ""


def certificates_of(found: Mapping[str, str], environment: Mapping[str, str]) -> Path | None:
    """Return the file of certificates that this machine was told to trust, if it was."""
    named = [found.get("cert"), *(environment.get(each) for each in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"))]
    return next((Path(each) for each in named if each and Path(each).is_file()), None)


def list_configuration() -> str:
    """Return what `pip config list` prints on this machine; nothing where pip is missing."""
    words = [sys.executable, "-m", "pip", "config", "list"]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout


def secrets(folder: Path, environment: Mapping[str, str]) -> dict[str, Path]:
    """Write the secrets of a build to a folder; return them by their ids.

    Args:
        folder: a folder that only this user can read and that goes when the build is over.
        environment: the environment of this process.
    """
    found = settings(list_configuration())
    certificates = certificates_of(found, environment)
    text = configuration(found, certificates)
    if not text:
        return {}
    path = folder / "pip.conf"
    path.write_text(text)
    return {"pip": path} | ({"certificates": certificates} if certificates else {})
