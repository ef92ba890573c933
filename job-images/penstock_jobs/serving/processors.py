"""How many processors this process may use: what the container is limited to, not what the machine has."""

import math
import os
from pathlib import Path


def count_processors(root: Path = Path("/sys/fs/cgroup")) -> int:
    """Return the processors, at least 1: the smaller of the affinity and of the limit of the cgroup (v2, then v1)."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = _limit(root)
    return max(1, available if limit is None else min(available, math.ceil(limit)))


def _limit(root: Path) -> float | None:
    try:
        quota, period = (root / "cpu.max").read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError):
        pass
    try:
        quota_us = int((root / "cpu/cpu.cfs_quota_us").read_text())
        period_us = int((root / "cpu/cpu.cfs_period_us").read_text())
    except (OSError, ValueError):
        return None
    return quota_us / period_us if quota_us > 0 else None
