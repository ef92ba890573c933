"""Values with their intervals, one a row, on one axis."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from markupsafe import Markup

from penstock_jobs.testing.report.charts.plot import format_tick, pad_range, svg, ticks


@dataclass(frozen=True)
class Row:
    """A value with its interval (None: no interval), as it is shown.

    A `loose` row does not stretch the axis: where it lies outside, an arrow at the edge says so.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    colour: str = "challenger"
    text: str = ""
    loose: bool = False


_ROW, _RIGHT, _FOOT = 30.0, 96.0, 24.0


def intervals(
    title: str, rows: Sequence[Row], mark: float | None = None, width: float = 520.0, left: float = 120.0
) -> Markup:
    """Return the picture; `mark` is a value to draw a dashed line at (0, or a margin)."""
    firm = [row for row in rows if not row.loose] or rows
    ends = pad_range([end for row in firm for end in (row.value, row.low, row.high) if end is not None] + _list(mark))
    height = len(rows) * _ROW + _FOOT + 6
    floor = height - _FOOT

    def across(value: float) -> float:
        return left + (value - ends[0]) / (ends[1] - ends[0]) * (width - left - _RIGHT)

    parts = []
    for value in ticks(*ends, 4):
        parts.append(f'<path class="grid" d="M{across(value):.1f} 4V{floor:.1f}"/>')
        parts.append(
            f'<text x="{across(value):.1f}" y="{floor + 16:.1f}" text-anchor="middle">{format_tick(value)}</text>'
        )
    if mark is not None:
        parts.append(f'<path class="line dashed muted" d="M{across(mark):.1f} 2V{floor:.1f}"/>')
    for place, row in enumerate(rows):
        middle = 6 + _ROW * place + _ROW / 2
        parts.append(
            f'<text class="row" x="{left - 10}" y="{middle + 4:.1f}" text-anchor="end">{cut(row.name, left)}</text>'
        )
        if not ends[0] <= row.value <= ends[1]:
            parts.append(_arrow(row, left if row.value < ends[0] else width - _RIGHT, middle, row.value < ends[0]))
        else:
            parts += _mark(row, across, ends, middle)
        parts.append(f'<text class="value" x="{width - _RIGHT + 12}" y="{middle + 4:.1f}">{escape(row.text)}</text>')
    return svg(width, height, title, parts)


def _mark(row: Row, across: Callable[[float], float], ends: tuple[float, float], middle: float) -> list[str]:
    parts = []
    if row.low is not None and row.high is not None:
        start, end = across(max(row.low, ends[0])), across(min(row.high, ends[1]))
        parts.append(f'<path class="interval {row.colour}" d="M{start:.1f} {middle:.1f}H{max(end, start + 1):.1f}"/>')
    parts.append(f'<circle class="dot {row.colour}" cx="{across(row.value):.1f}" cy="{middle:.1f}" r="5"/>')
    return parts


def _arrow(row: Row, place: float, middle: float, leftwards: bool) -> str:
    tip, back = (place + 2, place + 11) if leftwards else (place - 2, place - 11)
    return f'<path class="dot {row.colour}" d="M{tip} {middle}L{back} {middle - 5}V{middle + 5}Z"/>'


def _list(mark: float | None) -> list[float]:
    return [] if mark is None else [mark]


def cut(name: str, width: float) -> str:
    """Return the name, escaped, as far as it fits so many pixels; whole where the pointer rests on it."""
    whole, length = escape(name), int((width - 10) / 6.6)
    if len(name) <= length:
        return whole
    return f"{escape(name[: length - 1])}…<title>{whole}</title>"
