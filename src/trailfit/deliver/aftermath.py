"""Find the calls that were denied to a role since a change of ours was merged, and because of it.

A denial is the change's doing where the policies that went allowed the call, those that came do not, and the same was
not denied before: what a guardrail or a resource policy denies, it denied all along.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trailfit import sql
from trailfit.errors import PolicyError
from trailfit.policy.containment import still_allows
from trailfit.policy.document import Document
from trailfit.policy.evaluate import Request

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime

    from duckdb import DuckDBPyConnection

    from trailfit.deliver.state import Memory, Proposal


@dataclass(frozen=True, slots=True)
class Denial:
    """One action on one resource that a merged change took away and that was asked for since.

    `before` and `after` are the policies of that change as in ``recommendations.json``; `merged` its time (UTC).
    """

    principal: str
    action: str
    resource: str
    calls: int
    first: datetime
    last: datetime
    example_event: str
    merged: datetime
    before: tuple[Mapping[str, Any], ...]
    after: tuple[Mapping[str, Any], ...]


def denied_since(con: DuckDBPyConnection, memory: Memory, first: date, last: date) -> list[Denial]:
    """Return what was denied between two days (both inclusive) because of a change that was merged, sorted."""
    changes = {arn: rows[-1] for arn, rows in memory.merged().items()}
    if not changes:
        return []
    rows = sql.run(
        con,
        "denied_since",
        changes="\n".join(f"{when.isoformat()}={arn}" for arn, (when, _) in changes.items()),
        from_day=first,
        to_day=last,
    ).fetchall()
    found = []
    for principal, action, resource, calls, before, first_denied, last_denied, event in rows:
        when, proposal = changes[principal]
        if not before and _took_away(proposal, action, resource):
            places = (calls, first_denied, last_denied, event, when, proposal.before, proposal.after)
            found.append(Denial(principal, action, resource, *places))
    return found


def _took_away(proposal: Proposal, action: str, resource: str) -> bool:
    request = Request(proposal.principal, action, resource, context_complete=False)
    try:
        old, new = (_documents(policies) for policies in (proposal.before, proposal.after))
    except PolicyError:
        return False
    return not still_allows(old, [request]) and bool(still_allows(new, [request]))


def _documents(policies: Iterable[Mapping[str, Any]]) -> list[Document]:
    return [Document.parse(policy["document"]) for policy in policies]
