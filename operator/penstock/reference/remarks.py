"""The page of remarks: each code, and what it means, read off `penstock_jobs.contract.remark_codes`."""

from penstock.reference.markdown import code, page, prose, table
from penstock_jobs.contract.remark_codes import MEANINGS


def remarks_page() -> str:
    """Return the page."""
    return page(
        "Remarks",
        "What the dataset job noticed in the data, or decided about it, that a person should know; no error. The code "
        "is one word for programs, and keeps its meaning; the sentence says the column, the numbers and the way out, "
        "and may be worded better any day. [How to read them, and how to refuse one](../how-to/remarks.md).",
        table(("code", "what it means"), [(code(each), prose(meaning)) for each, meaning in MEANINGS.items()]),
    )
