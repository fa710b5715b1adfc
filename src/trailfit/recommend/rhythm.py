"""In which rhythm a principal works, and so which silence may only mean that the next turn has not come yet.

A window of 90 days shows a monthly job three times and a quarterly one perhaps once. Two things follow. What was used
before the window, in a rhythm whose next turn is not overdue, is not unused. And a principal that was at work but
once, in one short spell of the window, has not shown what it does at its other turns.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from trailfit.model import Window

#: Days of use that are no further apart belong to one turn: a job that is retried, a person's busy week.
_SPELL = 3
#: A turn is overdue when it is late by a quarter of its rhythm and these days.
_LATE, _GRACE = 1.25, 3
#: The longest of the usual rhythms that one use alone may stand for: a quarter.
_QUARTER = 92
#: A principal's rhythm is open when so much of the window, and so many days, lie around its only spell.
_QUIET, _QUIET_DAYS = 2 / 3, 28
#: The usual rhythms, by the days between two turns.
_NAMES = ((1, 2, "daily"), (5, 9, "weekly"), (12, 16, "fortnightly"), (26, 35, "monthly"), (84, 98, "quarterly"),
          (350, 380, "yearly"))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Turns:
    """The turns that days of use fall into: the first and last day of each, in order."""

    spells: tuple[tuple[date, date], ...]

    @property
    def period(self) -> int | None:
        """Give the days from turn to turn, the longest that was seen; None where there was but one."""
        return max(((two[0] - one[0]).days for one, two in pairwise(self.spells)), default=None)

    @property
    def name(self) -> str:
        """Call the rhythm by its name, or say how long it is.

        >>> from datetime import date
        >>> turns([date(2026, 1, 5), date(2026, 4, 6)]).name
        'quarterly'
        """
        period = self.period
        if period is None:
            return "once"
        return next((name for low, high, name in _NAMES if low <= period <= high), f"every {period} days")


def turns(days: Sequence[date]) -> Turns:
    """Put sorted days of use together into turns."""
    found: list[list[date]] = []
    for day in days:
        if found and (day - found[-1][1]).days <= _SPELL:
            found[-1][1] = day
        else:
            found.append([day, day])
    return Turns(tuple((first, last) for first, last in found))


class Rhythms:
    """Tells of one principal what silence in the window cannot judge, from all that the lake holds of it."""

    def __init__(self, days: Mapping[str, Sequence[date]], window: Window) -> None:
        """`days` are, by action, the days of calls that count, sorted; the window's and those before it."""
        self._days = days
        self._window = window

    def awaited(self, action: str) -> str | None:
        """Say why `action`, silent in the window, may be used again: its next turn is not overdue. None: it is."""
        days = [day for day in self._days.get(action, ()) if day < self._window.first]
        if not days:
            return None
        known = turns(days)
        first, last = known.spells[-1]
        quiet = (self._window.last - last).days
        if known.period is None:
            if quiet > _LATE * _QUARTER + _GRACE:
                return None
            return f"used once before the window, on {last}: a quarterly job would come again within days"
        if (self._window.last - first).days > _LATE * known.period + _GRACE:
            return None
        return (
            f"used before the window, {known.name}, last on {last}: its next turn is not overdue, and the window of "
            f"{self._window.days} days is shorter than its rhythm; --days {2 * known.period + 2 * _SPELL} would show it"
        )

    @cached_property
    def open(self) -> str | None:
        """Say why the principal's own rhythm leaves open what else it does; None where the window shows enough."""
        used = sorted({day for days in self._days.values() for day in days})
        known = turns(used)
        inside = [spell for spell in known.spells if spell[1] >= self._window.first]
        if len(inside) != 1:
            return None
        first, last = max(inside[0][0], self._window.first), inside[0][1]
        quiet = self._window.days - (last - first).days - 1
        if (last - first).days > _SPELL or quiet < max(_QUIET_DAYS, _QUIET * self._window.days):
            return None
        when = f"on {first}" if first == last else f"from {first} to {last}"
        if known.period is None:
            return (
                f"at work only {when} in a window of {self._window.days} days: its rhythm may be longer than the "
                "window; a longer one would tell"
            )
        return (
            f"its rhythm is {known.name}: the window of {self._window.days} days holds one turn, {when}; "
            f"--days {2 * known.period + 2 * _SPELL} would show two"
        )
