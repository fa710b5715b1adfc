"""After a proposal was merged: which denied calls it caused, and the smallest change that gives them back.

A call that is denied since, that the policies before would have allowed and today's do not, was lost by the proposal.
What restores it is cut from the policies before, to just those actions and resources, and added to today's: more than
today's, and within what there was before, both proved.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trailfit.errors import ProofError
from trailfit.model import AttachedPolicy, PolicyChange, Recommendation
from trailfit.policy.document import Document
from trailfit.policy.evaluate import Request, grants
from trailfit.recommend import rollback
from trailfit.recommend.findings import identify
from trailfit.recommend.fit import Needs, fit, merge
from trailfit.recommend.gate import prove_no_new_access, prove_still_allows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from trailfit.model import Denied, Principal

#: What the inline policy is called that gives back, where no policy of the proposal is left to add to.
RESTORED = "restored"
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Merged:
    """A proposal that was merged: `before` and `after` as `recommendations.json` holds them, and on which day."""

    principal: str
    before: tuple[Mapping[str, Any], ...]
    after: tuple[Mapping[str, Any], ...]
    on: date


def lost(merged: Merged, principal: Principal, denied: Sequence[Denied]) -> tuple[Denied, ...]:
    """Give those of the `denied` calls since that the policies before the proposal would have allowed."""
    today, old = _documents(principal), _old(merged, principal)
    found = []
    for row in denied:
        if row.last is None or row.last.date() < merged.on:
            continue
        request = _request(principal, row)
        if grants(request, today) is False and grants(request, old) is not False:
            found.append(row)
    return tuple(sorted(found, key=lambda row: (-row.calls, row.action, row.resource, row.message or "")))


def restoring(merged: Merged, principal: Principal, denied: Sequence[Denied]) -> Recommendation | None:
    """Propose the smallest change that gives back what was lost, or None where nothing was.

    It is never safe unattended: whether the calls were legitimate, a person must say. Raises ProofError when a proof
    fails: the new policies must hold all that today's grant, and nothing that those before did not.
    """
    gone = lost(merged, principal, denied)
    if not gone:
        return None
    uses: dict[str, set[str]] = defaultdict(set)
    for row in gone:
        uses[row.action].add(row.resource)
    needs = Needs({action: sorted(resources) for action, resources in sorted(uses.items())}, {})
    cut = [
        statement
        for statement in merge(fit([_attached(each) for each in merged.before], needs))
        if statement["Effect"] == "Allow"
    ]
    before, after = _change(merged, principal, cut)
    today, old = _documents(principal), _old(merged, principal)
    untouched = [
        policy.document
        for policy in principal.policies
        if policy.document and (policy.kind, policy.name) not in {(each.kind, each.name) for each in before}
    ]
    new = [*untouched, after.document]
    nothing_new = prove_no_new_access(new, old)
    contains = prove_no_new_access(today, new)
    still = prove_still_allows(new, old, [_request(principal, row) for row in gone])
    if nothing_new.holds is False or contains.holds is False or not still.holds:
        wrong = nothing_new.counterexample or contains.counterexample or still.denied[:3]
        raise ProofError(f"what would restore calls failed its proof: {wrong}", where=principal.arn)
    return Recommendation(
        id=identify("restore", principal.arn),
        principal=principal.arn,
        action="RESTORE_ACCESS",
        finding_ids=(),
        disposition="unsafe",
        reasons=tuple(_reasons(merged, gone)),
        before=before,
        after=(after,),
        permissions=(),
        no_new_access=nothing_new,
        still_allows=still,
        rollback=rollback.steps(principal, before, (after,)),
        explanations=tuple((row.action, f"{row.calls} calls denied on {row.resource}") for row in gone),
    )


def _reasons(merged: Merged, gone: Sequence[Denied]) -> list[str]:
    calls = sum(row.calls for row in gone)
    since = f"since the proposal was merged on {merged.on}"
    told = [f"{since}, {calls:,} calls were denied that the policies before it allowed: if legitimate, give them back"]
    told += [
        f"{row.action} on {row.resource}: {row.calls:,} calls, last on {row.last:%Y-%m-%d}" for row in gone[:_SHOWN]
    ]
    if len(gone) > _SHOWN:
        told.append(f"and {len(gone) - _SHOWN} more")
    return told


def _change(
    merged: Merged, principal: Principal, cut: list[dict[str, Any]]
) -> tuple[tuple[PolicyChange, ...], PolicyChange]:
    """Add `cut` to the policy that the proposal wrote, if it is still there, else to one of its own."""
    written = {(each["kind"], each["name"]) for each in merged.after}
    for policy in principal.policies:
        if (policy.kind, policy.name) in written and policy.document and policy.group is None:
            raw = dict(policy.document.raw)
            held = raw["Statement"] if isinstance(raw["Statement"], list) else [raw["Statement"]]
            new = Document.parse({**raw, "Statement": [*held, *_apart(held, cut)]})
            before = PolicyChange(policy.kind, policy.name, policy.document, policy.arn)
            return (before,), PolicyChange(policy.kind, policy.name, new, policy.arn)
    document = Document.parse({"Version": "2012-10-17", "Statement": cut})
    taken = {policy.name for policy in principal.policies}
    name = next(each for each in (RESTORED, *(f"{RESTORED}{n}" for n in range(2, 99))) if each not in taken)
    return (), PolicyChange("inline", name, document)


def _apart(held: Sequence[Mapping[str, Any]], cut: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Drop the Sids that the policy has already: each must be unique."""
    taken = {each.get("Sid") for each in held}
    return [{key: value for key, value in each.items() if key != "Sid" or value not in taken} for each in cut]


def _attached(change: Mapping[str, Any]) -> AttachedPolicy:
    return AttachedPolicy(
        change["kind"], change["name"], change.get("arn"), Document.parse(json.dumps(change["document"]))
    )


def _documents(principal: Principal) -> list[Document]:
    return [policy.document for policy in principal.policies if policy.document]


def _old(merged: Merged, principal: Principal) -> list[Document]:
    """Give the policies before the proposal: today's less what it wrote, and what it took."""
    written = {(each["kind"], each["name"]) for each in merged.after}
    stayed = [
        policy.document
        for policy in principal.policies
        if policy.document and (policy.kind, policy.name) not in written
    ]
    return [*stayed, *(Document.parse(json.dumps(each["document"])) for each in merged.before)]


def _request(principal: Principal, row: Denied) -> Request:
    context = {"aws:PrincipalArn": principal.arn, "aws:PrincipalAccount": principal.account}
    return Request(principal.arn, row.action, row.resource, context, principal.account, context_complete=False)
