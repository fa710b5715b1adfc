"""Draw the trade-off of a backtest as SVG: how much surface a proposal removes, against how many it would have broken.

Pure, and the same bytes for the same points; no font, script or network is needed to show it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_WIDTH, _HEIGHT = 760, 460
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 150, 50, 60
#: Colours that stay apart for most colour-blind readers (Okabe and Ito), and a dash of their own for print.
_STYLES = (("#0072b2", ""), ("#d55e00", "6 3"), ("#009e73", "2 3"), ("#cc79a7", "8 3 2 3"))


@dataclass(frozen=True, slots=True)
class Point:
    """One backtest: its `series` (a level), the days it learnt on, and two shares from 0 to 1."""

    series: str
    days: int
    removed: float
    denied: float


@dataclass(frozen=True, slots=True)
class _Axis:
    """A linear axis: the values at its ends, and where they lie."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> str:
        return f"{self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start):.1f}"


def tradeoff(points: Sequence[Point], title: str) -> str:
    """Draw the points, those of one series joined in the order of their days."""
    across = _axis([100 * each.removed for each in points], _LEFT, _WIDTH - _RIGHT, top=100.0)
    up = _axis([0.0, *(100 * each.denied for each in points)], _HEIGHT - _BOTTOM, _TOP, top=100.0)
    size = f'viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}"'
    font = 'font-family="system-ui, sans-serif" font-size="12"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" {font}>',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
        f'<text x="{_LEFT}" y="26" font-size="15" fill="#1a1a1a">{escape(title)}</text>',
        *_grid(across, up),
        *_series(points, across, up),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _axis(values: Sequence[float], start: float, end: float, *, top: float) -> _Axis:
    """Choose the ends of an axis: round numbers around all values, never beyond `top`."""
    low, high = min(values, default=0.0), max(values, default=top)
    step = _step(max(high - low, 0.05))
    low, high = max(0.0, floor(low / step) * step), min(top, ceil(high / step) * step)
    if high <= low:
        low, high = max(0.0, high - step), min(top, low + step)
    return _Axis(low, high, start, end)


def _step(length: float) -> float:
    """Give the round distance of four to ten ticks over a length.

    >>> _step(100), _step(7), _step(0.4)
    (20.0, 1.0, 0.05)
    """
    size = 10.0 ** floor(log10(length))
    return next(factor * size for factor in (0.1, 0.2, 0.5, 1.0, 2.0) if length / (factor * size) <= 8)


def _ticks(axis: _Axis) -> list[float]:
    step = _step(axis.high - axis.low)
    count = round((axis.high - axis.low) / step)
    return [axis.low + (axis.high - axis.low) * number / count for number in range(count + 1)]


def _grid(across: _Axis, up: _Axis) -> Iterator[str]:
    left, right, bottom, top = _LEFT, _WIDTH - _RIGHT, _HEIGHT - _BOTTOM, _TOP
    for value in _ticks(across):
        x = across.at(value)
        yield f'<line x1="{x}" y1="{bottom}" x2="{x}" y2="{top}" stroke="#e4e4e4"/>'
        yield f'<text x="{x}" y="{bottom + 18}" text-anchor="middle" fill="#444444">{value:.4g}</text>'
    for value in _ticks(up):
        y = up.at(value)
        yield f'<line x1="{left}" y1="{y}" x2="{right}" y2="{y}" stroke="#e4e4e4"/>'
        yield f'<text x="{left - 8}" y="{y}" dy="4" text-anchor="end" fill="#444444">{value:.4g}</text>'
    middle = (left + right) // 2
    yield f'<text x="{middle}" y="{_HEIGHT - 16}" text-anchor="middle" fill="#1a1a1a">surface removed, %</text>'
    half = (top + bottom) // 2
    yield (
        f'<text x="20" y="{half}" text-anchor="middle" fill="#1a1a1a" transform="rotate(-90 20 {half})">'
        "roles and users denied something, %</text>"
    )


def _series(points: Sequence[Point], across: _Axis, up: _Axis) -> Iterator[str]:
    series: dict[str, list[Point]] = defaultdict(list)
    for each in points:
        series[each.series].append(each)
    for number, (name, found) in enumerate(series.items()):
        colour, dash = _STYLES[number % len(_STYLES)]
        found.sort(key=lambda each: each.days)
        places = [(across.at(100 * each.removed), up.at(100 * each.denied)) for each in found]
        path = " ".join(f"{x},{y}" for x, y in places)
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>'
        for each, (x, y) in zip(found, places, strict=True):
            told = f"{name}, {each.days} days: {100 * each.removed:.2f} % removed, {100 * each.denied:.2f} % denied"
            yield f'<circle cx="{x}" cy="{y}" r="4" fill="{colour}"><title>{escape(told)}</title></circle>'
            yield f'<text x="{x}" y="{y}" dx="6" dy="-6" fill="{colour}">{each.days} d</text>'
        row = _TOP + 20 * number
        x1 = _WIDTH - _RIGHT + 16
        yield (
            f'<line x1="{x1}" y1="{row}" x2="{x1 + 24}" y2="{row}" stroke="{colour}" stroke-width="2"'
            f' stroke-dasharray="{dash}"/>'
        )
        yield f'<text x="{x1 + 30}" y="{row}" dy="4" fill="#1a1a1a">{escape(name)}</text>'
