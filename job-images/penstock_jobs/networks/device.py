"""Where a network computes: the choice of the device, and what makes a fit on it repeatable."""

import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from penstock_jobs.contract.errors import Refused, Unavailable
from penstock_jobs.logs import log

if TYPE_CHECKING:
    import torch

Gpu = Literal["None", "Preferred", "Required"]

_NO_GPU = (
    "A GPU was asked for and none was found on this machine; run where there is one, or let the job fall back to the "
    "processor with `required: false`."
)


def require_torch() -> None:
    """Raise `Refused` where torch, or what a network needs beside it, is not installed; import none of them."""
    for package in ("torch", "skorch"):
        if importlib.util.find_spec(package) is None:
            raise Refused(f"A torch network was asked for, and {package} is not installed: install penstock[torch].")


def select_device(device: str) -> "torch.device":
    """Return the device that `device` names: `auto` takes a GPU where there is one, and the processor otherwise.

    Args:
        device: `auto`, `cpu`, `cuda`, or one GPU of several, as `cuda:1`.

    Raises:
        Unavailable: A GPU was asked for by name and this machine has none that torch can use.
    """
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device == "auto":
        return torch.device("cuda", torch.cuda.current_device()) if count else torch.device("cpu")
    if device == "cpu":
        return torch.device("cpu")
    if count == 0:
        raise Unavailable(_NO_GPU)
    chosen = torch.device(device)
    index = torch.cuda.current_device() if chosen.index is None else chosen.index
    if index >= count:
        raise Unavailable(f"The GPU {device} was asked for, and this machine has {count}, counted from cuda:0.")
    return torch.device("cuda", index)


def prediction_device(device: str) -> "torch.device":
    """Return where a fitted network predicts: as `select_device`, but the processor will do where a GPU has gone."""
    import torch

    return select_device(device) if torch.cuda.is_available() else torch.device("cpu")


def check_gpu(gpu: Gpu) -> None:
    """Look for the GPU that a job asks for, before anything is trained.

    torch says what it can use; where it is not installed (the estimator is of another library), the driver's files do.

    Raises:
        Unavailable: The job requires a GPU, and none is there. Where it only prefers one, that is a warning.
    """
    if gpu == "None" or _gpus() > 0:
        return
    if gpu == "Required":
        raise Unavailable(_NO_GPU)
    log.warning("No GPU was found; the job goes on with the processor, as it may.")


def _gpus() -> int:
    if importlib.util.find_spec("torch") is None:
        return len(list(Path("/dev").glob("nvidia[0-9]*")))
    import torch

    return torch.cuda.device_count() if torch.cuda.is_available() else 0


@contextmanager
def make_repeatable(seed: int, device: "torch.device") -> Iterator[None]:
    """Seed torch and ask it for deterministic operations; what it was set to before comes back afterwards.

    On the processor equal seeds and equal numbers of threads then give equal weights, to the bit. An operation that has
    no deterministic form on a GPU warns instead of failing.
    """
    import torch

    if device.type == "cuda":
        # cuBLAS reads it when its first handle is made, and is deterministic only with a fixed workspace.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    gpus = [device.index] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=gpus), _use_deterministic_cudnn(device):
        torch.manual_seed(seed)
        torch.use_deterministic_algorithms(True, warn_only=True)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(before[0], warn_only=before[1])


@contextmanager
def _use_deterministic_cudnn(device: "torch.device") -> Iterator[None]:
    import torch

    if device.type != "cuda":
        yield
        return
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
        yield
