"""Rows on both sides that differ in their key only."""

from penstock_jobs.contract.result import Remark
from penstock_jobs.dataset.remarks.facts import TableFacts
from penstock_jobs.dataset.remarks.policies.wording import format_share


def near_duplicates(table: TableFacts) -> Remark | None:
    """Testing rows that training or validation has too, but for the key."""
    twins = table.twins
    if twins is None or not twins.found:
        return None
    have = "has" if twins.found == 1 else "have"
    return Remark(
        code="NearDuplicates",
        message=f"{twins.found:,} of {twins.compared:,} testing rows that were compared "
        f"({format_share(twins.found, twins.compared)}) {have} a row in training or validation that is equal in all "
        "but the key: they test what a Model has by heart, not what it has learned. Remove copies in "
        "spec.dataset.query, or keep them on one side with strategy Group (spec.dataset.split.group).",
    )
