"""Actions that are never kept on a guess: they hand out rights, show secrets, lose data, leak it, or run code."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

from trailfit.catalog.actions import access_level, expand
from trailfit.catalog.tables import rows
from trailfit.catalog.weights import weight

#: Of this weight or more: no row of the table need name them.
_HEAVY = 6.0
_HANDS_OVER = "iam:PassRole"
#: Harms that looking at settings does not do.
_BY_WRITING = frozenset({"rights", "loss", "leak", "code"})
#: Services of which not even the looking is harmless.
_CLOSED = frozenset({"iam", "sts", "organizations", "account", "kms", "secretsmanager"})


@dataclass(frozen=True, slots=True)
class Harm:
    """What an action could do: `kind` is ``rights``, ``secrets``, ``loss``, ``leak``, ``code``, ``watch``, ``weight``.

    `only_by_writing`: an action of that name which only lists or reads does not do it.
    """

    kind: str
    reason: str
    only_by_writing: bool


@cache
def _by_pattern() -> dict[str, tuple[str, str]]:
    passing = [row["action"] for row in rows("dependent_actions") if row["dependent_action"] == _HANDS_OVER]
    found = dict.fromkeys(passing, ("rights", "hands a role to a service"))
    for row in rows("grave_actions"):
        for action in expand(row["pattern"]):
            # Of several rows that match, what is worse than loss stands.
            if action not in found or found[action][0] == "loss":
                found[action] = row["harm"], row["reason"]
    return found


@lru_cache(maxsize=65536)
def grave(action: str) -> Harm | None:
    """Say what harm `action` could do, so that only who was seen to use it may have it; None: none.

    >>> grave("sqs:PurgeQueue").reason, grave("kms:Decrypt").reason, grave("dynamodb:BatchGetItem")
    ('deletes', 'a key opens all that it encrypts', None)
    """
    level = access_level(action) or ""
    kind, reason = _by_pattern().get(action, ("", ""))
    if "Permissions management" in level and kind in ("", "loss"):
        kind, reason = "rights", "hands out rights"
    if not kind and weight(action) >= _HEAVY:
        kind, reason = "weight", "weighs much"
    if not kind:
        return None
    closed = action.partition(":")[0] in _CLOSED
    return Harm(kind, reason, only_by_writing=kind in _BY_WRITING and not closed and level in ("List", "Read"))
