"""Judge a whole snapshot by the evidence of the log: findings, proposals with their proofs, and what stays open."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from trailfit.catalog.judgement import reserved
from trailfit.errors import ProofError
from trailfit.model import Judgement, Unassessed
from trailfit.recommend import credentials, guardrails, propose, runtime
from trailfit.recommend.classify import classify
from trailfit.recommend.findings import make
from trailfit.recommend.granted import granted
from trailfit.recommend.learnt import Levels, keep_companions, learn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trailfit.model import Evidence, Finding, Function, Permission, Principal, Recommendation, Snapshot, Usage

_SHOWN = 20


def judge(snapshot: Snapshot, evidence: Evidence, levels: Levels | None = None) -> Judgement:
    """Judge every principal of `snapshot`. Deterministic: principals by ARN, findings and proposals by id.

    `levels` say how readily resources are generalised (without: ``balanced``).
    """
    levels = levels or Levels()
    functions: dict[str, list[Function]] = defaultdict(list)
    for function in snapshot.functions:
        functions[function.role].append(function)
    shared = _attachments(snapshot.principals)
    findings: list[Finding] = []
    recommendations: list[Recommendation] = []
    permissions: dict[str, tuple[Permission, ...]] = {}
    unassessed = list(snapshot.unassessed)
    exempt: list[Unassessed] = []
    for principal in sorted(snapshot.principals, key=lambda each: each.arn):
        rule = reserved(principal.path)
        if rule:
            exempt.append(Unassessed(principal.arn, rule))
            continue
        found = _judge_one(principal, functions[principal.arn], shared, evidence, levels)
        findings += found.findings
        recommendations += found.recommendations
        permissions[principal.arn] = found.permissions
        unassessed += found.unassessed
    return Judgement(
        evidence=evidence,
        findings=tuple(sorted(findings, key=lambda each: (each.principal, each.kind, each.resource or "", each.id))),
        recommendations=tuple(sorted(recommendations, key=lambda each: (each.principal, each.action, each.id))),
        permissions=permissions,
        principals=tuple(each for each in sorted(snapshot.principals, key=lambda p: p.arn) if each.arn in permissions),
        unassessed=tuple(unassessed),
        exempt=tuple(exempt),
    )


class _Found:
    """What judging one principal gave."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.recommendations: list[Recommendation] = []
        self.permissions: tuple[Permission, ...] = ()
        self.unassessed: list[Unassessed] = []


def _attachments(principals: Sequence[Principal]) -> Mapping[str, int]:
    """Count how many principals each managed policy is attached to."""
    count: dict[str, int] = defaultdict(int)
    for principal in principals:
        for policy in principal.policies:
            if policy.arn:
                count[policy.arn] += 1
    return count


def _judge_one(
    principal: Principal,
    functions: Sequence[Function],
    shared: Mapping[str, int],
    evidence: Evidence,
    levels: Levels,
) -> _Found:
    found = _Found()
    found.findings += guardrails.findings(principal, functions, evidence)
    reason = _cannot_judge(principal, evidence)
    rows = evidence.usage.get(principal.arn, ())
    denied = evidence.denied.get(principal.arn, ())
    if denied:
        told = {"calls": sum(row.calls for row in denied), "actions": sorted({row.action for row in denied})[:_SHOWN]}
        found.findings.append(make("DeniedCalls", principal.arn, told, confidence="high"))
    uses: dict[str, list[Usage]] = defaultdict(list)
    for row in rows:
        if row.calls:
            uses[row.action].append(row)
    known = [policy for policy in principal.policies if policy.document is not None]
    needed = runtime.needs(functions)
    # What the runtime does says nothing of the code's own rhythm, and its resources are known already.
    by_code = {action: [row for row in rows if not runtime.covers(needed, row)] for action, rows in uses.items()}
    learnt = learn(
        {action: rows for action, rows in by_code.items() if rows},
        evidence.days.get(principal.arn, {}),
        evidence.window,
        levels.of(principal.arn),
        levels.services,
    )
    judged, narrowed = keep_companions(
        classify(principal, granted(known), uses, evidence, needed), learnt, levels.of(principal.arn)
    )
    found.permissions = tuple(each.permission for each in judged.values())
    if reason:
        found.unassessed.append(Unassessed(principal.arn, reason))
        return found
    if principal.kind == "user":
        for finding, recommendation in credentials.unused(principal, evidence):
            found.findings.append(finding)
            found.recommendations.append(recommendation)
        found.unassessed += credentials.unknown(principal)
    idle = _idle(principal, evidence)
    if idle is not None:
        kind = "UnusedIAMRole" if principal.kind == "role" else "UnusedIAMUser"
        finding = make(kind, principal.arn, idle, confidence="high")
        found.findings.append(finding)
        found.recommendations.append(propose.removal(principal, finding, found.permissions))
        return found
    unused = [each.permission for each in judged.values() if each.permission.cls == "unused"]
    if unused:
        services = sorted({each.action.partition(":")[0] for each in unused})
        told = {
            "unused": len(unused),
            "granted": len(judged),
            "services": services[:_SHOWN],
            "actions": [each.action for each in unused[:_SHOWN]],
        }
        finding = make("UnusedPermission", principal.arn, told, confidence="high")
        found.findings.append(finding)
    related = tuple(
        each.id
        for each in found.findings
        if each.kind in ("UnusedPermission", "AWSManagedPolicy", "WildcardAction", "WildcardResource")
    )
    try:
        proposal = propose.tightening(principal, needed, judged, uses, related, shared, learnt, narrowed)
    except ProofError as problem:
        found.unassessed.append(Unassessed(principal.arn, f"a bug of trailfit's, please report it: {problem.message}"))
        return found
    if proposal is not None:
        found.recommendations.append(proposal)
    return found


def _cannot_judge(principal: Principal, evidence: Evidence) -> str | None:
    """Say why nothing may be proposed for this principal, or None when it may."""
    missing = sorted(policy.name for policy in principal.policies if policy.document is None)
    if missing:
        return f"the snapshot holds no document for {', '.join(missing)}"
    if principal.account not in evidence.gaps:
        return f"no event of account {principal.account} is in the lake: silence proves nothing"
    gaps = evidence.gaps[principal.account]
    if gaps:
        days = ", ".join(day.isoformat() for day in gaps[:3]) + (", …" if len(gaps) > 3 else "")
        return f"management events are missing on {len(gaps)} of {evidence.window.days} days ({days})"
    if principal.created and principal.created.date() > evidence.window.first:
        return f"created on {principal.created.date()}, within the window: too young to judge"
    return None


def _idle(principal: Principal, evidence: Evidence) -> dict[str, object] | None:
    """Give the evidence that a principal is not used at all, or None when it is, or may be."""
    start = evidence.window.first
    if any(row.calls for row in evidence.usage.get(principal.arn, ())) or principal.arn in evidence.last_seen:
        return None
    if principal.last_used and principal.last_used.date() >= start:
        return None
    if any(each.last_used and each.last_used.date() >= start for each in principal.credentials):
        return None
    if any(row.last and row.last.date() >= start for row in principal.last_accessed or ()):
        return None
    return {
        "window_days": evidence.window.days,
        "last_used": principal.last_used.date().isoformat() if principal.last_used else "never, as far as IAM tells",
        "created": principal.created.date().isoformat() if principal.created else None,
        "policies": sorted(policy.name for policy in principal.policies),
    }
