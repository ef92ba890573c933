"""Horizontal bars: shares of a whole, and importances."""

from collections.abc import Sequence
from html import escape

from markupsafe import Markup

from penstock_jobs.testing.report.charts.intervals import Row, cut
from penstock_jobs.testing.report.charts.plot import format_tick, pad_range, svg, ticks


def bars(title: str, rows: Sequence[Row], width: float = 470.0, left: float = 160.0) -> Markup:
    """Return one bar a row, from 0 to the value, with its interval as a thin line."""
    ends = pad_range([0.0, *(end for row in rows for end in (row.value, row.low, row.high) if end is not None)], 0.02)
    height = len(rows) * 24.0 + 30
    floor = height - 24

    def across(value: float) -> float:
        return left + (value - ends[0]) / (ends[1] - ends[0]) * (width - left - 66)

    parts = []
    for value in ticks(*ends, 3):
        parts.append(f'<path class="grid" d="M{across(value):.1f} 2V{floor:.1f}"/>')
        parts.append(
            f'<text x="{across(value):.1f}" y="{floor + 16:.1f}" text-anchor="middle">{format_tick(value)}</text>'
        )
    for place, row in enumerate(rows):
        middle = 4 + 24.0 * place + 12
        start, end = sorted((across(0.0), across(row.value)))
        box = f'x="{start:.1f}" y="{middle - 7:.1f}" width="{max(end - start, 1):.1f}" height="14" rx="2"'
        parts.append(f'<rect class="bar {row.colour}" {box}/>')
        if row.low is not None and row.high is not None:
            parts.append(f'<path class="error" d="M{across(row.low):.1f} {middle:.1f}H{across(row.high):.1f}"/>')
        parts.append(
            f'<text class="row" x="{left - 10}" y="{middle + 4:.1f}" text-anchor="end">{cut(row.name, left)}</text>'
        )
        parts.append(f'<text class="value" x="{width - 56}" y="{middle + 4:.1f}">{escape(row.text)}</text>')
    return svg(width, height, title, parts)
