"""What the log came to: counts and last uses, for the IAM files and the ground truth."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trailfit.demo.history import stamp

if TYPE_CHECKING:
    from datetime import date

    from trailfit.demo.history import Event


@dataclass(frozen=True, slots=True)
class Last:
    """A last use: when (``YYYY-MM-DDTHH:MM:SSZ``), with which service's prefix, in which region."""

    when: str
    service: str
    region: str


@dataclass(slots=True)
class Tally:
    """Sums over all events: small, whatever the volume of the log."""

    events: int = 0
    records: int = 0
    logged: Counter[str] = field(default_factory=Counter)
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    denied: Counter[tuple[str, str]] = field(default_factory=Counter)
    actions: dict[tuple[str, str], Last] = field(default_factory=dict)
    principals: dict[str, Last] = field(default_factory=dict)
    keys: dict[str, Last] = field(default_factory=dict)
    passwords: dict[str, Last] = field(default_factory=dict)

    def add(self, day: date, event: Event, *, copies: int) -> None:
        """Count one event, and in how many trails it is. IAM knows of uses that no trail logged; `calls` does not."""
        self.events += bool(copies)
        self.records += copies
        if event.record["eventName"] == "ConsoleLogin":
            self._latest(self.passwords, event.record["userIdentity"]["arn"], day, event)
        if event.principal is None:
            return
        self.logged[event.principal] += bool(copies)
        self._latest(self.principals, event.principal, day, event)
        if event.key:
            self._latest(self.keys, event.key, day, event)
        if event.fault.startswith("denied"):
            self.denied[event.principal, event.action] += bool(copies)
        if event.used:
            self.calls[event.principal, event.action] += bool(copies)
            self._latest(self.actions, (event.principal, event.action), day, event)

    @staticmethod
    def _latest(table: dict, key: object, day: date, event: Event) -> None:  # type: ignore[type-arg]
        when = stamp(day, event.second)
        if key not in table or table[key].when < when:
            service = event.action.partition(":")[0] or event.record["eventSource"].partition(".")[0]
            table[key] = Last(when, service, event.region)
