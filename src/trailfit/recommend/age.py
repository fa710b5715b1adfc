"""Whether a principal and each of its permissions were there for the whole window: else silence says nothing of them.

The dates of IAM (CreateDate, those of policy versions) say it in part: an inline policy has none, and an attachment
neither. The log says the rest: the calls that put, attached or changed something (``grant_changes.csv``).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from trailfit.model import AttachedPolicy, Evidence, GrantChange, Principal, Window


@dataclass(frozen=True, slots=True)
class Grace:
    """How many days old, at the window's end, a principal and a permission must be to be judged by silence.

    Both must have been there for the whole window in any case; this asks for more where the window is short.
    """

    principals: int = 0
    permissions: int = 0


class Ages:
    """Tells of one principal what is too young to judge."""

    def __init__(self, principal: Principal, changes: Mapping[Subject, Sequence[GrantChange]], window: Window,
                 grace: Grace) -> None:  # fmt: skip
        self._principal = principal
        self._changes = changes
        self._window = window
        self._born = _latest(window, grace.principals)
        self._granted = _latest(window, grace.permissions)

    def of_principal(self) -> str | None:
        """Say that the principal itself is too young; None where it is old enough, or its age is not known."""
        created = self._principal.created
        if created is None or created.date() <= self._born:
            return None
        if created.date() > self._window.first:
            return f"created on {created.date()}, within the window: too young to judge"
        return f"created on {created.date()}: too young to judge by its grace period"

    def of_grant(self, policy: AttachedPolicy) -> str | None:
        """Say that what a policy grants to the principal is too young; None where nothing says so."""
        dated = policy.updated or policy.created
        if policy.kind != "aws_managed" and dated and dated.date() > self._granted:
            return f"granted by {policy.name}, which changed within the window"
        change = max(self._logged(policy), key=lambda one: (one.last, one.event), default=None)
        if change is None:
            return None
        return (
            f"granted by {policy.name}, which {change.event} changed on {change.last.date()}, within the window "
            f"(event {change.example_event})"
        )

    def _logged(self, policy: AttachedPolicy) -> list[GrantChange]:
        """List the logged calls that may have granted what the policy grants, as far as they are too young."""
        who = self._principal
        subjects: list[Subject] = [(who.account, who.kind, who.name.lower())]
        if policy.group:
            subjects.append((who.account, "group", policy.group.rpartition("/")[2].lower()))
        if policy.arn:
            subjects.append((who.account, "policy", policy.arn.lower()))
        if ":permissionset/" in who.arn.lower():
            subjects += [key for key in self._changes if key[1:] == ("permission_set", who.arn.lower())]
        group = (policy.group or "").rpartition("/")[2].lower()
        named = {policy.name.lower(), (policy.arn or "").lower(), group} - {""}
        return [
            change
            for subject in subjects
            for change in self._changes.get(subject, ())
            if change.last.date() > self._granted
            and (
                change.changes == "boundary"
                or (change.changes == "grants" and (change.policy is None or change.policy.lower() in named))
            )
        ]

    def of_trust(self) -> str | None:
        """Say that the role's trust policy changed too lately to judge by silence whom it lets in."""
        who = self._principal
        for change in self._changes.get((who.account, who.kind, who.name.lower()), ()):
            if change.changes == "trust" and change.last.date() > self._granted:
                return f"its trust policy changed on {change.last.date()}, within the window"
        return None


#: Account, kind and name (in lower case: IAM's names are told apart without regard to case).
Subject = tuple[str, str, str]


def by_subject(evidence: Evidence) -> dict[Subject, list[GrantChange]]:
    """Index the logged changes by whose grant they changed."""
    found: dict[Subject, list[GrantChange]] = defaultdict(list)
    for change in evidence.changes:
        found[change.account, change.kind, change.name.lower()].append(change)
    return dict(found)


def is_new(when: datetime | None, start: date) -> bool:
    """Tell whether something is known to be younger than the day `start`."""
    return when is not None and when.date() > start


def _latest(window: Window, days: int) -> date:
    """Give the last day on which something may have come about and still be judged."""
    return min(window.first, window.last - timedelta(days=max(days - 1, 0)))
