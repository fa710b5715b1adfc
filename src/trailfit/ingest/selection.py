"""Which events an ingest was asked for: days, accounts, regions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from trailfit.errors import UsageError
from trailfit.lake import NO_DAY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trailfit.ingest.keys import Key


@dataclass(frozen=True, slots=True)
class Selection:
    """The days (both ends count), accounts and regions asked for; None asks for all."""

    first: date | None = None
    last: date | None = None
    accounts: frozenset[str] | None = None
    regions: frozenset[str] | None = None

    def takes_key(self, key: Key) -> bool:
        """Tell whether an object may hold events asked for.

        CloudTrail delivers within minutes, so the events of a day lie under that day's prefix and the next one's.
        """
        if key.day is not None and not self.takes_key_day(key.day):
            return False
        if self.accounts is not None and key.account is not None and key.account not in self.accounts:
            return False
        return self.regions is None or key.region is None or key.region in self.regions

    def takes_key_day(self, day: date) -> bool:
        """Tell whether objects delivered on `day` may hold events asked for."""
        if self.first is not None and day < self.first:
            return False
        return self.last is None or day <= self.last + timedelta(days=1)

    def takes_unit(self, account: str, day: date) -> bool:
        """Tell whether the events of an account and day were asked for."""
        if self.accounts is not None and account not in self.accounts:
            return False
        if day == NO_DAY:
            return True
        return (self.first is None or day >= self.first) and (self.last is None or day <= self.last)


def select(
    first: date | None, last: date | None, accounts: Iterable[str] = (), regions: Iterable[str] = ()
) -> Selection:
    """Make a Selection of what a user gave; none named means all. Raises UsageError for days in reverse."""
    if first is not None and last is not None and first > last:
        raise UsageError(f"--from {first} is after --to {last}")
    return Selection(first, last, frozenset(accounts) or None, frozenset(regions) or None)
