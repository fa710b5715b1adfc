"""How much it matters that an action is granted: the weights by which surface is measured."""

from __future__ import annotations

from functools import cache, lru_cache

from trailfit.catalog.actions import access_level
from trailfit.catalog.tables import rows


@cache
def _table() -> tuple[dict[str, float], dict[str, float]]:
    found: dict[str, dict[str, float]] = {"level": {}, "action": {}}
    for row in rows("action_weights"):
        found[row["kind"]][row["name"]] = float(row["weight"])
    return found["level"], found["action"]


@lru_cache(maxsize=65536)
def weight(action: str) -> float:
    """Weigh an action by its own row, or else by the heaviest of its access levels; 1 for an unknown one.

    >>> weight("iam:PassRole"), weight("s3:ListBucket")
    (10.0, 0.25)
    """
    levels, actions = _table()
    if action in actions:
        return actions[action]
    known = [levels[each] for each in (access_level(action) or "").split(", ") if each in levels]
    return max(known, default=1.0)
