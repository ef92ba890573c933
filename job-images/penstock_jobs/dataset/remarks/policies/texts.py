"""Text columns: numbers and dates that were not read as such, and more texts than are told apart."""

from penstock_jobs.contract.remark_codes import RemarkCode
from penstock_jobs.contract.result import Remark
from penstock_jobs.contract.specification import PreprocessingSpec
from penstock_jobs.dataset.remarks.facts import ColumnFacts, NumberTexts, TableFacts
from penstock_jobs.dataset.remarks.policies.wording import LEAVE_OUT

_INPUT = "the input (spec.dataset.inputs)"
_CODES: dict[str, RemarkCode] = {"DecimalComma": "DecimalComma", "Ambiguous": "AmbiguousNumbers"}
TOLD_APART = PreprocessingSpec().maximum_categories


def numbers_as_text(facts: ColumnFacts, table: TableFacts) -> Remark | None:
    """Most values of a text column are numbers."""
    found = facts.numbers
    if found is None:
        return None
    many = f"{found.numbers:,} of its {found.present:,} values are" if found.others else "all of its values are"
    return Remark(
        code=_CODES.get(found.form, "NumbersAsText"),
        column=facts.column.name,
        message=f"The column '{facts.column.name}' is read as text: {many} numbers{_form_in_words(found)}"
        f"{_others(found)}. {_way_out(facts, found)}",
    )


def dates_as_text(facts: ColumnFacts, table: TableFacts) -> Remark | None:
    """Nearly all values of a text column are dates."""
    if facts.date_example is None or facts.is_declared or facts.column.role not in ("Feature", "Time"):
        return None
    return Remark(
        code="DatesAsText",
        column=facts.column.name,
        message=f"The column '{facts.column.name}' is read as text, and its values are dates, as "
        f"'{facts.date_example}'; give the form of dates as dateFormat of {_INPUT}, or {LEAVE_OUT}.",
    )


def many_texts(facts: ColumnFacts, table: TableFacts) -> Remark | None:
    """A text column has more different values than the default preprocessing tells apart."""
    if facts.column.role != "Feature" or facts.column.type != "String" or facts.distinct <= TOLD_APART:
        return None
    if facts.numbers is not None or (facts.date_example is not None and not facts.is_declared):
        return None  # the way out is another one, and is said
    present = max(table.rows - facts.nulls, 1)
    about = "about " if facts.estimated else ""
    own = ", nearly one a row" if facts.distinct > 0.9 * present else ""
    return Remark(
        code="ManyTexts",
        column=facts.column.name,
        message=f"The column '{facts.column.name}' has {about}{facts.distinct:,} different texts{own}; unless "
        f"spec.training.preprocessing says otherwise, the {TOLD_APART} most frequent are told apart and all others are "
        f"one. Make fewer of them in a query, or {LEAVE_OUT}.",
    )


def _form_in_words(found: NumberTexts) -> str:
    match found.form:
        case "DecimalComma":
            return f" with a decimal comma, as '{found.example}'"
        case "Thousands":
            return f" with a comma between thousands, as '{found.example}'"
        case "Ambiguous":
            return f" with a comma that may be a decimal mark or one between thousands, as '{found.example}'"
    return "" if found.others else f", as '{found.example}'"


def _others(found: NumberTexts) -> str:
    if not found.others:
        return ""
    named = ", ".join(
        f"'{each.value}' ({each.rows:,} times)" if each.rows > 1 else f"'{each.value}'" for each in found.others
    )
    where = f", first in row {found.row}" if found.row is not None else ""
    more = found.present - found.numbers - sum(each.rows for each in found.others)
    return f", the others {named}{f' and {more:,} more' if more else ''}{where}"


def _way_out(facts: ColumnFacts, found: NumberTexts) -> str:
    mark = {
        "DecimalComma": 'decimal: ","',
        "Thousands": 'thousands: ","',
        "Ambiguous": 'decimal: "," or thousands: ","',
    }
    ways = [f"say {mark[found.form]}"] if found.form in mark else []
    if found.others:
        texts = ", ".join(each.value for each in found.others)
        ways.append(f"list the others as nullValues: [{texts}] if they mean no value")
    if found.form == "Plain":
        mended = " once they are mended" if found.others else ""
        ways.append(f"say types: [{{column: {facts.column.name}, type: Float}}]{mended}")
    return f"In spec.dataset.inputs, {', or '.join(ways)}; type String says that it is text."
