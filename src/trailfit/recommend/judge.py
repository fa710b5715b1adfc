"""Judge a whole snapshot by the evidence of the log: findings, proposals with their proofs, and what stays open."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from trailfit.catalog.judgement import reserved
from trailfit.errors import PolicyError, ProofError
from trailfit.model import EffectiveGrant, Judgement, Unassessed
from trailfit.policy.evaluate import Policies
from trailfit.recommend import checks, credentials, effective, propose, runtime, unused
from trailfit.recommend.age import Ages, Grace, by_subject
from trailfit.recommend.bounds import Bounds, levels_of, session_limit
from trailfit.recommend.case import Case, Surroundings
from trailfit.recommend.classify import Standing, classify
from trailfit.recommend.contradictions import contradictions
from trailfit.recommend.exclusions import Exclusions
from trailfit.recommend.family import as_principal, for_permission_set, keep_shared
from trailfit.recommend.findings import make
from trailfit.recommend.granted import granted
from trailfit.recommend.learnt import Levels, keep_companions, learn
from trailfit.recommend.peers import Peers, keep_habits
from trailfit.recommend.split import split
from trailfit.recommend.trust import Trusted, judge_trust

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trailfit.model import (
        Evidence,
        Finding,
        Function,
        GrantChange,
        Permission,
        Principal,
        Recommendation,
        Snapshot,
        TrustedPrincipal,
        Usage,
    )
    from trailfit.recommend.age import Subject
    from trailfit.recommend.classify import Judged
    from trailfit.recommend.exclusions import Exclusion

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Rules:
    """What the configuration says of judging: the grace period, and which roles of one name belong together.

    `consolidate` are globs over role names (``deploy-*``); `exclusions` say what is left alone, and why.
    """

    grace: Grace = field(default_factory=Grace)
    consolidate: tuple[str, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()


@dataclass(frozen=True, slots=True)
class _Run:
    """What judging any one principal needs of the whole."""

    snapshot: Snapshot
    evidence: Evidence
    levels: Levels
    rules: Rules
    grants: Mapping[str, EffectiveGrant]
    families: Mapping[str, tuple[str, ...]]
    changes: Mapping[Subject, Sequence[GrantChange]]
    shared: Mapping[str, int]
    functions: Mapping[str, Sequence[Function]]
    surroundings: Surroundings
    exclusions: Exclusions
    names: Mapping[str, str]
    peers: Peers
    only: Mapping[str, frozenset[str]] | None

    def standing(self, principal: Principal) -> Standing:
        """Give what stands around a principal's own policies."""
        sessions = session_limit(principal, self.evidence.assumptions.get(principal.arn, ()), self.snapshot.managed)
        return Standing(
            bounds=Bounds(self.grants.get(principal.arn), sessions),
            ages=Ages(principal, self.changes, self.evidence.window, self.rules.grace),
            taken=self.snapshot.taken,
        )

    def siblings(self, principal: Principal) -> tuple[str, ...]:
        """List the roles that a role is consolidated with, itself among them; none for a permission set's."""
        family = self.grants[principal.arn].family
        return self.families.get(family, ()) if family else ()

    def around(self, principal: Principal) -> Policies | None:
        """Give what stands around a principal's own policies as the evaluator takes it; None where nothing does."""
        grant = self.grants.get(principal.arn)
        boundary = grant.boundary.document if grant and grant.boundary else None
        scp = levels_of(grant) if grant else None
        if boundary is None and scp is None:
            return None
        return Policies(boundary=(boundary,) if boundary else None, scp=scp)


