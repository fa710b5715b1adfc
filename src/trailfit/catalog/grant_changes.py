"""Which calls change what a role, user, group or policy grants, and where their parameters say whose."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal, cast

from trailfit.catalog.tables import rows


@dataclass(frozen=True, slots=True)
class Changing:
    """An operation that changes grants: `name` and `policy` are the request parameters that say whose and which."""

    kind: str
    name: str
    policy: str | None
    changes: Literal["grants", "boundary", "trust"]


@cache
def changing() -> dict[str, Changing]:
    """Map the names of the events to what they change.

    >>> changing()["PutRolePolicy"].policy
    'policyName'
    """
    return {
        row["event_name"]: Changing(
            row["kind"],
            row["name"],
            row["policy"] or None,
            cast("Literal['grants', 'boundary', 'trust']", row["changes"]),
        )
        for row in rows("grant_changes")
    }
