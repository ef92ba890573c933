"""A plot with two linear axes, built mark by mark, rendered as one `<svg>` element."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from markupsafe import Markup

Pairs = Sequence[tuple[float, float]]

LEFT, RIGHT, TOP, BOTTOM = 52.0, 14.0, 12.0, 42.0


@dataclass
class Plot:
    """A plot under construction. Colours are classes of the page's style, as `challenger`.

    Attributes:
        title: what it shows, in a sentence, for those who cannot see it.
        x: the ends of the horizontal axis.
        y: the ends of the vertical axis.
        x_label: below the horizontal axis.
        y_label: beside the vertical axis.
        width: of the whole picture, in pixels.
        height: of the whole picture, in pixels.
    """

    title: str
    x: tuple[float, float]
    y: tuple[float, float]
    x_label: str = ""
    y_label: str = ""
    width: float = 470.0
    height: float = 330.0
    left: float = LEFT
    marks: list[str] = field(default_factory=list)

    def x_of(self, value: float) -> float:
        """Return the horizontal place of a value, in pixels."""
        return self.left + _share(value, self.x) * (self.width - self.left - RIGHT)

    def y_of(self, value: float) -> float:
        """Return the vertical place of a value, in pixels."""
        return self.height - BOTTOM - _share(value, self.y) * (self.height - TOP - BOTTOM)

    def line(self, pairs: Pairs, colour: str, kind: str = "line") -> None:
        """Draw a line through the pairs."""
        places = [f"{self.x_of(x):.1f},{self.y_of(y):.1f}" for x, y in pairs if _is_finite(x, y)]
        if places:
            self.marks.append(f'<polyline class="{kind} {colour}" points="{" ".join(_drop_repeats(places))}"/>')

    def area(self, pairs: Pairs, colour: str) -> None:
        """Fill from the line through the pairs down to the axis."""
        finite = [(x, y) for x, y in pairs if _is_finite(x, y)]
        if finite:
            floor = self.y[0]
            closed = [(finite[0][0], floor), *finite, (finite[-1][0], floor)]
            places = [f"{self.x_of(x):.1f},{self.y_of(y):.1f}" for x, y in closed]
            self.marks.append(f'<polygon class="area {colour}" points="{" ".join(_drop_repeats(places))}"/>')

    def bar(self, low: float, high: float, value: float, colour: str) -> None:
        """Draw an upright bar from the axis to the value, between two places of the horizontal axis."""
        start, end, top, floor = self.x_of(low), self.x_of(high), self.y_of(value), self.y_of(max(0.0, self.y[0]))
        top, floor = min(top, floor), max(top, floor)
        width = max(end - start - 1, 0.5)
        self.marks.append(
            f'<rect class="bar {colour}" x="{start + 0.5:.1f}" y="{top:.1f}" width="{width:.1f}" '
            f'height="{floor - top:.1f}"/>'
        )

    def dots(self, pairs: Pairs, colour: str, radius: float = 2.2) -> None:
        """Draw a dot at each pair; all of them are one path, so that a thousand stay small."""
        finite = [(x, y) for x, y in pairs if _is_finite(x, y)]
        path = "".join(f"M{self.x_of(x):.1f} {self.y_of(y):.1f}h0" for x, y in finite)
        self.marks.append(f'<path class="dots {colour}" stroke-width="{2 * radius:.1f}" d="{path}"/>')

    def whisker(self, x: float, low: float, high: float, colour: str) -> None:
        """Draw an upright interval."""
        place, top, floor = self.x_of(x), self.y_of(high), self.y_of(low)
        self.marks.append(f'<path class="whisker {colour}" d="M{place:.1f} {top:.1f}V{floor:.1f}"/>')

    def vertical_line(self, x: float, colour: str = "muted") -> None:
        """Draw a dashed line over the whole height at a value."""
        place = self.x_of(x)
        ends = f"M{place:.1f} {TOP}V{self.height - BOTTOM}"
        self.marks.append(f'<path class="line dashed {colour}" d="{ends}"/>')

    def note(self, x: float, y: float, text: str, anchor: str = "start") -> None:
        """Write a text at a place."""
        place = f'x="{self.x_of(x):.1f}" y="{self.y_of(y):.1f}"'
        self.marks.append(f'<text class="note" {place} text-anchor="{anchor}">{escape(text)}</text>')

    def render(self) -> Markup:
        """Return the `<svg>` element."""
        return svg(self.width, self.height, self.title, [*self._frame(), *self.marks])

    def _frame(self) -> list[str]:
        floor, right = self.height - BOTTOM, self.width - RIGHT
        parts = []
        for value in ticks(*self.x, 5):
            place = self.x_of(value)
            parts.append(f'<path class="grid" d="M{place:.1f} {TOP}V{floor}"/>')
            parts.append(f'<text x="{place:.1f}" y="{floor + 16}" text-anchor="middle">{format_tick(value)}</text>')
        for value in ticks(*self.y, 5):
            place = self.y_of(value)
            parts.append(f'<path class="grid" d="M{self.left} {place:.1f}H{right}"/>')
            parts.append(
                f'<text x="{self.left - 7}" y="{place + 3.5:.1f}" text-anchor="end">{format_tick(value)}</text>'
            )
        middle_x, middle_y = (self.left + right) / 2, (TOP + floor) / 2
        if self.x_label:
            text = escape(self.x_label)
            parts.append(f'<text class="label" x="{middle_x}" y="{self.height - 6}" text-anchor="middle">{text}</text>')
        if self.y_label:
            turned = f'transform="translate(13 {middle_y}) rotate(-90)" text-anchor="middle"'
            parts.append(f'<text class="label" {turned}>{escape(self.y_label)}</text>')
        return parts


def svg(width: float, height: float, title: str, parts: Sequence[str]) -> Markup:
    """Return an `<svg>` element with a title for those who cannot see it; the parts are SVG already."""
    text = escape(title)
    head = f'<svg class="chart" viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{text}"><title>{text}</title>'
    return Markup(f"{head}{''.join(parts)}</svg>")  # noqa: S704 - every text in it was escaped when it was put in


def ticks(low: float, high: float, wanted: int) -> list[float]:
    """Return round numbers between low and high, about as many as wanted."""
    if not _is_finite(low, high) or high <= low:
        return [low]
    rough = (high - low) / wanted
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(place * step, 12) for place in range(first, math.floor(high / step + 1e-9) + 1)]


def format_tick(value: float) -> str:
    """Return a number on an axis."""
    if value != 0 and (abs(value) >= 100_000 or abs(value) < 0.001):
        return f"{value:.3g}"
    return f"{value:,.6g}"


def pad_range(values: Sequence[float], share: float = 0.05) -> tuple[float, float]:
    """Return the range of the finite values with a margin on both sides."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return 0.0, 1.0
    low, high = min(finite), max(finite)
    margin = (high - low) * share or abs(high) * share or 1.0
    return low - margin, high + margin


def _share(value: float, ends: tuple[float, float]) -> float:
    return (value - ends[0]) / ((ends[1] - ends[0]) or 1.0)


def _is_finite(*values: float) -> bool:
    return all(math.isfinite(value) for value in values)


def _drop_repeats(places: list[str]) -> list[str]:
    """Leave out places that equal the one before, to the tenth of a pixel."""
    return [place for position, place in enumerate(places) if position == 0 or place != places[position - 1]]
