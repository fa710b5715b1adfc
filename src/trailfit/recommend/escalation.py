"""Ways by which a principal can gain rights that it was not given: published paths, put to the evaluator.

A path holds where each of its actions is allowed on what it needs: by the policies with their Deny, within the
boundary and the service control policies. A condition that the log cannot fill leaves it likely, not certain.
Sources: the rows of ``escalation_paths.csv``, each with its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from trailfit.catalog.actions import resource_types
from trailfit.catalog.risks import Step, escalation_paths
from trailfit.policy.evaluate import Request, every, grants
from trailfit.recommend.findings import SHOWN, make
from trailfit.recommend.granted import listed, statements

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from trailfit.catalog.risks import Confidence, EscalationPath
    from trailfit.model import Finding, Principal
    from trailfit.recommend.case import Case, Surroundings
    from trailfit.recommend.granted import Via

#: Roles that are tried for one service before a pass is taken for impossible: enough to find one that can be passed.
_TRIED = 50
_OTHER = {"other-role": "role", "other-user": "user", "other-group": "group"}


@dataclass(frozen=True, slots=True)
class Path:
    """A path that is open: whether for certain, and on what its actions are granted."""

    path: EscalationPath
    is_certain: bool
    on: Mapping[str, tuple[str, ...]]

    @property
    def actions(self) -> tuple[str, ...]:
        """Name the actions of the path."""
        return tuple(step.action for step in self.path.steps)


def find(
    principal: Principal, ways: Mapping[str, Sequence[Via]], around: Surroundings, today: date
) -> tuple[Path, ...]:
    """List the paths that are open to `principal` `today`, whose granted actions and their ways are `ways`."""
    found = []
    trial = _Trial(principal, ways, around, today)
    for path in escalation_paths():
        if not all(step.action in ways for step in path.steps):
            continue
        on = {step.action: trial.reach(step) for step in path.steps}
        if all(on.values()):
            certain = all(sure for reached in on.values() for _, sure in reached[:1])
            on_what = {action: tuple(name for name, _ in reached) for action, reached in on.items()}
            found.append(Path(path, certain, on_what))
    return tuple(found)


def findings(case: Case) -> Iterator[Finding]:
    """Give one finding for all paths that are open to a principal; those that usage needs are told apart."""
    paths = case.paths
    if not paths:
        return
    idle = [each for each in paths if not case.used_actions.issuperset(each.actions)]
    told = idle or list(paths)
    confidence: Confidence = "high" if any(each.is_certain for each in told) else "medium"
    writes = any(each.path.ends == "own" for each in told)
    yield make(
        "PrivilegeEscalation",
        case.arn,
        {
            "paths": [_told(each, case) for each in told[:SHOWN]],
            "paths_open": len(paths),
            "paths_that_usage_never_needed": len(idle),
            "actions_to_take_away": _unused(idle, case),
        },
        confidence=confidence,
        shift=(1 if writes else 0) if idle else -1,
        remedy=None
        if idle
        else "usage needs every action of these paths: put a permissions boundary on what it creates",
    )


def _told(path: Path, case: Case) -> dict[str, object]:
    return {
        "path": path.path.name,
        "actions": list(path.actions),
        "used": [action for action in path.actions if action in case.used_actions],
        "on": {action: list(names) for action, names in path.on.items()},
        "certain": path.is_certain,
        "published": path.path.source,
    }


def _unused(paths: Sequence[Path], case: Case) -> list[str]:
    actions = {action for path in paths for action in path.actions if action not in case.used_actions}
    return sorted(actions)[: 2 * SHOWN]


@cache
def _services() -> frozenset[str]:
    """Name the services that paths hand roles to."""
    return frozenset(step.on for path in escalation_paths() for step in path.steps if "." in step.on)


class _Trial:
    """Puts the steps of paths to the evaluator, each once."""

    def __init__(
        self, principal: Principal, ways: Mapping[str, Sequence[Via]], around: Surroundings, today: date
    ) -> None:
        # Sessions last half a day at most: one of today was issued today.
        now = f"{today.isoformat()}T12:00:00Z"
        self._times = {"aws:CurrentTime": now, "aws:TokenIssueTime": now}
        self._principal = principal
        self._ways = ways
        self._around = around
        self._documents = [policy.document for policy in principal.policies if policy.document]
        bound = principal.boundary.document if principal.boundary else None
        self._boundary = [bound] if bound else None
        self._above = around.control_policies(principal.account)
        self._partition = principal.arn.split(":")[1]
        self._known: dict[Step, list[tuple[str, bool]]] = {}

    def reach(self, step: Step) -> list[tuple[str, bool]]:
        """List some of what the step's action is granted on, certain ones first; empty where the step fails."""
        if step not in self._known:
            tried = [(written, self._allows(step, resource)) for written, resource in self._candidates(step)]
            # A service that no role of the snapshot trusts could only be handed a role that is still to come.
            certain = step.on not in _services() or bool(self._roles(step.on))
            allowed = {written: bool(verdict) and certain for written, verdict in tried if verdict is not False}
            self._known[step] = sorted(allowed.items(), key=lambda item: (not item[1], item[0]))[:SHOWN]
        return self._known[step]

    def _candidates(self, step: Step) -> Iterator[tuple[str, str]]:
        """Give what to try the action on: how it is written, and a resource that stands for it."""
        principal = self._principal
        own = principal.arn
        if step.on in ("self-role", "self-user"):
            if step.on == f"self-{principal.kind}":
                yield own, own
        elif step.on == "own-policy":
            yield from (
                (policy.arn, policy.arn)
                for policy in principal.policies
                if policy.arn and policy.kind == "customer_managed"
            )
        elif step.on == "own-group":
            groups = [self._around.groups.get((principal.account, name)) for name in principal.groups]
            yield from ((arn, arn) for arn in groups if arn)
        elif step.on in _OTHER or not step.on:
            yield from self._written(step.action, _OTHER.get(step.on, ""))
        else:
            yield from self._passable(step)

    def _passable(self, step: Step) -> Iterator[tuple[str, str]]:
        """Give the roles that the service could be handed; none in the snapshot: any role that might come."""
        roles = self._roles(step.on)
        if roles:
            yield from ((role, role) for role in roles)
        else:
            yield from ((written, arn) for written, arn in self._written(step.action, "role") if "*" in written)

    def _roles(self, service: str) -> list[str]:
        """List roles of the account that the service may assume, the principal's own apart."""
        roles = self._around.trusting.get((self._principal.account, service), ())
        return [role for role in roles if role != self._principal.arn][:_TRIED]

    def _written(self, action: str, kind: str) -> Iterator[tuple[str, str]]:
        """Give the resource patterns that the action is granted on, each with a resource that it matches."""
        for written in sorted({each for way in self._ways[action] for each in _patterns(way)}):
            resource = self._stand_in(action, kind) if written == "*" else _filled(written)
            is_other = resource != self._principal.arn and "${" not in resource
            if is_other and (not kind or f":{kind}/" in resource):
                yield written, resource

    def _stand_in(self, action: str, kind: str) -> str:
        """Make up a resource of the kind (or of a type that the action takes) of the principal's account."""
        if kind:
            return f"arn:{self._partition}:iam::{self._principal.account}:{kind}/any"
        types = resource_types(action)
        if not types:
            return "*"
        arn = types[0].arn
        for name, value in (
            ("Partition", self._partition),
            ("Region", "us-east-1"),
            ("Account", self._principal.account),
        ):
            arn = arn.replace(f"${{{name}}}", value)
        while "${" in arn:
            head, _, rest = arn.partition("${")
            arn = f"{head}any{rest.partition('}')[2]}"
        return arn

    def _allows(self, step: Step, resource: str) -> bool | None:
        principal = self._principal
        context: dict[str, Any] = {
            "aws:PrincipalArn": principal.arn,
            "aws:PrincipalAccount": principal.account,
            **self._times,
        }
        if principal.kind == "user":
            context["aws:username"] = principal.name
        if step.action == "iam:PassRole":
            context["iam:PassedToService"] = step.on
        request = Request(principal.arn, step.action, resource, context, principal.account, context_complete=False)
        levels = (grants(request, level) for level in self._above)
        return every((grants(request, self._documents, self._boundary), *levels))


def _patterns(way: Via) -> list[str]:
    """List the resource patterns of the statement that a way goes through; ``*`` for a NotResource."""
    statement = statements(way.policy)[way.statement]
    return ["*"] if "NotResource" in statement else listed(statement.get("Resource"))


def _filled(pattern: str) -> str:
    """Make a resource that a pattern matches."""
    return pattern.replace("*", "any").replace("?", "x")
