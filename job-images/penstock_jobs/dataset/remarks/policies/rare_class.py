"""A class that is rare."""

from penstock_jobs.contract.result import Remark
from penstock_jobs.dataset.remarks.facts import TableFacts
from penstock_jobs.dataset.remarks.policies.wording import format_share

_OF_TWO = 0.05
_OF_MANY = 0.01


def rare_class(table: TableFacts) -> Remark | None:
    """The positive class, or without one the rarest, is rare."""
    if len(table.classes) < 2:
        return None
    whole = sum(table.classes.values())
    positive = table.job.target.positive
    named = None if positive is None else (str(positive).lower() if isinstance(positive, bool) else str(positive))
    rarest = min(table.classes, key=lambda name: (table.classes[name], name))
    rare = named if named is not None and len(table.classes) == 2 and named in table.classes else rarest
    count = table.classes[rare]
    if count >= (_OF_TWO if len(table.classes) == 2 else _OF_MANY) * whole:
        return None
    return Remark(
        code="RareClass",
        column=table.job.target.column,
        message=f"The class '{rare}' of the target is rare: {count:,} of {whole:,} points "
        f"({format_share(count, whole)}). A Model that never says it has an accuracy of "
        f"{100 * (1 - count / whole):.1f} %: score by average_precision, recall or f1, and weigh the classes "
        "(class_weight) or tune the threshold.",
    )
