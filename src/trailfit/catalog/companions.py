"""Actions that go with a used one: its error path, its way back, another way to the same thing.

They are kept where they are granted today, on the resources of the action they go with, and shown as kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from trailfit.catalog.tables import rows


@dataclass(frozen=True, slots=True)
class Companion:
    """An action that whoever uses another may need, and why. Its row names the source."""

    action: str
    reason: str


@cache
def _by_action() -> dict[str, tuple[Companion, ...]]:
    found: dict[str, list[Companion]] = {}
    for row in rows("companions"):
        found.setdefault(row["action"], []).append(Companion(row["companion"], row["reason"]))
    return {action: tuple(companions) for action, companions in found.items()}


def companions_of(action: str) -> tuple[Companion, ...]:
    """List the companions of `action`; none when the table has no row for it.

    >>> [each.action for each in companions_of("sns:Publish")]
    ['sns:GetTopicAttributes']
    """
    return _by_action().get(action, ())
