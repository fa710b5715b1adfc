"""When a need of the proving ground arises: cadences from hourly to yearly, bursts, incidents, one-offs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from random import Random

Rhythm = Literal[
    "hourly", "daily", "weekly", "monthly", "quarterly", "yearly", "human", "burst", "incident", "rare", "once"
]
#: Mean days between two occurrences, where they come at random.
_RANDOM = {"incident": 60.0, "rare": 45.0}


@dataclass(frozen=True, slots=True)
class Cadence:
    """A rhythm, its place in the week, month or quarter, and the days it lives from and to (indices, exclusive).

    `pauses` stops it over the year's end and the first half of August.
    """

    rhythm: Rhythm
    phase: int = 0
    first: int = 0
    end: int = 10_000
    pauses: bool = False

    def runs(self, rng: Random, index: int, day: date) -> int:
        """Draw how often the need arises on `day`, the `index`th of the timeline."""
        if not self.first <= index < self.end or (self.pauses and _holiday(day)):
            return 0
        if self.rhythm in _RANDOM:
            return int(rng.random() < 1 / _RANDOM[self.rhythm])
        return _RUNS[self.rhythm](self, rng, index, day)


def _holiday(day: date) -> bool:
    return (day.month, day.day) >= (12, 22) or (day.month, day.day) <= (1, 2) or (day.month == 8 and day.day <= 14)


def _in_month(cadence: Cadence, day: date, months: int) -> bool:
    """Tell whether `day` is the phase's day of its month, in every `months`th month."""
    return day.day == 1 + cadence.phase % 27 and (day.month - 1 - cadence.phase // 28) % months == 0


_RUNS: dict[str, Callable[[Cadence, Random, int, date], int]] = {
    "hourly": lambda _c, rng, _i, _d: rng.randrange(18, 31),
    "daily": lambda _c, rng, _i, _d: rng.randrange(1, 4),
    "weekly": lambda c, _r, _i, d: int(d.weekday() == c.phase % 7),
    "monthly": lambda c, _r, _i, d: int(_in_month(c, d, 1)),
    "quarterly": lambda c, _r, _i, d: int(_in_month(c, d, 3)),
    "yearly": lambda c, _r, _i, d: int(_in_month(c, d, 12)),
    "human": lambda _c, rng, _i, d: rng.randrange(1, 6) if d.weekday() < 5 and rng.random() < 0.45 else 0,
    "burst": lambda _c, rng, _i, d: rng.randrange(1, 5) if rng.random() < (0.35 if d.weekday() < 5 else 0.04) else 0,
    "once": lambda c, rng, i, _d: rng.randrange(1, 4) if i < c.first + 4 else 0,
}
