"""The strategy that the job names."""

from penstock_jobs.dataset.strategies import group, key, stratified, time
from penstock_jobs.dataset.strategies.setting import SideRule, SplitContext

_STRATEGIES = {"Key": key.prepare, "Group": group.prepare, "Stratified": stratified.prepare, "Time": time.prepare}


def prepare(setting: SplitContext) -> SideRule:
    """Return the rule of the job's strategy."""
    return _STRATEGIES[setting.job.split.strategy](setting)
