"""What binds a principal beside its own policies, and which of its permissions are granted in vain.

A permission works only where an identity policy grants it and the permissions boundary and every level of service
control policies allow it (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html).
Told strictly: only what is cut on every resource and in every context is in vain. What the snapshot does not hold
cuts nothing. Resource control policies are left out: they bind resources, which may be another organization's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from trailfit.catalog.actions import every, expand
from trailfit.errors import PolicyError
from trailfit.policy.document import Document
from trailfit.policy.grant import rules
from trailfit.policy.pattern import has_variables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from trailfit.model import Assumption, EffectiveGrant, ManagedPolicy, Principal
    from trailfit.policy.grant import Rule
    from trailfit.recommend.granted import Via


@dataclass(frozen=True)
class Limit:
    """One thing that must allow what a principal does: a boundary, a level of SCPs, the session policies."""

    name: str
    documents: tuple[Document, ...]

    @cached_property
    def _rules(self) -> tuple[tuple[Rule, ...], tuple[Rule, ...]]:
        found = rules(self.documents)
        return found.allows, found.denies

    @cached_property
    def is_open(self) -> bool:
        """Tell whether it plainly allows everything, as ``FullAWSAccess`` does."""
        return any(
            rule.actions.everything and rule.resources.everything and not rule.conditions for rule in self._rules[0]
        )

    def cuts(self, action: str, granted: Sequence[Rule]) -> str | None:
        """Say how it cuts an action off, on every resource that the rules `granted` give; None where it does not."""
        allows, denies = self._rules
        if denied(action, granted, denies):
            return f"{self.name} denies it"
        if self.is_open:
            return None
        here = [rule for rule in allows if action in _named(rule)]
        if any(_may_meet(mine, rule) for mine in granted for rule in here):
            return None
        return f"{self.name} does not allow it{' on what is granted' if here else ''}"


def denied(action: str, granted: Sequence[Rule], denies: Iterable[Rule]) -> bool:
    """Tell whether Deny statements without a condition take all that the rules `granted` give of an action."""
    plain = [rule for rule in denies if not rule.conditions and action in _named(rule)]
    return bool(granted and plain) and all(
        any(rule.resources.covers_set(mine.resources) for rule in plain) for mine in granted
    )


def _may_meet(one: Rule, other: Rule) -> bool:
    """Tell whether two statements may be about one resource; what a policy variable stands for may be anything."""
    patterns = (*one.resources.patterns, *other.resources.patterns)
    return any(has_variables(each) for each in patterns) or one.resources.may_meet(other.resources)


@lru_cache(maxsize=4096)
def _named(rule: Rule) -> frozenset[str]:
    """Give the catalogue's actions that a statement names."""
    listed = frozenset(action for pattern in rule.statement.actions for action in expand(pattern))
    return frozenset(every()) - listed if rule.statement.not_action else listed


class Bounds:
    """Everything that binds one principal. `sessions` are the policies that every session of the window had, if any."""

    def __init__(self, grant: EffectiveGrant | None, sessions: Limit | None = None) -> None:
        self.limits = tuple(limits(grant)) if grant else ()
        self._sessions = sessions
        identity = grant.identity if grant else ()
        self._denies = rules(policy.document for policy in identity if policy.document).denies

    def in_vain(self, action: str, ways: Sequence[Via]) -> str | None:
        """Say why no grant of `action` can be used today; None where one can, or where nobody knows."""
        if not self.limits and not self._denies and self._sessions is None:
            return None
        mine = [way.policy.document.rules[way.statement] for way in ways if way.policy.document]
        if denied(action, mine, self._denies):
            return "granted in vain: the principal's own policies deny it"
        for limit in self.limits:
            how = limit.cuts(action, mine)
            if how:
                return f"granted in vain: {how}"
        return None

    def out_of_sessions(self, action: str, ways: Sequence[Via]) -> str | None:
        """Say that the session policies of every session of the window cut the action off; None where not so."""
        if self._sessions is None:
            return None
        mine = [way.policy.document.rules[way.statement] for way in ways if way.policy.document]
        return self._sessions.cuts(action, mine)


def limits(grant: EffectiveGrant) -> Iterator[Limit]:
    """Give what binds a principal and is known."""
    if grant.boundary and grant.boundary.document:
        yield Limit(f"the permissions boundary {grant.boundary.name}", (grant.boundary.document,))
    for level in grant.scp or ():
        documents = tuple(policy.document for policy in level.policies if policy.document)
        if len(documents) == len(level.policies):
            names = ", ".join(policy.name for policy in level.policies) or "none is set"
            yield Limit(f"a service control policy of {level.name} ({names})", documents)


def levels_of(grant: EffectiveGrant) -> tuple[tuple[Document, ...], ...] | None:
    """Give the levels of SCPs as the evaluator takes them; None where there are none, or not all are known."""
    if not grant.scp or any(policy.document is None for level in grant.scp for policy in level.policies):
        return None
    return tuple(tuple(policy.document for policy in level.policies if policy.document) for level in grant.scp)


def session_limit(principal: Principal, seen: Sequence[Assumption], managed: Sequence[ManagedPolicy]) -> Limit | None:
    """Give what the session policies of all the role's sessions allow together; None where a session may have had none.

    Only where roles and users alone may take on the role, each time by a logged call that says the session policy, and
    every such policy can be read. https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session
    """
    if principal.trust is None or not seen or any(one.restricted < one.calls for one in seen):
        return None
    kinds = {kind for statement in principal.trust.statements for kind, _ in statement.principals or ()}
    if kinds != {"AWS"}:
        return None
    known = {
        policy.arn: version.document for policy in managed for version in policy.versions if version.default
    }  # fmt: skip
    documents = [known.get(arn) for one in seen for arn in one.policy_arns]
    for one in seen:
        for text in one.session_policies:
            try:
                documents.append(Document.parse(text))
            except PolicyError:
                return None
    if any(document is None for document in documents):
        return None
    return Limit("none of them", tuple(document for document in documents if document is not None))
