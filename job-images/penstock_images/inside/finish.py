"""Compile every module ahead, and give every file one time: `python -m penstock_images.inside.finish FOLDER`.

The root of a container is read-only, so what is not compiled here would be compiled at every start. The compiled files
are never compared with their sources ("unchecked-hash"), which saves that work too, and hold no time, so that the same
sources give the same bytes.
"""

import argparse
import compileall
import importlib.util
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from py_compile import PycInvalidationMode

# Thousands of small modules of which a process imports a few or none: these are compiled when they are imported.
SELDOM = ("kubernetes/aio/client/api/*", "kubernetes/aio/client/models/*", "pygments/lexers/*", "pygments/styles/*")


def finish(folder: Path, epoch: int) -> None:
    """Compile what is in a folder, and set the time of all files.

    Args:
        folder: where to begin. Modules that are compiled already stay as they are.
        epoch: seconds since 1970.
    """
    modules = sorted(
        each for each in folder.rglob("*.py") if not _is_seldom(each) and not _bytecode_path(each).exists()
    )
    with ProcessPoolExecutor() as pool:
        for _ in pool.map(compile_module, modules, chunksize=50):
            pass
    for path in (folder, *folder.rglob("*")):
        if path.lstat().st_mtime != epoch:  # a file of a lower layer that is touched is copied into this one
            os.utime(path, (epoch, epoch), follow_symlinks=False)


def compile_module(path: Path) -> None:
    """Compile one module; a file that is no Python 3.11 (a template, a test of a parser) is left as it is."""
    compileall.compile_file(path, quiet=2, force=True, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)


def _is_seldom(path: Path) -> bool:
    return path.name != "__init__.py" and any(path.match(each) for each in SELDOM)


def _bytecode_path(path: Path) -> Path:
    return Path(importlib.util.cache_from_source(str(path)))


def main() -> None:
    """Finish the folder that the command line names, at the time that SOURCE_DATE_EPOCH says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    finish(parser.parse_args().folder, int(os.environ.get("SOURCE_DATE_EPOCH") or 0))


if __name__ == "__main__":
    main()
