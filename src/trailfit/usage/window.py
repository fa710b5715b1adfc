"""The days that a question is asked of: they end with the lake's last day, never with today's clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from trailfit.errors import UsageError

if TYPE_CHECKING:
    from trailfit.lake import Lake

DEFAULT_DAYS = 90


@dataclass(frozen=True, slots=True)
class Window:
    """A span of whole days, both ends included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """Count the days."""
        return (self.last - self.first).days + 1

    def parameters(self) -> dict[str, date]:
        """Give the window as the parameters that every windowed query takes."""
        return {"from_day": self.first, "to_day": self.last}


def resolve(lake: Lake, *, days: int | None = None, to: date | None = None) -> Window | None:
    """Find the window of `days` days that ends at `to`, or else with the lake's last day.

    None when the lake holds no event at all. Raises UsageError when `days` is not positive.
    """
    if days is not None and days < 1:
        raise UsageError(f"--days {days}: a window has at least one day")
    held = lake.days()
    if held is None:
        return None
    last = to or held[1]
    return Window(last - timedelta(days=(days or DEFAULT_DAYS) - 1), last)
