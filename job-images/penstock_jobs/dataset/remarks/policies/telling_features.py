"""A feature that alone nearly gives the target."""

from penstock_jobs.contract.result import Remark
from penstock_jobs.contract.specification import Task
from penstock_jobs.dataset.remarks.facts import ColumnFacts, TableFacts
from penstock_jobs.dataset.remarks.policies.wording import LEAVE_OUT

ALMOST: dict[Task, float] = {"Classification": 0.99, "Regression": 0.995}  # roc_auc, r2


def feature_tells_target(facts: ColumnFacts, table: TableFacts) -> Remark | None:
    """One feature is as good as the target."""
    if facts.tells is None or facts.tells < ALMOST[table.task]:
        return None
    measure = "roc_auc" if table.task == "Classification" else "r2"
    return Remark(
        code="TellsTarget",
        column=facts.column.name,
        message=f"The feature '{facts.column.name}' alone nearly gives the target '{table.job.target.column}' "
        f"({measure} {facts.tells:.3f}). If it is known only once the target is, {LEAVE_OUT}: the scores are then "
        "better than the Model will ever be.",
    )
