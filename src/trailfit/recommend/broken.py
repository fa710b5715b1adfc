"""Findings about calls that were denied since a change of trailfit's own was merged, and because of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trailfit.recommend.findings import make

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from trailfit.model import Denied, Finding


def findings(denied: Iterable[Denied], merged: datetime) -> list[Finding]:
    """Give a finding for each resource on which one principal was denied what the change, `merged` then, took away."""
    by_resource: dict[str, list[Denied]] = {}
    for row in denied:
        by_resource.setdefault(row.resource, []).append(row)
    return [
        make(
            "DeniedAfterChange",
            rows[0].principal,
            {
                "actions": sorted({row.action for row in rows}),
                "calls": sum(row.calls for row in rows),
                "last": max(row.last for row in rows if row.last).date().isoformat(),
                "merged": merged.date().isoformat(),
            },
            confidence="high",
            resource=resource,
        )
        for resource, rows in sorted(by_resource.items())
    ]
