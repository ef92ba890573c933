"""What was remarked about the data of a run, in the words of the terminal: the first, and where the others are."""

from penstock.api.run import DatasetSummary


def remarks_in_words(made: DatasetSummary) -> tuple[str, ...]:
    """Return a line for each remark that the status has, and one that says how many more there are."""
    lines = tuple(f"{each.code}: {each.message}" for each in made.remarks)
    more = made.remarked - len(made.remarks)
    return (*lines, f"{more:,} more remarks are in the report.") if more > 0 else lines
