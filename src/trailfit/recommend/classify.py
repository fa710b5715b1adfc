"""Give every permission granted today exactly one class, and say why.

``used``: the log shows an allowed call. ``unused``: the log would have shown one and did not.
``undetermined``: the log could not have shown one, or the permission is too young to tell. ``kept``: a rule
keeps it. What is not known is never called unused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trailfit.catalog.judgement import blind_services
from trailfit.model import Permission

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from trailfit.model import Evidence, LastAccessed, Principal, Usage
    from trailfit.recommend.granted import Via
    from trailfit.recommend.runtime import RuntimeNeed


@dataclass(frozen=True, slots=True)
class Judged:
    """A permission with its class, whether the proposal still holds it, and whether leaving it out is a risk.

    `carried` is True for what is used or kept and for what the log cannot tell about, but for one case: an
    undetermined action that only a sweeping wildcard grants may be left out. Where that could break something
    that no log shows, `risk` says what.
    """

    permission: Permission
    carried: bool
    risk: str | None = None


def classify(
    principal: Principal,
    grants: Mapping[str, Sequence[Via]],
    uses: Mapping[str, Sequence[Usage]],
    evidence: Evidence,
    runtime: Mapping[str, RuntimeNeed],
) -> dict[str, Judged]:
    """Judge each granted action of `principal`.

    `uses` holds its counted uses by action, `runtime` what the functions that run as it need besides.
    """
    touched = {action.partition(":")[0] for action in uses}
    reached = _last_accessed(principal.last_accessed)
    judged = {}
    for action, ways in grants.items():
        if action in uses:
            judged[action] = Judged(_used(action, uses[action]), carried=True)
        elif action in runtime:
            judged[action] = Judged(Permission(action, "kept", runtime[action].reason), carried=True)
        else:
            judged[action] = _silent(principal, action, ways, touched, reached, evidence)
    return judged


def _used(action: str, rows: Sequence[Usage]) -> Permission:
    calls = sum(row.calls for row in rows)
    first = min(row.first_used for row in rows if row.first_used)
    last = max(row.last_used for row in rows if row.last_used)
    roles = {row.role for row in rows}
    how = "used" if roles & {"required"} else f"needed by calls that were made ({', '.join(sorted(roles))})"
    return Permission(
        action,
        "used",
        f"{how} {calls} times on {len(rows)} resource{'s' if len(rows) != 1 else ''}",
        calls=calls,
        first_used=first,
        last_used=last,
        resources=tuple(sorted({row.resource for row in rows})),
        example_event=min((row.first_used, row.example_event or "") for row in rows if row.first_used)[1] or None,
    )


def _silent(
    principal: Principal,
    action: str,
    ways: Sequence[Via],
    touched: set[str],
    reached: Mapping[str, datetime | None] | None,
    evidence: Evidence,
) -> Judged:
    """Judge an action that no event of the window shows."""
    start = evidence.window.first
    if _younger(principal.created, start):
        created = principal.created.date() if principal.created else None
        return _open(action, f"the {principal.kind} was created on {created}, within the window")
    young = [way.policy.name for way in ways if way.policy.kind != "aws_managed" and _younger(_changed(way), start)]
    if young and len(young) == len(ways):
        return _open(action, f"granted by {young[0]}, which changed within the window")
    silence = evidence.silence(principal.account, action)
    service = action.partition(":")[0]
    last = _reach(reached, service, action)
    if silence.is_evidence:
        if reached and last is not None and last.date() >= start and service not in touched:
            return _open(action, f"IAM last saw {service} used on {last.date()}, but no event of the window shows it")
        return Judged(Permission(action, "unused", silence.reason), carried=False)
    if reached is not None and service in reached and last is None:
        reason = f"IAM's last accessed data has never seen {service} used by this {principal.kind}"
        return Judged(Permission(action, "unused", reason), carried=False)
    if not all(way.is_sweeping for way in ways):
        return _open(action, silence.reason)
    if silence.kind == "uncovered" and service in touched:
        return _open(action, silence.reason)
    blind = blind_services().get(service)
    if silence.kind == "uncovered":
        blind = silence.reason
    left_out = Permission(action, "undetermined", f"{silence.reason}; granted by a wildcard only, so left out")
    return Judged(left_out, carried=False, risk=f"{service}: {blind}" if blind else None)


def _open(action: str, reason: str) -> Judged:
    """Leave an action open: nobody can tell, so it stays."""
    return Judged(Permission(action, "undetermined", reason), carried=True)


def _changed(way: Via) -> datetime | None:
    return way.policy.updated or way.policy.created


def _younger(when: datetime | None, start: date) -> bool:
    return when is not None and when.date() > start


def _last_accessed(rows: Sequence[LastAccessed] | None) -> dict[str, datetime | None] | None:
    """Index last accessed data by service and, where it has them, by action. None when there is no data."""
    if rows is None:
        return None
    return {row.action or row.service: row.last for row in rows}


def _reach(reached: Mapping[str, datetime | None] | None, service: str, action: str) -> datetime | None:
    if not reached:
        return None
    return reached[action] if action in reached else reached.get(service)
