"""The law, prepared for many requests to the same policies.

`Authorizer.decide` gives what `evaluate` gives. What does not depend on the request is worked out once: which
statements name an action (kept per action), their resources as one regular expression, which conditions need a look.
Only how one place is read is replaced; how the places come together is the law's own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from trailfit.policy import pattern, principal
from trailfit.policy.evaluate import (
    NOTHING,
    Decision,
    Finding,
    Policies,
    Request,
    Tri,
    action_matches,
    conditions_hold,
    evaluate,
    grants,
    place,
    resource_matches,
)
from trailfit.policy.principal import Match

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trailfit.policy.document import Document, Statement

#: Actions whose statements are remembered; past this the memory is emptied, so that it stays small.
_ACTIONS_KEPT = 4096


class _Row(NamedTuple):
    """A statement of one place, prepared. `resources` is None where the law itself must look (policy variables)."""

    where: str
    statement: Statement
    allow: bool
    resources: re.Pattern[str] | None
    listed_means: bool
    free: bool


class Authorizer:
    """Decides requests to the same policies."""

    def __init__(self, policies: Policies) -> None:
        self._policies = policies
        self._rows: dict[tuple[str, str], tuple[_Row, ...]] = {}

    def decide(self, request: Request) -> Decision:
        """Decide the request, as `evaluate` does."""
        return evaluate(request, self._policies, self._find)

    def grants(self, request: Request) -> Tri:
        """Tell whether the identity policies, within the boundary, allow the request, as the law's `grants` does."""
        return grants(request, self._policies.identity, self._policies.boundary, self._find)

    def _find(
        self, documents: Sequence[Document], request: Request, name: str, *, complete: bool, bounded: bool = False
    ) -> Finding:
        if not documents:
            return NOTHING
        rows = self._rows.get((name, request.action))
        if rows is None:
            if len(self._rows) >= _ACTIONS_KEPT:
                self._rows.clear()
            rows = self._rows[name, request.action] = tuple(_prepared(documents, request.action, name, complete))
        return _read(rows, request, complete, bounded)


def _prepared(documents: Sequence[Document], action: str, name: str, complete: bool) -> list[_Row]:
    """List the statements that name the action."""
    return [
        _Row(
            f"{place(name, number)}.{statement.name}",
            statement,
            statement.effect == "Allow",
            _resources(statement, complete),
            not statement.not_resource,
            not statement.conditions,
        )
        for number, document in enumerate(documents)
        for statement in document.statements
        if action_matches(statement, action)
    ]


def _resources(statement: Statement, complete: bool) -> re.Pattern[str] | None:
    """Make one expression of the statement's resources; None where policy variables stand in them."""
    if statement.resources is None:
        return None
    read = [
        pattern.arn(pattern.tokens(each, variables=statement.variables), complete=complete)
        for each in statement.resources
    ]
    known = [each for each in read if each is not None]
    if any(pattern.has_variables(each) for each in known):
        return None
    return re.compile("|".join(pattern.compiled(each).pattern for each in known) if known else r"(?!)")


def _read(rows: Sequence[_Row], request: Request, complete: bool, bounded: bool) -> Finding:
    """Read prepared statements of one place."""
    allow: Tri = False
    deny: Tri = False
    by: dict[Match, Tri] = {}
    allowing: list[str] = []
    denying: list[str] = []
    left_open: list[str] = []
    for where, statement, is_allow, resources, listed_means, free in rows:
        match = Match.DIRECT
        if statement.principals is not None:
            match = principal.match(statement, request.principal, bounded=bounded)
        if match is Match.NONE:
            continue
        applied: Tri
        if resources is None:
            applied = resource_matches(statement, request, complete=complete)
        else:
            applied = (resources.match(request.resource) is not None) is listed_means
        if applied is not False and not free:
            held = conditions_hold(statement, request)
            applied = held if applied or held is False else None
        if applied is False:
            continue
        if applied is None:
            left_open.append(where)
            if is_allow:
                allow = allow or None
                by.setdefault(match, None)
            else:
                deny = deny or None
        elif is_allow:
            allow = by[match] = True
            allowing.append(where)
        else:
            deny = True
            denying.append(where)
    return Finding(
        allow, deny, by.get(Match.DIRECT, False), by.get(Match.ROLE, False), by.get(Match.ACCOUNT, False),
        allowing, denying, left_open,
    )  # fmt: skip
