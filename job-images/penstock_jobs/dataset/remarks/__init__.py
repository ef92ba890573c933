"""What a generation has to tell of its data: facts are gathered once, and each policy says its remark, or nothing.

`facts` is what is known, `gather` finds it out, `policies` has a file for each kind of remark, `expectations` refuses
what the manifest says must not be, and `document` is what the report reads.
"""

from penstock_jobs.contract.result import Remark
from penstock_jobs.dataset.remarks.document import COLUMNS_KEY, statistics_document
from penstock_jobs.dataset.remarks.expectations import refuse_broken_bounds, refuse_remarks
from penstock_jobs.dataset.remarks.facts import TableFacts
from penstock_jobs.dataset.remarks.gather import WrittenRows, gather_facts
from penstock_jobs.dataset.remarks.policies import COLUMN_POLICIES, TABLE_POLICIES

__all__ = [
    "COLUMNS_KEY",
    "TableFacts",
    "WrittenRows",
    "gather_facts",
    "make_remarks",
    "refuse_broken_bounds",
    "refuse_remarks",
    "statistics_document",
]


def make_remarks(facts: TableFacts) -> tuple[Remark, ...]:
    """Return what each policy remarks, those of one kind together."""
    of_columns = (policy(column, facts) for policy in COLUMN_POLICIES for column in facts.columns)
    of_table = (policy(facts) for policy in TABLE_POLICIES)
    return tuple(remark for remark in (*of_columns, *of_table) if remark is not None)
