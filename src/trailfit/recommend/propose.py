"""Turn judged permissions into new policies, and let nothing leave without its two proofs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from trailfit.errors import PolicyError, ProofError
from trailfit.model import PolicyChange, Proof, Recommendation
from trailfit.policy.document import Document
from trailfit.policy.evaluate import Request
from trailfit.recommend import rollback
from trailfit.recommend.findings import identify
from trailfit.recommend.fit import Fitted, Needs, fit, merge
from trailfit.recommend.gate import prove_no_new_access, prove_still_allows
from trailfit.recommend.granted import beyond, statements
from trailfit.recommend.quota import within_quota
from trailfit.recommend.resources import MOST_LISTED, arn_includes

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence

    from trailfit.model import AttachedPolicy, Finding, Permission, Principal, Usage
    from trailfit.policy.evaluate import Policies
    from trailfit.policy.generalise import Generalised
    from trailfit.recommend.classify import Judged
    from trailfit.recommend.runtime import RuntimeNeed

#: What the inline policy is called that replaces policies which cannot be edited for one principal alone.
FITTED = "fitted"
_SHOWN = 5
#: So many resources of a kind are listed one by one, in so many parts of a policy; where that does not fit IAM's
#: quotas, the next: a few lines wider are better to read, and to review, than eight policies.
_LISTINGS = ((MOST_LISTED, 2), (8, 2), (1, 2), (1, 10), (0, 10))


def removal(principal: Principal, finding: Finding, permissions: Sequence[Permission]) -> Recommendation:
    """Recommend to remove a principal that nobody uses: for a person to decide, never unattended."""
    action = "DELETE_ROLE" if principal.kind == "role" else "DELETE_USER"
    before = tuple(
        PolicyChange(policy.kind, policy.name, policy.document, policy.arn)
        for policy in principal.policies
        if policy.document is not None and policy.group is None
    )
    return Recommendation(
        id=identify(action, principal.arn),
        principal=principal.arn,
        action=action,
        finding_ids=(finding.id,),
        disposition="unsafe",
        reasons=(
            f"no sign of this {principal.kind} in the log, nor in IAM's own record; ask its owner before removing it",
        ),
        before=before,
        after=(),
        permissions=tuple(permissions),
        no_new_access=Proof(True, "nothing is granted afterwards"),
        still_allows=Proof(True, "no call was made", requests=0),
        rollback=rollback.recreation(principal, before),
    )


def tightening(
    principal: Principal,
    runtime: Mapping[str, RuntimeNeed],
    judged: Mapping[str, Judged],
    uses: Mapping[str, Sequence[Usage]],
    finding_ids: tuple[str, ...],
    shared: Mapping[str, int],
    learnt: Generalised,
    narrowed: Mapping[str, Sequence[str]],
    around: Policies | None = None,
    spared: Container[tuple[str, int]] = frozenset(),
) -> Recommendation | None:
    """Propose fitted policies for `principal`, or None when today's already fit.

    Policies that come through a group are left alone: they belong to all its members. A managed policy that
    others use too, or that is AWS's, is replaced by one inline policy of the principal's own. `learnt` are the
    patterns that stand for what was used, `narrowed` the resources of kept actions that need not keep all of theirs,
    `around` what binds the principal beside its own policies, `spared` statements that stay as they are. Raises
    ProofError when a proof fails: a bug of ours, never a proposal; PolicyError when nothing fits IAM's quotas.
    """
    own = [policy for policy in principal.policies if policy.group is None]
    inherited = [policy for policy in principal.policies if policy.group is not None]
    needs = replace(_needs(runtime, judged, uses, learnt, narrowed), spared=spared)
    fitted, before, after, explanations, notes = _fitted(principal, own, needs, shared)
    if not before:
        return None
    kept = [policy.document for policy in inherited if policy.document]
    untouched = [each.policy.document for each in fitted if each.policy.document and not _is_in(each.policy, before)]
    new = [*untouched, *kept, *(change.document for change in after)]
    old = [policy.document for policy in principal.policies if policy.document]
    nothing_new = prove_no_new_access(new, old, around)
    still = prove_still_allows(new, old, _requests(principal, uses, judged), around)
    if nothing_new.holds is False or not still.holds:
        raise ProofError(
            f"the proposal failed its proof: {nothing_new.counterexample or still.denied[:3]}", where=principal.arn
        )
    risks = sorted({each.risk for each in judged.values() if each.risk})
    reasons = [f"left out although the log cannot tell: {risk}" for risk in risks[:_SHOWN]]
    if len(risks) > _SHOWN:
        reasons.append(f"and {len(risks) - _SHOWN} more services of which the log cannot tell")
    called = beyond(uses)
    if called:
        named = ", ".join(called[:_SHOWN])
        reasons.append(f"the catalogue lacks actions that were called, so that only the calls' names are kept: {named}")
    if nothing_new.holds is None:
        reasons.append("whether it grants anything new could not be decided")
    return Recommendation(
        id=identify("tighten", principal.arn),
        principal=principal.arn,
        action=_action(before, after),
        finding_ids=finding_ids,
        disposition="unsafe" if reasons else "safe",
        reasons=(*(reasons or _safe_because(judged)), *notes),
        before=tuple(before),
        after=tuple(after),
        permissions=tuple(each.permission for each in judged.values()),
        no_new_access=nothing_new,
        still_allows=still,
        rollback=rollback.steps(principal, before, after),
        explanations=tuple(explanations),
    )


def _fitted(
    principal: Principal, own: Sequence[AttachedPolicy], needs: Needs, shared: Mapping[str, int]
) -> tuple[list[Fitted], list[PolicyChange], list[PolicyChange], list[tuple[str, str]], list[str]]:
    """Fit the principal's own policies, within IAM's quotas: what does not fit is listed more and more widely."""
    for most, parts in _LISTINGS:
        fitted = fit(own, replace(needs, most=most))
        before, after, explanations = _changes(fitted, shared, {policy.name for policy in own})
        arranged = within_quota(principal, before, after, parts)
        if arranged is not None:
            changes, notes = arranged
            if most < MOST_LISTED:
                notes.append(
                    f"more than {most} resources of one kind are not listed one by one: IAM's quotas are too small"
                )
            return fitted, before, changes, explanations, notes
    raise PolicyError("what it uses cannot be written within IAM's quotas", where=principal.arn)


def _safe_because(judged: Mapping[str, Judged]) -> Iterator[str]:
    """Say why what is left out may go."""
    vain = sum(each.in_vain for each in judged.values())
    if vain:
        yield f"{vain} actions are granted in vain, cut off by a boundary, a service control policy or a Deny, and go"
    left_out = [each.permission for each in judged.values() if not each.carried and not each.in_vain]
    if any(row.cls == "unused" for row in left_out):
        yield "what is left out as unused would have been logged, and was not used"
    beside = sum(row.cls == "undetermined" for row in left_out)
    if beside:
        yield (
            f"{beside} permission-only actions that nothing but a wildcard grants are left out too: AWS checks them "
            "beside calls that are logged, and no call needed them"
        )
    if not left_out and not vain:
        yield "every permission stays; only the resources are narrowed to what was used"


def _needs(
    runtime: Mapping[str, RuntimeNeed],
    judged: Mapping[str, Judged],
    uses: Mapping[str, Sequence[Usage]],
    learnt: Generalised,
    narrowed: Mapping[str, Sequence[str]],
) -> Needs:
    """List what must stay: a runtime's own resources stand for all that it was seen to use below them.

    An action that an exclusion keeps has all its resources, also where it was used on some only; so has one that the
    catalogue lacks, since nobody can tell its resources from its calls.
    """
    whole = {action for action, each in judged.items() if each.permission.cls == "kept"} | {*beyond(judged)}
    used = {action: sorted({row.resource for row in uses[action]}) for action in judged if action in uses}
    used = {action: resources for action, resources in used.items() if action not in whole}
    for action in used.keys() & runtime.keys():
        own = runtime[action].resources
        others = [each for each in used[action] if not any(arn_includes(wide, each) for wide in own)]
        used[action] = sorted({*own, *others})
    kept = {action: each.permission.reason for action, each in judged.items() if each.carried and action not in used}
    own_narrow = {action: need.resources for action, need in runtime.items()}
    return Needs(used, kept, {**narrowed, **own_narrow}, learnt)


def _changes(
    fitted: Sequence[Fitted], shared: Mapping[str, int], taken: set[str]
) -> tuple[list[PolicyChange], list[PolicyChange], list[tuple[str, str]]]:
    """Sort the fitted policies into what goes and what comes; those that already fit are in neither."""
    before: list[PolicyChange] = []
    after: list[PolicyChange] = []
    replaced: list[Fitted] = []
    explanations: list[tuple[str, str]] = []
    for each in fitted:
        policy = each.policy
        if policy.document is None or list(each.statements) == statements(policy):
            continue
        explanations += each.explanations
        before.append(PolicyChange(policy.kind, policy.name, policy.document, policy.arn))
        if policy.kind == "aws_managed" or (policy.kind == "customer_managed" and shared.get(policy.arn or "", 0) > 1):
            replaced.append(each)
        elif each.statements:
            after.append(PolicyChange(policy.kind, policy.name, _document(each.statements, policy), policy.arn))
    merged = merge(replaced)
    if merged:
        name = (
            FITTED if FITTED not in taken else next(f"{FITTED}{n}" for n in range(2, 99) if f"{FITTED}{n}" not in taken)
        )
        after.append(PolicyChange("inline", name, _document(merged, None)))
    return before, after, explanations


def _document(written: Sequence[dict[str, Any]], like: AttachedPolicy | None) -> Document:
    """Make a document of `written`; the Version and Id of the one it replaces stay."""
    raw = dict(like.document.raw) if like and like.document else {"Version": "2012-10-17"}
    return Document.parse({**raw, "Statement": list(written)})


def _is_in(policy: AttachedPolicy, changes: Sequence[PolicyChange]) -> bool:
    return any((policy.kind, policy.name, policy.arn) == (each.kind, each.name, each.arn) for each in changes)


def _action(before: Sequence[PolicyChange], after: Sequence[PolicyChange]) -> str:
    if not after:
        return "DETACH_POLICY"
    known = {(change.kind, change.name) for change in before}
    return "CREATE_POLICY" if any((change.kind, change.name) not in known for change in after) else "UPDATE_POLICY"


def _requests(principal: Principal, uses: Mapping[str, Sequence[Usage]], judged: Mapping[str, Judged]) -> list[Request]:
    """List every distinct call that was made and allowed, with the context that is certain."""
    context = {"aws:PrincipalArn": principal.arn, "aws:PrincipalAccount": principal.account}
    return [
        # The identity's own side only: what a resource's account adds or withholds does not change.
        Request(principal.arn, action, resource, context, principal.account, context_complete=False)
        for action in judged
        if action in uses
        for resource in sorted({row.resource for row in uses[action]})
    ]
