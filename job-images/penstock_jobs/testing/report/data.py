"""The data: how many points on each side, of each class, and the proof that no side leaks into the other."""

from dataclasses import dataclass

from penstock_jobs.contract.result import LeakProof
from penstock_jobs.testing.report.findings import Findings
from penstock_jobs.testing.report.numbers import format_share

_MOST_CLASSES = 12
_LEFT_OUT = {
    "Group": "Points left out, as their group is in testing",
    "Time": "Points left out, as they are in a gap of time",
}


@dataclass(frozen=True)
class ClassShare:
    """The points of a class on a side, with their share in words and in per cent, and a colour from 0 to 5."""

    name: str
    points: int
    share: str
    percent: float
    colour: int


@dataclass(frozen=True)
class Proof:
    """Whether nothing is on both sides, what was compared in a few words, and the counts in a sentence."""

    holds: bool
    claim: str
    counts: str


@dataclass(frozen=True)
class DataSide:
    """One side: its points, their share of all, and its classes."""

    name: str
    points: int
    share: str
    percent: float
    classes: list[ClassShare]


def sides(findings: Findings) -> list[DataSide]:
    """Return training, validation and testing."""
    job = findings.job
    tables = (("Training", job.training), ("Validation", job.validation), ("Testing", job.testing))
    whole = sum(table.rows for _, table in tables)
    names = [str(one) for one in findings.points.classes][:_MOST_CLASSES]
    found = []
    for name, table in tables:
        classes = [
            ClassShare(
                one,
                table.classes.get(one, 0),
                format_share(table.classes.get(one, 0), table.rows),
                100 * table.classes.get(one, 0) / max(table.rows, 1),
                place % 6,
            )
            for place, one in enumerate(names)
            if any(one.classes for _, one in tables)
        ]
        found.append(
            DataSide(name, table.rows, format_share(table.rows, whole), 100 * table.rows / max(whole, 1), classes)
        )
    return found


def proof(findings: Findings) -> Proof | None:
    """Return what the join of the files showed, or None where the run made no dataset."""
    made = findings.job.dataset_result
    return None if made is None else proof_of(made.leak_proof, grouped=bool(findings.job.split.group_columns))


def proof_of(found: LeakProof, *, grouped: bool) -> Proof:
    """Return what the join of the files showed: of keys and groups alone, since nothing else was compared."""
    holds = found.points_in_common == found.groups_in_common == 0
    what = "key, and no group," if grouped else "key"
    again = found.retired_in_training
    retired = f" that are not retired ({again:,} retired ones are trained on, and tested no more)" if again else ""
    groups = f" and {found.groups_in_common:,} groups" if grouped else ""
    return Proof(
        holds,
        f"No {what} is on both sides." if holds else f"A {'key or a group' if grouped else 'key'} is on both sides!",
        f"{found.points_in_common:,} keys{groups} in common between {found.compared_training:,} points of training and "
        f"validation and {found.compared_testing:,} of testing{retired}, found by joining the files as they were read "
        "back. Whether a column gives the target away was not looked at here.",
    )


def dataset_counts(findings: Findings) -> list[tuple[str, str]]:
    """Return what the dataset job counted."""
    made = findings.job.dataset_result
    if made is None:
        return []
    found = [
        ("Rows read", made.rows_read),
        ("Exact duplicates dropped", made.duplicates),
        ("New testing points", made.new),
        ("Testing points whose row changed", made.changed),
        ("Testing points no longer in the input", made.vanished),
        ("Testing points retired, as time has left them behind", made.retired),
        ("Retired points that are in training or validation", made.leak_proof.retired_in_training),
        (_LEFT_OUT.get(findings.job.split.strategy, _LEFT_OUT["Group"]), made.left_out),
    ]
    return [(name, f"{count:,}") for name, count in found if count or name in ("Rows read", "New testing points")]


def split(findings: Findings) -> str:
    """Return the rule of the split in a sentence."""
    rule = findings.job.split
    by = {
        "Key": "by the hash of the key",
        "Group": f"by the hash of the group ({', '.join(rule.group_columns)})",
        "Stratified": "by class, in the order of the hash of the key",
        "Time": f"by time ({rule.time_column})",
    }[rule.strategy]
    return (
        f"Split {by}; {100 * rule.testing:g} % wanted for testing, which by hash is an expectation and not a count."
        if rule.strategy in ("Key", "Group")
        else f"Split {by}."
    )
