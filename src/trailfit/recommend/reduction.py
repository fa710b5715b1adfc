"""The risk that each recommendation removes: the surface of the policies that go, against that of those that come.

Surface weighs each action by its sensitivity and by the share of what exists that it is granted on (`surface`).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from trailfit.recommend.surface import Inventory

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trailfit.model import Judgement, PolicyChange
    from trailfit.policy.document import Document


def reductions(judgement: Judgement) -> Mapping[str, Mapping[str, int]]:
    """Map each recommendation's id to its surface before and after, rounded up, and what percentage is removed.

    A recommendation that changes no identity policy (a key, a password, a trust policy) has none.
    """
    inventory = Inventory(
        row.resource for rows in judgement.evidence.usage.values() for row in rows if row.calls and row.resource != "*"
    )
    known: dict[tuple[Document, ...], float] = {}

    def measure(changes: Sequence[PolicyChange]) -> float:
        documents = tuple(change.document for change in changes if change.kind != "trust")
        if documents not in known:
            known[documents] = inventory.surface(documents)
        return known[documents]

    found = {}
    for each in judgement.recommendations:
        if any(change.kind != "trust" for change in each.before):
            before, after = measure(each.before), measure(each.after)
            removed = math.floor(100 * (1 - after / before)) if before else 0
            found[each.id] = {
                "before": math.ceil(before),
                "after": math.ceil(after),
                "removed_percent": max(0, removed),
            }
    return found
