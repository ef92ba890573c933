"""Remove from installed packages what no running image uses: `python -m penstock_images.inside.trim /opt/penstock`.

Every rule here is proved by tests/cluster/test_images.py and by the example pipelines, which run in the images.
"""

import argparse
import csv
import io
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from penstock_images.inside import elf

# Folders of any package: its own tests, and headers for a compiler that is not there.
FOLDERS = ("**/tests", "*/include", "numpy/_core/include", "torch/include", "nvidia/**/include")
FILES = tuple(f"**/*.{each}" for each in ("a", "c", "cc", "cpp", "h", "hpp", "pxd", "pxi", "pyi", "pyx", "tp"))
# What a package carries and the jobs, the server and the operator have no use for.
PARTS = (
    "boto3/data/[!s]*",
    "duckdb/experimental",
    "joblib/test",
    # The operator is asynchronous: it calls kubernetes.aio, which needs nothing of these.
    "kubernetes/client/api/[!_]*.py",
    "kubernetes/client/models/[!_]*.py",
    "numpy/distutils",
    "onnx/backend/test",
    "onnxruntime/datasets",
    "onnxruntime/quantization",
    "onnxruntime/tools",
    "onnxruntime/transformers",
    # The interface for C programs, which the Python module has inside itself.
    "onnxruntime/capi/libonnxruntime.so*",
    # torch.compile writes C++ and calls a compiler: it cannot work in an image that has none.
    "triton",
    "triton-*.dist-info",
    "torch/bin/protoc*",
    "torch/share",
    "torch/test",
    "nvidia/**/cmake",
    "nvidia/**/*.bc",
    "nvidia/cu13/cccl",
    "nvidia_cuda_cccl-*.dist-info",
    # Systems of equations over several GPUs, and counters of a profiler: no library here is linked to these.
    "nvidia/cu13/lib/libcusolverMg.so*",
    "nvidia/cu13/lib/libnvperf_*.so*",
)
# Of Amazon's services, object storage and what signing in takes.
SERVICES = frozenset({"s3", "sso", "sso-oidc", "signin", "sts"})


def trim(site: Path) -> None:
    """Remove what is not used, and the symbols of what is left.

    Args:
        site: a folder of installed packages.
    """
    for pattern in (*FOLDERS, *FILES, *PARTS):
        for path in sorted(site.glob(pattern)):
            remove(path)
    data = site / "botocore" / "data"
    for service in data.iterdir() if data.exists() else ():
        if service.is_dir() and service.name not in SERVICES:
            remove(service)
    stripped = {path for path in libraries(site) if strip(path)} if shutil.which("strip") else set()
    for record in sorted(site.glob("*.dist-info/RECORD")):
        before = record.read_text()
        after = correct_record(before, site, stripped)
        if after != before:
            record.write_text(after)


def remove(path: Path) -> None:
    """Remove a file, or a folder with what is in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def libraries(site: Path) -> Iterator[Path]:
    """Return the shared libraries that may have symbols to lose; those of CUDA come without."""
    for path in sorted(site.rglob("*.so*")):
        if path.is_file() and not path.is_symlink() and path.relative_to(site).parts[0] not in ("nvidia", "torch"):
            yield path


def strip(path: Path) -> bool:
    """Take the symbols that the loader does not need out of a library; return whether that changed it."""
    smaller = path.with_name(f"{path.name}.smaller")
    ended = subprocess.run(["strip", "--strip-unneeded", "-o", smaller, path], capture_output=True, check=False)
    smaller_indeed = ended.returncode == 0 and smaller.stat().st_size < path.stat().st_size
    if smaller_indeed and elf.is_loadable(smaller.read_bytes()):
        shutil.copymode(path, smaller)
        smaller.replace(path)
        return True
    smaller.unlink(missing_ok=True)
    return False


def correct_record(record: str, site: Path, changed: set[Path]) -> str:
    """Return a package's list of its files, without those that are gone, and without the digests of the changed."""
    rows = [row for row in csv.reader(io.StringIO(record)) if row and (site / row[0]).exists()]
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerows([row[0], "", ""] if site / row[0] in changed else row for row in rows)
    return written.getvalue()


def remove_programs(prefix: Path) -> None:
    """Remove the commands of packages, and what they have for a desktop; of a virtual environment Python stays."""
    remove(prefix / "share")
    for path in sorted((prefix / "bin").iterdir()):
        if not path.name.startswith("python"):
            remove(path)


def main() -> None:
    """Trim the virtual environment that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("prefix", type=Path)
    prefix = parser.parse_args().prefix
    trim(prefix / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages")
    remove_programs(prefix)


if __name__ == "__main__":
    main()
