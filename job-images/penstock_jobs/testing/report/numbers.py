"""Numbers as people read them. Scores are greater-is-better inside; an error is shown as a positive number, with ↓."""

from dataclasses import dataclass

from penstock_jobs.contract.result import ScoreResult
from penstock_jobs.contract.specification import TestingJob


@dataclass(frozen=True)
class Display:
    """How the scores of one scoring function are shown."""

    name: str
    error: bool

    @property
    def label(self) -> str:
        """The name, and in which direction it gets better."""
        return f"{self.name.removeprefix('neg_')} {'↓' if self.error else '↑'}"

    def value(self, value: float) -> float:
        """Return the number that people see."""
        return -value if self.error else value

    def ends(self, low: float | None, high: float | None) -> tuple[float | None, float | None]:
        """Return the ends of an interval as people see them, the lower one first."""
        if low is None or high is None:
            return None, None
        return (-high, -low) if self.error else (low, high)

    def text(self, score: ScoreResult | None) -> str:
        """Return the number, or a dash."""
        return "–" if score is None else format_digits(self.value(score.value))

    def interval(self, score: ScoreResult | None) -> str:
        """Return the interval in words, or nothing."""
        low, high = self.ends(score.low, score.high) if score else (None, None)
        return "" if low is None or high is None else f"{format_digits(low)} to {format_digits(high)}"


def display(job: TestingJob, name: str) -> Display:
    """Return how the scoring function of that name is shown."""
    own = next((one for one in job.scoring if one.name == name), None)
    return Display(name, name.startswith("neg_") or (own is not None and not own.greater_is_better))


def format_digits(value: float) -> str:
    """Return three or four digits that count: 0.9534, 12.35, 1,234."""
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}"
    if size >= 100:
        return f"{value:.1f}"
    if size >= 10:
        return f"{value:.2f}"
    return f"{value:.3f}" if size >= 0.01 or size == 0 else f"{value:.2g}"


def format_signed(value: float) -> str:
    """Return a difference, with its sign."""
    return f"{value:+.3g}" if abs(value) > 1e-12 else "0"


def format_share(part: float, whole: float) -> str:
    """Return a share in per cent."""
    return "–" if whole == 0 else f"{100 * part / whole:.1f} %"


def shorten_digest(digest: str) -> str:
    """Return the first digits of a digest."""
    kind, _, digits = digest.rpartition(":")
    return f"{kind}:{digits[:12]}…" if kind and len(digits) > 12 else digest
