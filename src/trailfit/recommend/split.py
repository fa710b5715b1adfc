"""Split a role that several functions share: one role for each, fitted to what its own sessions used.

A session of a function's role bears the function's name, so the log tells their uses apart. What no session can be laid
to (another service's sessions, a function that made no call) keeps the shared role, and is named. Every new role grants
a part of what the shared one grants today, and trusts the function's service alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from trailfit.catalog.judgement import session_name
from trailfit.catalog.trusted_services import trusted_services
from trailfit.errors import ProofError
from trailfit.model import NewRole, Permission, PolicyChange, Proof, Recommendation
from trailfit.policy.document import Document
from trailfit.policy.evaluate import Request
from trailfit.recommend import runtime
from trailfit.recommend.classify import Judged
from trailfit.recommend.findings import identify
from trailfit.recommend.fit import Needs, fit, merge
from trailfit.recommend.gate import prove_no_new_access, prove_still_allows
from trailfit.recommend.granted import listed
from trailfit.recommend.learnt import keep_companions, learn
from trailfit.recommend.quota import within_quota
from trailfit.recommend.resources import arn_includes
from trailfit.recommend.trust import NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from trailfit.model import Evidence, Finding, Function, Principal, SessionUse, Snapshot, Usage
    from trailfit.recommend.learnt import Levels

#: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
_LONGEST_NAME = 64
_POLICY = "fitted"
#: A policy that is too large becomes so many managed ones at the most.
_PARTS = 5
_SHOWN = 5


def shared(snapshot: Snapshot) -> list[str]:
    """List the roles that several resources run as: those of which each session's use is asked for, sorted."""
    wearers = Counter(function.role for function in snapshot.functions)
    return sorted(role for role, number in wearers.items() if number > 1)


def split(
    role: Principal, functions: Sequence[Function], judged: Mapping[str, Judged], evidence: Evidence, levels: Levels,
    findings: Sequence[Finding], names: Iterable[str],
) -> Recommendation | None:  # fmt: skip
    """Recommend a role for each of `functions`, or None where fewer than two can be told apart.

    `judged` is what was judged of the shared role, `names` are those of the roles that the account has. Raises
    ProofError when a proof fails: a bug of ours, never a proposal.
    """
    sessions = evidence.by_session.get(role.arn, {})
    own = {session_name(one.kind, one.name): one for one in sorted(functions, key=lambda one: one.arn)}
    own.pop(None, None)
    seen = {name: one for name, one in own.items() if name in sessions}
    if len(seen) < 2 or role.trust is None or any(policy.document is None for policy in role.policies):
        return None
    taken = set(names)
    made = []
    for name, function in sorted(seen.items(), key=lambda item: item[1].arn):
        new = _one(role, role.trust, function, sessions[str(name)], judged, evidence, levels, taken)
        if new is None:
            return None
        made.append(new)
    left = _left(functions, seen.values(), set(sessions) - set(seen))
    union = [change.document for each in made for change in each.policies]
    old = _documents(role)
    still = prove_still_allows([*union, *(old if left else [])], old, _requests(role, evidence.usage.get(role.arn, ())))
    if not still.holds:
        raise ProofError(f"the new roles together do not allow what was used: {still.denied[:3]}", where=role.arn)
    holds = {each.no_new_access.holds for each in made}
    return Recommendation(
        id=identify("SPLIT_ROLE", role.arn),
        principal=role.arn,
        action="SPLIT_ROLE",
        finding_ids=tuple(sorted(each.id for each in findings if each.kind == "SharedRole")),
        disposition="unsafe",
        reasons=(
            f"{len(made)} functions share this role: each can do what any of them needs",
            "make the roles, then let each function run as its own",
            *left,
        ),
        before=(),
        after=(),
        permissions=(),
        no_new_access=Proof(None if None in holds else True, "each new role, by containment in the shared one"),
        still_allows=still,
        rollback=tuple(f"let {function.arn} run as {role.arn} again" for function in seen.values()),
        roles=tuple(made),
    )


def _left(functions: Sequence[Function], seen: Iterable[Function], others: set[str]) -> list[str]:
    """Say who keeps the shared role, and so that it stays."""
    told = []
    silent = sorted({one.arn for one in functions} - {one.arn for one in seen})
    if silent:
        told.append(f"the shared role stays for what made no call that names it: {', '.join(silent[:_SHOWN])}")
    if others:
        some = ", ".join(sorted(others)[:_SHOWN])
        told.append(f"the shared role stays for {len(others)} other sessions, for example {some}")
    return told