def judge(
    snapshot: Snapshot,
    evidence: Evidence,
    levels: Levels | None = None,
    rules: Rules | None = None,
    only: Mapping[str, frozenset[str]] | None = None,
) -> Judgement:
    """Judge every principal of `snapshot`. Deterministic: principals by ARN, findings and proposals by id.

    `levels` say how readily resources are generalised (without: ``balanced``). `only` names, by principal, the actions
    that matter: the others are not judged, and not proposed either, which a backtest of these actions does not need.
    """
    rules = rules or Rules()
    functions: dict[str, list[Function]] = defaultdict(list)
    for function in snapshot.functions:
        functions[function.role].append(function)
    grants = effective.grants(snapshot, rules.consolidate)
    run = _Run(
        snapshot=snapshot,
        evidence=evidence,
        levels=levels or Levels(),
        rules=rules,
        grants=grants,
        families=effective.members(grants),
        changes=by_subject(evidence),
        shared=_attachments(snapshot.principals),
        functions=functions,
        surroundings=Surroundings(snapshot),
        exclusions=Exclusions(rules.exclusions, snapshot.principals, evidence.window.last),
        names={each.unique_id: each.arn for each in snapshot.principals if each.unique_id},
        peers=Peers(evidence.usage),
        only=only,
    )
    findings: list[Finding] = []
    recommendations: list[Recommendation] = []
    permissions: dict[str, tuple[Permission, ...]] = {}
    trust: dict[str, tuple[TrustedPrincipal, ...]] = {}
    unassessed = [*snapshot.unassessed, *_unread(evidence), *run.exclusions.problems]
    exempt: list[Unassessed] = []
    subjects: list[tuple[Principal, _Run]] = []
    for principal in snapshot.principals:
        rule = reserved(principal.path)
        if rule:
            exempt.append(Unassessed(principal.arn, rule))
        else:
            subjects.append((principal, run))
    for one in _permission_sets(run):
        if isinstance(one, Unassessed):
            unassessed.append(one)
        else:
            subjects.append(one)
    subjects.sort(key=lambda each: each[0].arn)
    exempt.sort(key=lambda each: each.subject)
    for principal, around in subjects:
        found = _judge_one(principal, around)
        if around is not run:
            found.recommendations = [for_permission_set(each, principal) for each in found.recommendations]
        asked = next((each for each in found.findings if each.kind == "ConfirmPurpose"), None)
        if asked is not None and run.exclusions.of_finding(asked) is None:
            found.recommendations = [checks.cautious(each, asked) for each in found.recommendations]
        findings += found.findings
        recommendations += found.recommendations
        permissions[principal.arn] = found.permissions
        trust[principal.arn] = found.trust
        unassessed += found.unassessed
    findings += checks.of_account(snapshot, evidence, permissions)
    findings.sort(key=lambda each: (each.principal, each.kind, each.resource or "", each.id))
    active, excluded = run.exclusions.split(findings)
    return Judgement(
        evidence=evidence,
        findings=tuple(active),
        recommendations=tuple(sorted(recommendations, key=lambda each: (each.principal, each.action, each.id))),
        permissions=permissions,
        principals=tuple(principal for principal, _ in subjects),
        unassessed=tuple(unassessed),
        exempt=tuple(exempt),
        excluded=tuple(excluded),
        exclusions=run.exclusions.told(),
        trust=trust,
        contradictions={
            principal.arn: tuple(contradictions(principal, around.evidence)) for principal, around in subjects
        },
    )


def _permission_sets(run: _Run) -> Iterator[tuple[Principal, _Run] | Unassessed]:
    """Give each permission set as one principal, with a run in which the evidence of its roles is its own."""
    known = {each.arn: each for each in run.snapshot.principals}
    for one in run.snapshot.permission_sets:
        told = as_principal(one, known, run.evidence)
        if isinstance(told, Unassessed):
            yield told
        elif told is not None:
            principal, evidence = told
            grant = EffectiveGrant(principal.arn, principal.policies, principal.boundary, scp=None, rcp=None)
            yield principal, replace(run, evidence=evidence, grants={principal.arn: grant})


def _unread(evidence: Evidence) -> list[Unassessed]:
    """Say of which accounts a part of the log could not be read: there, nothing that was not seen is called unused."""
    return [
        Unassessed(f"account {account}", f"{pieces} pieces of its log could not be read: silence proves nothing")
        for account, pieces in sorted(evidence.unread.items())
    ]


