"""The strategy that the job names."""

from penstock_jobs.dataset.strategies import key
from penstock_jobs.dataset.strategies.setting import Setting, Sides


def prepare(setting: Setting) -> Sides:
    """Return the rule of the job's strategy."""
    match setting.job.split.strategy:
        case "Key":
            return key.prepare(setting)
    raise AssertionError(setting.job.split.strategy)