def _one(
    role: Principal, trust: Document, function: Function, session: SessionUse, judged: Mapping[str, Judged],
    evidence: Evidence, levels: Levels, taken: set[str],
) -> NewRole | None:  # fmt: skip
    """Make the role of one function, with its two proofs; None where its policies would be larger than IAM allows."""
    uses: dict[str, list[Usage]] = defaultdict(list)
    for row in session.usage:
        if row.action in judged:
            uses[row.action].append(row)
    needed = runtime.needs([function])
    by_code = {action: [row for row in rows if not runtime.covers(needed, row)] for action, rows in uses.items()}
    found = learn(
        {action: rows for action, rows in by_code.items() if rows},
        session.days, evidence.window, levels.of(role.arn), levels.services,
    )  # fmt: skip
    mine = {action: _judged(action, each, uses, needed, role, evidence) for action, each in judged.items()}
    kept, narrowed = keep_companions(mine, found, levels.of(role.arn))
    needs = Needs(
        used=_used(uses, needed),
        kept={action: each.permission.reason for action, each in kept.items() if each.carried and action not in uses},
        narrowed={**narrowed, **{action: need.resources for action, need in needed.items()}},
        learnt=found,
    )
    fitted = fit([policy for policy in role.policies if policy.group is None], needs)
    document = Document.parse({"Version": "2012-10-17", "Statement": merge(fitted)})
    trusted = _trust(trust, function)
    old = _documents(role)
    nothing_new = prove_no_new_access([document], old)
    still = prove_still_allows([document], old, _requests(role, session.usage))
    lets_in = prove_no_new_access([trusted], [trust])
    if False in (nothing_new.holds, still.holds, lets_in.holds):
        told = nothing_new.counterexample or still.denied[:3] or lets_in.counterexample
        raise ProofError(f"the role for {function.arn} failed its proof: {told}", where=role.arn)
    name = _name(function.name, taken)
    fits = within_quota(replace(role, name=name, policies=()), (), [PolicyChange("inline", _POLICY, document)], _PARTS)
    if fits is None:
        return None
    return NewRole(
        arn=f"{role.arn.rpartition('/')[0]}/{name}",
        runs=function.arn,
        policies=tuple(fits[0]),
        trust=PolicyChange("trust", NAME, trusted),
        permissions=tuple(each.permission for each in kept.values() if each.carried),
        no_new_access=replace(nothing_new, holds=None) if lets_in.holds is None else nothing_new,
        still_allows=still,
        explanations=tuple(dict.fromkeys(why for each in fitted for why in each.explanations)),
    )


def _judged(
    action: str, shared: Judged, uses: Mapping[str, Sequence[Usage]], needed: Mapping[str, runtime.RuntimeNeed],
    role: Principal, evidence: Evidence,
) -> Judged:  # fmt: skip
    """Judge an action for one function: what only others used goes, what the log cannot tell stays for each."""
    if action in uses:
        calls = sum(row.calls for row in uses[action])
        return Judged(Permission(action, "used", f"used {calls} times by this function", calls=calls), carried=True)
    if action in needed:
        return Judged(Permission(action, "kept", needed[action].reason), carried=True)
    if shared.permission.cls == "used" and evidence.silence(role.account, action).is_evidence:
        reason = "used by other functions of the shared role, never by this one"
        return Judged(Permission(action, "unused", reason), carried=False)
    if shared.permission.cls == "kept" and runtime.is_runtime(action):
        return Judged(Permission(action, "unused", "another function's runtime needs it"), carried=False)
    return shared


def _used(uses: Mapping[str, Sequence[Usage]], needed: Mapping[str, runtime.RuntimeNeed]) -> dict[str, list[str]]:
    """List the resources used; a runtime's own stand for all that it was seen to use below them."""
    found = {}
    for action, rows in uses.items():
        own = needed[action].resources if action in needed else ()
        others = {row.resource for row in rows if not any(arn_includes(wide, row.resource) for wide in own)}
        found[action] = sorted({*own, *others})
    return found


def _trust(trust: Document, function: Function) -> Document:
    """Give the part of the shared role's trust policy that lets the function's service in; all of it, if none does."""
    wanted = {name for name, one in trusted_services().items() if function.kind in one.kinds}
    kept: list[dict[str, Any]] = []
    for statement in listed(trust.raw["Statement"]):
        named = statement.get("Principal")
        services = (
            [] if not isinstance(named, dict) else [each for each in listed(named.get("Service")) if each in wanted]
        )
        if statement["Effect"] == "Deny":
            kept.append(statement)
        elif services:
            kept.append({**statement, "Principal": {"Service": services[0] if len(services) == 1 else services}})
    if not any(statement["Effect"] == "Allow" for statement in kept):
        return trust
    return Document.parse({**trust.raw, "Statement": kept})


def _name(function: str, taken: set[str]) -> str:
    """Name a function's role after it, no longer than IAM allows, and each name once."""
    base = function[: _LONGEST_NAME - len("-role")] + "-role"
    name, number = base, 2
    while name in taken:
        name, number = f"{base[: _LONGEST_NAME - 3]}{number}", number + 1
    taken.add(name)
    return name


def _documents(role: Principal) -> list[Document]:
    return [policy.document for policy in role.policies if policy.document]


def _requests(role: Principal, rows: Iterable[Usage]) -> list[Request]:
    """Give each distinct call that was made, with the context that is certain."""
    context = {"aws:PrincipalAccount": role.account}
    pairs = sorted({(row.action, row.resource) for row in rows if row.calls})
    return [
        Request(role.arn, action, resource, context, role.account, context_complete=False) for action, resource in pairs
    ]
