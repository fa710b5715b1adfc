"""This run against those of the months before: what grew and what shrank, in all and for each role and user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CLASSES = ("used", "kept", "undetermined", "unused")


@dataclass(frozen=True, slots=True)
class Counts:
    """How many of a principal's granted actions have each class."""

    used: int = 0
    kept: int = 0
    undetermined: int = 0
    unused: int = 0

    @property
    def granted(self) -> int:
        """All of them: every granted action has exactly one class."""
        return self.used + self.kept + self.undetermined + self.unused

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, name) + getattr(other, name) for name in CLASSES))

    def __sub__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, name) - getattr(other, name) for name in CLASSES))


class Run(msgspec.Struct, frozen=True):
    """One run in short: the window's ends, the counts of each role and user (in the order of CLASSES), the findings."""

    first: str
    last: str
    principals: dict[str, tuple[int, int, int, int]]
    findings: tuple[str, ...]

    @property
    def total(self) -> Counts:
        """Add all roles and users up."""
        return sum((Counts(*counts) for counts in self.principals.values()), Counts())


@dataclass(frozen=True, slots=True)
class Change:
    """How a role or user changed: against the last run, and what it was granted at the end of each month known.

    `months` are (last day, granted actions), the oldest first, this run the last.
    """

    counts: Counts
    months: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Trend:
    """This run against the last one. `roles` holds those that were there then too; the rest came or went."""

    since: str
    counts: Counts
    findings_new: int
    findings_gone: int
    months: tuple[tuple[str, int], ...]
    roles: Mapping[str, Change]
    came: int
    went: int

    @property
    def grew(self) -> int:
        """Count the roles and users that are granted more than then."""
        return sum(change.counts.granted > 0 for change in self.roles.values())

    @property
    def shrank(self) -> int:
        """Count the roles and users that are granted less than then."""
        return sum(change.counts.granted < 0 for change in self.roles.values())


def trend(now: Run, before: Sequence[Run]) -> Trend | None:
    """Compare a run with those before it, the oldest first; None where there is none."""
    if not before:
        return None
    then = before[-1]
    runs = (*before, now)
    roles = {
        arn: Change(
            Counts(*counts) - Counts(*then.principals[arn]),
            tuple((run.last, sum(run.principals[arn])) for run in runs if arn in run.principals),
        )
        for arn, counts in now.principals.items()
        if arn in then.principals
    }
    new, old = set(now.findings), set(then.findings)
    return Trend(
        since=then.last,
        counts=now.total - then.total,
        findings_new=len(new - old),
        findings_gone=len(old - new),
        months=tuple((run.last, run.total.granted) for run in runs),
        roles=roles,
        came=len(now.principals.keys() - then.principals.keys()),
        went=len(then.principals.keys() - now.principals.keys()),
    )
