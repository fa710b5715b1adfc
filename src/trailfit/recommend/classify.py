"""Give every permission granted today exactly one class, and say why.

``used``: the log shows an allowed call. ``unused``: the log would have shown one and did not.
``undetermined``: the log could not have shown one, or the permission is too young to tell. ``kept``: a rule
keeps it. What is not known is never called unused.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from trailfit.catalog.actions import is_action
from trailfit.catalog.judgement import acting, blind
from trailfit.model import Permission, PermissionClass
from trailfit.recommend.rhythm import Rhythms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from trailfit.model import AttachedPolicy, Evidence, LastAccessed, Principal, Usage
    from trailfit.recommend.age import Ages
    from trailfit.recommend.bounds import Bounds
    from trailfit.recommend.granted import Via
    from trailfit.recommend.runtime import RuntimeNeed

#: How far IAM's last accessed data may lag behind the log; a day is generous.
_LAG = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Judged:
    """A permission with its class, whether the proposal still holds it, and whether leaving it out is a risk.

    `carried` is True for what is used or kept, and for what the log cannot tell about where anything speaks for
    it. Where leaving it out could break a call that no log shows, `risk` says which. `in_vain`: the grant cannot be
    used today, whatever the log shows, for a boundary, a service control policy or a Deny cuts it off.
    """

    permission: Permission
    carried: bool
    risk: str | None = None
    in_vain: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands around a principal's own policies: what binds it, how old it and its grants are.

    `taken` is when the snapshot was taken: until then reaches IAM's own record.
    """

    bounds: Bounds
    ages: Ages
    taken: datetime


def classify(
    principal: Principal,
    grants: Mapping[str, Sequence[Via]],
    uses: Mapping[str, Sequence[Usage]],
    evidence: Evidence,
    runtime: Mapping[str, RuntimeNeed],
    standing: Standing,
) -> dict[str, Judged]:
    """Judge each granted action of `principal`.

    `uses` holds its counted uses by action, `runtime` what the functions that run as it need besides, `standing` what
    binds it and since when its grants are there.
    """
    touched = frozenset(action.partition(":")[0] for action in uses)
    reached = _last_accessed(principal.last_accessed)
    rhythms = Rhythms(evidence.action_days.get(principal.arn, {}), evidence.window)
    context = _Context(principal, evidence, grants, touched, reached, _trusted_services(principal), standing, rhythms)
    judged = {}
    for action, ways in grants.items():
        if action in uses:
            judged[action] = Judged(_used(action, ways, uses[action], context), carried=True)
        elif action in runtime:
            judged[action] = Judged(Permission(action, "kept", runtime[action].reason), carried=True)
        else:
            judged[action] = _silent(action, ways, context)
    return judged


def _used(action: str, ways: Sequence[Via], rows: Sequence[Usage], context: _Context) -> Permission:
    calls = sum(row.calls for row in rows)
    first = min(row.first_used for row in rows if row.first_used)
    last = max(row.last_used for row in rows if row.last_used)
    roles = {row.role for row in rows}
    how = "used" if roles & {"required"} else f"needed by calls that were made ({', '.join(sorted(roles))})"
    vain = context.standing.bounds.in_vain(action, ways)
    return Permission(
        action,
        "used",
        f"{how} {calls} times on {len(rows)} resource{'s' if len(rows) != 1 else ''}"
        + (f"; today {vain}" if vain else ""),
        calls=calls,
        first_used=first,
        last_used=last,
        resources=tuple(sorted({row.resource for row in rows})),
        example_event=min((row.first_used, row.example_event or "") for row in rows if row.first_used)[1] or None,
        last_accessed=(context.reached or {}).get(action),
        contradiction=_unseen_by_iam(action, rows, context),
    )


def _unseen_by_iam(action: str, rows: Sequence[Usage], context: _Context) -> str | None:
    """Say that IAM's last accessed data of this action lack a use that the log shows, made well before they were made.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html: recent activity usually appears
    within four hours.
    """
    first = min(row.first_used for row in rows if row.first_used)
    if context.reached is None or action not in context.reached or not any(row.role == "required" for row in rows):
        return None
    seen = context.reached[action]
    if first + _LAG > context.standing.taken or (seen is not None and seen.date() >= first.date()):
        return None
    told = f"only on {seen.date()}" if seen else "never"
    return f"the log shows it used on {first.date()}; IAM's last accessed data saw it {told}"


@dataclass(frozen=True)
class _Context:
    """What judging any action of one principal needs to know of the principal as a whole."""

    principal: Principal
    evidence: Evidence
    grants: Mapping[str, Sequence[Via]]
    touched: frozenset[str]
    reached: Mapping[str, datetime | None] | None
    trusted: frozenset[str]
    standing: Standing
    rhythms: Rhythms

    @cached_property
    def _young(self) -> dict[int, str | None]:
        return {}

    def young(self, policy: AttachedPolicy) -> str | None:
        """Say that what a policy grants is too young to judge; worked out once a policy."""
        if id(policy) not in self._young:
            self._young[id(policy)] = self.standing.ages.of_grant(policy)
        return self._young[id(policy)]

    @property
    def is_logged(self) -> bool:
        """Tell whether the account's log is whole, as far as it goes: else nothing at all is called unused."""
        account = self.principal.account
        return self.evidence.gaps.get(account) == () and not self.evidence.unread.get(account)

    def is_in_use(self, service: str) -> bool:
        """Tell whether the log, or IAM's last accessed data, shows the service used in the window."""
        last = (self.reached or {}).get(service)
        return service in self.touched or (last is not None and last.date() >= self.evidence.window.first)

    @cached_property
    def blind_services(self) -> frozenset[str]:
        """Name the services of which some granted action could have been used without any event."""
        account = self.principal.account
        return frozenset(
            action.partition(":")[0] for action in self.grants if not self.evidence.silence(account, action).is_evidence
        )


