"""The days that a question is asked of: they end with the lake's last day, never with today's clock."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from trailfit.errors import LakeError, UsageError
from trailfit.model import Window

if TYPE_CHECKING:
    from datetime import date

    from trailfit.lake import Lake

DEFAULT_DAYS = 90


def resolve(lake: Lake, *, days: int | None = None, to: date | None = None, otherwise: date | None = None) -> Window:
    """Find the window of `days` days that ends at `to`, or else with the lake's last day.

    In a lake without any event it ends at `otherwise`. Raises UsageError when `days` is not positive, LakeError
    when there is no event and no `otherwise`.
    """
    if days is not None and days < 1:
        raise UsageError(f"--days {days}: a window has at least one day")
    held = lake.days()
    last = to or (held[1] if held else otherwise)
    if last is None:
        raise LakeError("the lake holds no event", where=lake.root, hint="run `trailfit ingest` first")
    return Window(last - timedelta(days=(days or DEFAULT_DAYS) - 1), last)