class _Found:
    """What judging one principal gave."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.recommendations: list[Recommendation] = []
        self.permissions: tuple[Permission, ...] = ()
        self.unassessed: list[Unassessed] = []
        self.trust: tuple[TrustedPrincipal, ...] = ()


def _attachments(principals: Sequence[Principal]) -> Mapping[str, int]:
    """Count how many principals each managed policy is attached to."""
    count: dict[str, int] = defaultdict(int)
    for principal in principals:
        for policy in principal.policies:
            if policy.arn:
                count[policy.arn] += 1
    return count


def _judge_one(principal: Principal, run: _Run) -> _Found:
    found = _Found()
    evidence, levels, functions = run.evidence, run.levels, run.functions.get(principal.arn, ())
    standing = run.standing(principal)
    reason = _cannot_judge(principal, run, standing)
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
    ways = granted(known, uses)
    if run.only is not None:
        wanted = run.only.get(principal.arn, frozenset())
        ways = {action: found for action, found in ways.items() if action in wanted}
    judged, narrowed = keep_companions(
        classify(principal, ways, uses, evidence, needed, standing), learnt, levels.of(principal.arn)
    )
    judged, narrowed = keep_habits(principal.arn, judged, narrowed, learnt, run.peers, levels.of(principal.arn))
    judged, narrowed = keep_shared(principal, run.siblings(principal), judged, narrowed, uses, evidence)
    spared = run.exclusions.spared(principal)
    guessed, judged = judged, run.exclusions.keep(principal, judged, ways, spared)
    narrowed = {action: found for action, found in narrowed.items() if judged[action] is guessed[action]}
    found.permissions = tuple(each.permission for each in judged.values())
    case = Case(principal, functions, evidence, ways, judged, uses, needed, run.surroundings)
    if run.only is None:  # a backtest asks of policies alone
        found.findings += checks.of_principal(case)
    trusted = _trusted(principal, run, standing, found)
    found.trust = trusted.rows
    if reason:
        found.unassessed.append(Unassessed(principal.arn, reason))
        return found
    if principal.kind == "user":
        for finding, recommendation in credentials.unused(case):
            found.findings.append(finding)
            if run.exclusions.of_finding(finding) is None:
                found.recommendations.append(recommendation)
        found.unassessed += credentials.unknown(principal)
    idle = _idle(principal, evidence)
    if idle is not None:
        kind = "UnusedIAMRole" if principal.kind == "role" else "UnusedIAMUser"
        finding = make(kind, principal.arn, idle, confidence="high", shift=case.power)
        found.findings.append(finding)
        if run.exclusions.of_finding(finding) is None:
            found.recommendations.append(propose.removal(principal, finding, found.permissions))
        return found
    found.findings += unused.findings(case)
    related = tuple(
        each.id
        for each in found.findings
        if each.kind in ("UnusedPermission", "AWSManagedPolicy", "WildcardAction", "WildcardResource")
    )
    try:
        proposal = propose.tightening(
            principal, needed, judged, uses, related, run.shared, learnt, narrowed, run.around(principal), spared
        )
    except ProofError as problem:
        found.unassessed.append(Unassessed(principal.arn, f"a bug of trailfit's, please report it: {problem.message}"))
        return found
    except PolicyError as problem:
        found.unassessed.append(Unassessed(principal.arn, problem.message))
        return found
    if proposal is not None:
        found.recommendations.append(proposal)
    found.findings += [trusted.finding] if trusted.finding else []
    if trusted.recommendation and not spared:
        found.recommendations.append(trusted.recommendation)
    if not spared:
        _split(principal, run, judged, found)
    return found


def _split(role: Principal, run: _Run, judged: Mapping[str, Judged], found: _Found) -> None:
    """Split a role that functions share, where the log tells their uses apart."""
    functions = run.functions.get(role.arn, ())
    try:
        names = {each.name for each in run.snapshot.principals if each.account == role.account}
        parted = split(role, functions, judged, run.evidence, run.levels, found.findings, names)
    except ProofError as problem:
        found.unassessed.append(Unassessed(role.arn, f"a bug of trailfit's, please report it: {problem.message}"))
    else:
        found.recommendations += [parted] if parted else []


def _trusted(principal: Principal, run: _Run, standing: Standing, found: _Found) -> Trusted:
    """Judge whom a role trusts; nothing of a user."""
    functions = run.functions.get(principal.arn, ())
    try:
        return judge_trust(principal, functions, run.evidence, standing.ages, run.names, found.findings)
    except ProofError as problem:
        found.unassessed.append(Unassessed(principal.arn, f"a bug of trailfit's, please report it: {problem.message}"))
        return Trusted()


def _cannot_judge(principal: Principal, run: _Run, standing: Standing) -> str | None:
    """Say why nothing may be proposed for this principal, or None when it may."""
    evidence = run.evidence
    if principal.account in run.snapshot.unfinished:
        return "AWS throttled or failed while the inventory was taken: run `trailfit inventory` again to complete it"
    missing = sorted(policy.name for policy in principal.policies if policy.document is None)
    if missing:
        return f"the snapshot holds no document for {', '.join(missing)}"
    if principal.account not in evidence.gaps:
        return f"no event of account {principal.account} is in the lake: silence proves nothing"
    gaps = evidence.gaps[principal.account]
    if gaps:
        days = ", ".join(day.isoformat() for day in gaps[:3]) + (", …" if len(gaps) > 3 else "")
        return f"management events are missing on {len(gaps)} of {evidence.window.days} days ({days})"
    return standing.ages.of_principal()


def _idle(principal: Principal, evidence: Evidence) -> dict[str, object] | None:
    """Give the evidence that a principal is not used at all, or None when it is, or may be."""
    start = evidence.window.first
    if any(row.calls for row in evidence.usage.get(principal.arn, ())) or principal.arn in evidence.last_seen:
        return None
    if evidence.assumptions.get(principal.arn):  # somebody took it on; what its sessions did may be unlogged
        return None
    if not evidence.silence(principal.account, "sts:AssumeRole").is_evidence:  # nor would its use have been logged
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