def _silent(action: str, ways: Sequence[Via], context: _Context) -> Judged:
    """Judge an action that no event of the window shows."""
    principal, standing = context.principal, context.standing
    newborn = standing.ages.of_principal()
    if newborn:
        return _open(action, f"the {principal.kind} was {newborn.removesuffix(': too young to judge')}")
    young = [context.young(way.policy) for way in ways]
    if all(young):
        return _open(action, young[0] or "")
    silence = context.evidence.silence(principal.account, action)
    service = action.partition(":")[0]
    reached = context.reached
    last = _contradiction(action, service, context) if silence.is_evidence else None
    if last is not None:
        told = f"IAM saw it used on {last.date()}, but no event of the window shows it"
        return Judged(Permission(action, "undetermined", told, last_accessed=last, contradiction=told), carried=True)
    vain = standing.bounds.in_vain(action, ways)
    if vain:
        cls: PermissionClass = "unused" if silence.is_evidence else "undetermined"
        return Judged(Permission(action, cls, f"{silence.reason}; {vain}"), carried=False, in_vain=True)
    if silence.is_evidence:
        awaited = context.rhythms.awaited(action)
        if awaited:
            return _open(action, awaited)
        if context.rhythms.open:
            # An intention speaks for it; of what only a sweeping wildcard grants, a person must say.
            meant = not all(way.is_sweeping for way in ways)
            if meant:
                return _open(action, context.rhythms.open)
            return _gone(action, "undetermined", context.rhythms.open, None, context.rhythms.open)
        return _gone(action, "unused", silence.reason, (reached or {}).get(action), None)
    apart = standing.bounds.out_of_sessions(action, ways)
    if apart:
        reason = f"{silence.reason}; every session of the window had a session policy, and {apart}"
        return Judged(Permission(action, "undetermined", reason), carried=False, in_vain=True)
    hidden = blind(action) or (silence.reason if silence.kind == "uncovered" else None)
    if hidden and context.is_logged and reached is not None and service in reached and reached[service] is None:
        # Only of calls: a permission that is checked within another service's call is not its service's use.
        reason = f"IAM's last accessed data has never seen {service} used by this {principal.kind}"
        return Judged(Permission(action, "unused", reason), carried=False)
    if _is_intended(action, ways, context, hidden):
        return _open(action, silence.reason)
    reason = f"{silence.reason}; nothing but a wildcard grants it, so it is left out"
    return _gone(action, "undetermined", reason, None, hidden and f"{service}: {hidden}")


def _is_intended(action: str, ways: Sequence[Via], context: _Context, hidden: str | None) -> bool:
    """Tell whether anything speaks for keeping an action that no log can show.

    Its own name in a policy does, and so does a pattern of which the catalogue knows nothing. A wildcard does where
    calls that need the action may be made unseen (`hidden`) and the team wrote it for this service, or the service is
    in use. Other permission-only actions are checked beside calls that are logged, or when the service itself wears
    the role: then its trust policy names it.
    """
    service = action.partition(":")[0]
    if any(way.is_named for way in ways) or not is_action(action):
        return True
    if hidden:
        return context.is_in_use(service) or not all(way.is_sweeping for way in ways)
    return any(action in acting(worn_by) for worn_by in context.trusted)


def _contradiction(action: str, service: str, context: _Context) -> datetime | None:
    """Give when IAM saw a use that the log should have shown and did not; None where nothing contradicts it.

    A service is seen used by any call of it: where some of its calls may be unseen, that explains it.
    """
    reached, start = context.reached, context.evidence.window.first
    if not reached:
        return None
    last = reached.get(action)
    if last is None and action not in reached and service not in context.touched | context.blind_services:
        last = reached.get(service)
    return last if last is not None and last.date() >= start else None


@lru_cache(maxsize=65536)
def _open(action: str, reason: str) -> Judged:
    """Leave an action open: nobody can tell, so it stays. The same for all whom it concerns: there are many."""
    return Judged(Permission(action, "undetermined", reason), carried=True)


@lru_cache(maxsize=65536)
def _gone(action: str, cls: PermissionClass, reason: str, last_accessed: datetime | None, risk: str | None) -> Judged:
    """Leave an action out. The same for all whom it concerns: a bare star grants 20,000 to each."""
    return Judged(Permission(action, cls, reason, last_accessed=last_accessed), carried=False, risk=risk)


def _last_accessed(rows: Sequence[LastAccessed] | None) -> dict[str, datetime | None] | None:
    """Index last accessed data by service and, where it has them, by action. None when there is no data."""
    if rows is None:
        return None
    return {row.action or row.service: row.last for row in rows}


def _trusted_services(principal: Principal) -> frozenset[str]:
    """Name the services that may assume a role (``s3.amazonaws.com``)."""
    if principal.trust is None:
        return frozenset()
    return frozenset(
        value
        for statement in principal.trust.statements
        for kind, value in statement.principals or ()
        if statement.effect == "Allow" and kind == "Service"
    )
