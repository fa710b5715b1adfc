"""The effective grant of each principal: every path by which it is granted or bound, put together.

Identity policies (inline, attached, through groups) are a union; boundary, SCPs and RCPs each bound it
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html). A guardrail that is
not known bounds nothing here: taking one away never takes a permission away, so a "not granted" stays right.
"""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from trailfit.model import EffectiveGrant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from trailfit.model import AttachedPolicy, Principal, Snapshot
    from trailfit.policy.document import Document


def grants(snapshot: Snapshot, consolidate: Iterable[str] = ()) -> dict[str, EffectiveGrant]:
    """Return the effective grant of each principal of a snapshot, by ARN.

    Roles of one permission set are one family across accounts; roles of other accounts are, when their name fits one of
    the patterns in `consolidate` (``deploy-*``).
    """
    guardrails = {one.account: one for one in snapshot.guardrails}
    families = _families(snapshot, tuple(consolidate))
    found = {}
    for principal in snapshot.principals:
        above = guardrails.get(principal.account)
        found[principal.arn] = EffectiveGrant(
            principal=principal.arn,
            identity=principal.policies,
            boundary=principal.boundary,
            scp=above.scp if above else None,
            rcp=above.rcp if above else None,
            duplicates=_duplicates(principal.policies),
            unknown=tuple(_unknown(principal)),
            family=families.get(principal.arn),
        )
    return found


def members(effective: Mapping[str, EffectiveGrant]) -> dict[str, tuple[str, ...]]:
    """Return the principals of each family, by its name."""
    found: dict[str, list[str]] = {}
    for arn, grant in sorted(effective.items()):
        if grant.family is not None:
            found.setdefault(grant.family, []).append(arn)
    return {name: tuple(arns) for name, arns in sorted(found.items())}


def _families(snapshot: Snapshot, consolidate: tuple[str, ...]) -> dict[str, str]:
    named = {
        principal.arn: principal.path + principal.name
        for principal in snapshot.principals
        if principal.kind == "role" and any(fnmatchcase(principal.name, pattern) for pattern in consolidate)
    }
    return named | {role: one.arn for one in snapshot.permission_sets for role in one.roles}


def _unknown(principal: Principal) -> Iterator[str]:
    for policy in principal.policies:
        if policy.document is None:
            yield f"the document of {policy.arn or policy.name or f'what group {policy.group} grants'}"
    if principal.boundary and principal.boundary.document is None:
        yield f"the document of the boundary {principal.boundary.arn or principal.boundary.name}"


def _duplicates(policies: tuple[AttachedPolicy, ...]) -> tuple[tuple[str, ...], ...]:
    """Return the policies that say the same in the same statements, whatever their order and Sids."""
    same: dict[str, set[str]] = {}
    for policy in policies:
        if policy.document is not None:
            via = f" of {policy.group}" if policy.group and not policy.arn else ""
            same.setdefault(_said(policy.document), set()).add((policy.arn or policy.name) + via)
    return tuple(sorted(tuple(sorted(names)) for names in same.values() if len(names) > 1))


def _said(document: Document) -> str:
    """Return a text that is equal for documents that differ in Sids, Id, order and one-value lists only."""
    written = document.raw["Statement"]
    statements = written if isinstance(written, list) else [written]
    return json.dumps([document.version, *sorted(json.dumps(_plain(one), sort_keys=True) for one in statements)])


def _plain(statement: Mapping[str, Any]) -> dict[str, Any]:
    lists = ("Action", "NotAction", "Resource", "NotResource")
    return {
        name: sorted([value] if isinstance(value, str) else value) if name in lists else value
        for name, value in statement.items()
        if name != "Sid"
    }
