"""The split strategies, one rule a file.

Each prepares what it needs in the engine and returns the SQL expression of the side of a point that is not in testing
yet, over the relation `points`: `testing`, `validation`, `training`, or `left out`.
"""

from penstock_jobs.dataset.strategies.choosing import prepare
from penstock_jobs.dataset.strategies.setting import SideRule, SplitContext

__all__ = ["SideRule", "SplitContext", "prepare"]
