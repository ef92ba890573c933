"""The head of the report: what was decided, and the facts in a line each."""

from dataclasses import dataclass

from penstock_jobs.contract.digest_words import shorten_digest
from penstock_jobs.contract.result import Verdict
from penstock_jobs.testing.report.findings import Findings
from penstock_jobs.testing.report.numbers import display, format_share

_OFTEN = 20


@dataclass(frozen=True)
class Banner:
    """What was decided: the tone (`good`, `even`, `bad`), a title of a few words, and the sentence with the numbers."""

    tone: str
    title: str
    reason: str


_TITLES: dict[Verdict, tuple[str, str]] = {
    "First": ("good", "First"),
    "Improved": ("good", "Improved"),
    "NotWorse": ("good", "Not worse"),
    "NotBetter": ("even", "Not better"),
    "Undecided": ("even", "Undecided"),
    "NotComparable": ("even", "Not comparable"),
    "BelowMinimum": ("bad", "Below the minimum"),
    "BelowBaseline": ("bad", "Below the baseline"),
    "TooFewPoints": ("even", "Too few points"),
    "NoScore": ("bad", "No score"),
}


def banner(findings: Findings) -> Banner | None:
    """Return the verdict of the gate, in the words that deployment uses."""
    if findings.decision is None or findings.decision.verdict is None:
        return None
    tone, title = _TITLES[findings.decision.verdict]
    return Banner(tone, title, findings.decision.reason)


def facts(findings: Findings) -> list[tuple[str, str]]:
    """Return what was run, a name and a value each."""
    job, manifest = findings.job, findings.shown.manifest
    task = job.task if not findings.points.classes else f"{job.task}, {len(findings.points.classes)} classes"
    positive, made = findings.points.positive, job.dataset_result
    estimator = manifest.origin.estimator.rpartition(".")[2]
    found = [
        ("Pipeline", job.run.pipeline),
        ("Run", job.run.execution_name),
        ("Started", (job.created or "").replace("T", " ")[:16]),
        *((f"Parameter {each.name}", each.value) for each in (made.parameters if made else ())),
        ("Task", task),
        ("Target", job.target.column),
        ("Positive class", "" if positive is None else str(positive)),
        ("Model shown", findings.shown.name),
        ("Algorithm", manifest.origin.algorithm),
        ("Estimator", "" if estimator == manifest.origin.algorithm else estimator),
        ("Features", f"{len(manifest.features)}"),
        ("Served file", f"{manifest.serving.format} ({manifest.serving.file})"),
        ("Decision threshold", "" if manifest.threshold is None else f"{manifest.threshold:.3g}"),
        ("Testing points", f"{int(findings.shown.unseen.sum()):,}"),
        ("Decided by", display(findings, findings.ranking.name).label if job.selection else ""),
    ]
    return [(name, value) for name, value in found if value]


def parameters(findings: Findings) -> list[tuple[str, str]]:
    """Return the hyper-parameters of the Model shown."""
    return [(name, repr(value)) for name, value in findings.shown.manifest.origin.parameters.items()]


def usage(findings: Findings) -> str:
    """Return how often these testing points have been used to decide, and what that means."""
    job, origin = findings.job, findings.testing.origin
    before = None if job.decided_generation is None else int((origin.generations <= job.decided_generation).sum())
    return usage_sentence(job.decisions_so_far, before, len(findings.testing))


def usage_sentence(decisions: int, before: int | None, points: int) -> str:
    """Return what earlier decisions mean for scores.

    Args:
        decisions: how many rested on this epoch of the testing set; its points stay, so those of earlier versions too.
        before: how many of its points were there then; None where nobody knows.
        points: how many there are.
    """
    if decisions == 0:
        return (
            "This testing version has decided nothing before, nor has an earlier one of its epoch, so no choice "
            "flatters its scores."
        )
    times = "once" if decisions == 1 else f"{decisions:,} times"
    used = f"been used to decide {times} before. "
    said = f"This testing version is of an epoch that has {used}"
    if before is not None:
        share = f"{before:,} of its {points:,} points ({format_share(before, points)})"
        said = f"This testing version has {share} from versions that have {used}"
    if before == 0:
        return said + "So no choice flatters its scores."
    if decisions < _OFTEN:
        return said + "Each further use lets a little luck through: the Model that won on it may be flattered by it."
    return said + (
        "A Model that has won on the same points so often is flattered by them: trust new points more, "
        "and think of drawing a new testing set (resetTesting)."
    )


def versions(findings: Findings) -> list[tuple[str, str, str]]:
    """Return what exactly was used: a name, a version, and a digest each."""
    job, manifest = findings.job, findings.shown.manifest
    found = [
        (f"{name} table", f"version {table.version}", shorten_digest(table.digest))
        for name, table in (("Training", job.training), ("Validation", job.validation), ("Testing", job.testing))
    ]
    found.append(
        (
            f"Model {findings.shown.name}",
            manifest.created[:19].replace("T", " "),
            shorten_digest(findings.shown.model.digest),
        )
    )
    found += [(f"File {name}", "", shorten_digest(digest)) for name, digest in manifest.files.items()]
    if manifest.origin.commit:
        found.append(("Source", manifest.origin.commit, ""))
    found += [(name, version, "") for name, version in sorted(manifest.versions.items())]
    return found
