"""Whom a role's trust policy lets in, who really took the role on, and a document that lets in no more than that.

Nothing is taken away where the log could not have shown the use: the account's management events must be logged
whole, all window long, the trust policy must have stood all that time, and a service must be one of which the
inventory tells too. Callers of other accounts are known by name only where their own account's log is in the lake;
else their account stays.
https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING, Any

from trailfit.catalog.trusted_services import trusted_services
from trailfit.errors import ProofError
from trailfit.model import PolicyChange, Recommendation, TrustedPrincipal
from trailfit.policy.document import Document
from trailfit.policy.evaluate import Request, action_matches
from trailfit.policy.minimise import quotas, size
from trailfit.policy.principal import account, role_name
from trailfit.recommend.deputy import sources, with_source
from trailfit.recommend.findings import identify, make
from trailfit.recommend.gate import prove_no_new_access, prove_still_allows
from trailfit.recommend.granted import listed
from trailfit.recommend.paths import policy_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trailfit.model import Assumption, Evidence, Finding, Function, Principal
    from trailfit.recommend.age import Ages

#: What a trust policy is called among a principal's policies: AWS's name of it in the API.
NAME = "AssumeRolePolicyDocument"
#: More callers than this are not listed one by one: the account stays as it is.
_MOST = 20
_ACCOUNT = re.compile(r"(?:arn:[^:]*:iam::)?(\d{12})(?::root)?\Z")
_GONE = re.compile(r"A(?:RO|ID)A[A-Z0-9]{12,}\Z")
_WRITTEN = ("Sid", "Effect", "Principal", "Condition")
_PEOPLE = frozenset({"role", "user", "root", "federated_user", "account"})


@dataclass(frozen=True, slots=True)
class Trusted:
    """What judging one trust policy gave."""

    rows: tuple[TrustedPrincipal, ...] = ()
    finding: Finding | None = None
    recommendation: Recommendation | None = None


@dataclass(frozen=True, slots=True)
class _Case:
    """One role's trust policy and all that bears on it. `unclear`: why silence proves nothing of it, if so."""

    role: Principal
    trust: Document
    seen: Sequence[Assumption]
    functions: Sequence[Function]
    names: Mapping[str, str]
    unclear: str | None

    def callers(self, kind: str, value: str) -> list[Assumption]:
        """List whom an element let in; of everybody (``*``) those services and providers that nothing else names."""
        found = [one for one in self.seen if _is(kind, value, one, self.names)]
        if (kind, value) != ("AWS", "*"):
            return found
        return [one for one in found if one.kind in _PEOPLE or not self._is_named(one)]

    def _is_named(self, one: Assumption) -> bool:
        """Tell whether an Allow without a condition names a service or identity provider for what it did."""
        return any(
            statement.effect == "Allow"
            and not statement.not_principal
            and not statement.conditions
            and action_matches(statement, f"sts:{one.event}")
            and any(kind != "AWS" and _is(kind, value, one, self.names) for kind, value in statement.principals or ())
            for statement in self.trust.statements
        )


def judge_trust(
    role: Principal, functions: Sequence[Function], evidence: Evidence, ages: Ages, names: Mapping[str, str],
    related: Sequence[Finding] = (),
) -> Trusted:  # fmt: skip
    """Judge whom `role` trusts; propose a tightened document where there is one. `names` maps unique IDs to ARNs.

    `related` are findings about the trust policy that the proposal may be the answer to. Raises ProofError when a proof
    fails: a bug of ours, never a proposal.
    """
    if role.trust is None:
        return Trusted()
    seen = evidence.assumptions.get(role.arn, ())
    case = _Case(role, role.trust, seen, functions, names, _unclear(role, seen, evidence, ages))
    rows: list[TrustedPrincipal] = []
    written: list[dict[str, Any]] = []
    why: list[tuple[str, str]] = []
    for number, statement in enumerate(listed(role.trust.raw["Statement"])):
        found = list(_statement(case, statement, str(statement.get("Sid") or number)))
        rows += found
        written += _tightened(case, statement, found, why)
    unused = [row for row in rows if row.cls == "unused"]
    finding = _finding(role, unused) if unused else None
    proposal = None
    fits = size({**role.trust.raw, "Statement": written}) <= quotas()["trust"].characters
    if fits and written != listed(role.trust.raw["Statement"]) and any(row.cls == "used" for row in rows):
        findings = [*([finding] if finding else []), *_answered(related, why)]
        proposal = _propose(case, written, why, findings)
    return Trusted(tuple(rows), finding, proposal)


def _unclear(role: Principal, seen: Sequence[Assumption], evidence: Evidence, ages: Ages) -> str | None:
    """Say why that nobody was seen to take the role on proves nothing, or None when it does."""
    silence = evidence.silence(role.account, "sts:AssumeRole")
    if not silence.is_evidence:
        return silence.reason
    young = ages.of_principal() or ages.of_trust()
    if young:
        return young
    if not seen and (role.arn in evidence.last_seen or role.arn in evidence.usage):
        return "the role was used, but no event of the window shows who took it on"
    return None


# --- who ---------------------------------------------------------------------------------------------------


def _statement(case: _Case, statement: Mapping[str, Any], name: str) -> Iterator[TrustedPrincipal]:
    """Judge each principal that one Allow statement names."""
    if statement["Effect"] != "Allow" or "Principal" not in statement:
        return
    told = statement["Principal"]
    pairs = [("AWS", "*")] if told == "*" else [(kind, value) for kind in told for value in listed(told[kind])]
    for kind, value in pairs:
        callers = case.callers(kind, value)
        named = value == "*" or _ACCOUNT.match(value)
        if callers and not named and all(one.kind == "account" and _unique(one) not in case.names for one in callers):
            who = account(callers[0].caller)
            yield TrustedPrincipal(
                name, kind, value, "undetermined", f"somebody of account {who} came; only its own log tells who"
            )
        elif callers:
            last = max(callers, key=lambda one: one.last)
            calls = sum(one.calls for one in callers)
            reason = f"took the role on {calls} times, last on {last.last.date()}"
            yield TrustedPrincipal(name, kind, value, "used", reason, calls, last.last, last.example_event)
        else:
            unknown = case.unclear or _unwitnessed(case, kind, value)
            yield TrustedPrincipal(
                name, kind, value, "undetermined" if unknown else "unused",
                unknown or "every call that takes a role on is logged, and none was this principal's",
            )  # fmt: skip


def _is(kind: str, value: str, one: Assumption, names: Mapping[str, str]) -> bool:
    """Tell whether a Principal element names a caller."""
    if kind == "Service":
        return one.kind == "service" and one.caller == value
    if kind == "Federated":
        return one.kind in ("saml", "web_identity") and (one.caller == value or one.caller.startswith(f"{value}:"))
    if kind == "AWS" and value == "*":
        return True
    if kind != "AWS" or one.kind not in _PEOPLE:
        return False
    named = _ACCOUNT.match(value)
    if named:
        return account(one.caller) == named[1]
    if one.kind == "account":
        # Only the role's own account logged it: it may be anybody of that account whose name is not known.
        return names.get(_unique(one), value) == value and account(value) == account(one.caller)
    return one.caller == value or (":assumed-role/" in value and value.split("/")[1] == role_name(one.caller))


def _unwitnessed(case: _Case, kind: str, value: str) -> str | None:
    """Say why the log alone does not prove that this principal never took the role on, or None when it does."""
    if kind == "Service":
        known = trusted_services().get(value)
        if known is None:
            return f"only the log would show {value}, which the inventory cannot confirm"
        here = [function.arn for function in case.functions if function.kind in known.kinds]
        return f"{here[0]} runs as the role" if here else None
    return None if kind in ("AWS", "Federated") else f"how {kind} principals are logged is not known"


def _unique(one: Assumption) -> str:
    return (one.subject or "").partition(":")[0]


# --- the document ------------------------------------------------------------------------------------------


def _tightened(
    case: _Case, statement: dict[str, Any], rows: Sequence[TrustedPrincipal], why: list[tuple[str, str]]
) -> list[dict[str, Any]]:
    """Write what becomes of one statement: without whom nobody saw, the rest limited to who came."""
    if not rows:
        return [statement]
    kept = [row for row in rows if row.cls != "unused"]
    pieces: list[tuple[list[tuple[str, str]], dict[str, Any]]] = []
    plain: list[tuple[str, str]] = []
    for row in kept:
        extra = _limits(case, statement, row, why)
        if extra:
            pieces.append(([(row.kind, row.value)], extra))
        else:
            plain.append((row.kind, row.value))
    if plain:
        pieces.insert(0, (plain, {}))
    if len(kept) == len(rows) and len(pieces) == 1 and not pieces[0][1]:
        return [statement]
    return [
        {
            **_sid(statement, number, len(pieces)),
            "Effect": "Allow",
            "Principal": _element(pairs),
            **{name: value for name, value in statement.items() if name not in _WRITTEN},
            **_joined(statement.get("Condition", {}), extra),
        }
        for number, (pairs, extra) in enumerate(pieces, 1)
    ]  # fmt: skip


def _limits(
    case: _Case, statement: Mapping[str, Any], row: TrustedPrincipal, why: list[tuple[str, str]]
) -> dict[str, dict[str, Any]]:
    """Give the conditions that limit one principal to who was seen, or to the resources it acts for."""
    if row.kind == "Service":
        found, reason = with_source(row.value, statement, case.role, case.functions)
        if found:
            why.append((row.value, reason))
        return found
    if row.kind == "Federated":
        return _subjects(case, statement, row, why)
    if row.kind != "AWS" or row.cls != "used" or not (row.value == "*" or _ACCOUNT.match(row.value)):
        return {}
    keys = {key.lower() for block in statement.get("Condition", {}).values() for key in block}
    callers = {_name(one, case.names) if one.kind in _PEOPLE else None for one in case.callers("AWS", row.value)}
    if None in callers or len(callers) > _MOST or "aws:principalarn" in keys or case.unclear:
        return {}
    arns = sorted(arn for arn in callers if arn)
    who = "everybody" if row.value == "*" else f"the whole account {account(row.value) or row.value}"
    why.append((row.value, f"{who} could take the role on; {', '.join(arns)} did"))
    return {"ArnEquals": {"aws:PrincipalArn": arns[0] if len(arns) == 1 else arns}}


def _name(one: Assumption, names: Mapping[str, str]) -> str | None:
    """Give a caller's ARN; None where the log does not tell it."""
    return names.get(_unique(one)) if one.kind == "account" else one.caller


def _subjects(
    case: _Case, statement: Mapping[str, Any], row: TrustedPrincipal, why: list[tuple[str, str]]
) -> dict[str, dict[str, Any]]:
    """Narrow the wildcards of a web identity's ``…:sub`` to the subjects that came."""
    block = statement.get("Condition", {}).get("StringLike", {})
    subs = sorted({one.subject for one in case.seen if one.subject and _is("Federated", row.value, one, case.names)})
    for key, told in block.items():
        wide = any("*" in value or "?" in value for value in listed(told))
        if key.lower().endswith(":sub") and wide and subs and len(subs) <= _MOST and not case.unclear:
            if row.cls != "used" or any("*" in sub or "?" in sub or "$" in sub for sub in subs):
                continue
            if sorted(listed(told)) != subs:
                why.append((row.value, f"{key} was {', '.join(subs)}"))
                return {"StringLike": {key: subs[0] if len(subs) == 1 else subs}}
    return {}


def _sid(statement: Mapping[str, Any], number: int, of: int) -> dict[str, str]:
    sid = statement.get("Sid")
    return {"Sid": sid if of == 1 else f"{sid}{number}"} if sid else {}


def _element(pairs: Sequence[tuple[str, str]]) -> Any:
    if list(pairs) == [("AWS", "*")]:
        return "*"
    found: dict[str, list[str]] = {}
    for kind, value in pairs:
        found.setdefault(kind, []).append(value)
    return {kind: values[0] if len(values) == 1 else values for kind, values in found.items()}


def _joined(condition: Mapping[str, Any], extra: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Add conditions to a statement's own; where a key stands already, the new values (among the old) replace them."""
    joined = {operator: dict(block) for operator, block in condition.items()}
    for operator, block in extra.items():
        joined.setdefault(operator, {}).update(block)
    return {"Condition": joined} if joined else {}


# --- the proposal ------------------------------------------------------------------------------------------


def _finding(role: Principal, unused: Sequence[TrustedPrincipal]) -> Finding:
    named = [{"statement": row.statement, row.kind: row.value} for row in unused]
    return make(
        "UnusedTrust", role.arn, {"principals": named, "reason": unused[0].reason}, confidence="medium", resource=NAME
    )


def _answered(related: Sequence[Finding], why: Sequence[tuple[str, str]]) -> list[Finding]:
    """Give the findings that the conditions added are the answer to."""
    subjects = {subject for subject, _ in why}
    return [one for one in related if one.kind == "ConfusedDeputy" and one.resource in subjects] + [
        one for one in related if one.kind in ("WildcardTrust", "ExternalTrust", "FederatedTrustTooWide") and subjects
    ]


def _propose(
    case: _Case, written: Sequence[dict[str, Any]], why: Sequence[tuple[str, str]], findings: Sequence[Finding]
) -> Recommendation:
    role = case.role
    new = Document.parse({**case.trust.raw, "Statement": list(written)})
    nothing_new = prove_no_new_access([new], [case.trust])
    still = prove_still_allows([new], [case.trust], list(_requests(case)))
    if nothing_new.holds is False or not still.holds:
        raise ProofError(
            f"the trust policy failed its proof: {nothing_new.counterexample or still.denied[:3]}", where=role.arn
        )
    reasons = ["who may take a role on is changed by a person: the log shows who came, not who was meant to"]
    if nothing_new.holds is None:
        reasons.append("whether it lets in anybody new could not be decided")
    return Recommendation(
        id=identify("UPDATE_TRUST_POLICY", role.arn),
        principal=role.arn,
        action="UPDATE_TRUST_POLICY",
        finding_ids=tuple(sorted({one.id for one in findings})),
        disposition="unsafe",
        reasons=tuple(reasons),
        before=(PolicyChange("trust", NAME, case.trust),),
        after=(PolicyChange("trust", NAME, new),),
        permissions=(),
        no_new_access=nothing_new,
        still_allows=still,
        rollback=(
            f"aws iam update-assume-role-policy --role-name {quote(role.name)} --policy-document "
            + quote(f"file://before/{policy_path(role.arn, NAME)}"),
        ),
        explanations=tuple(dict.fromkeys(why)),
    )


def _requests(case: _Case) -> Iterator[Request]:
    """Give each call by which the role was taken on, as the trust policy saw it, with the context that is certain."""
    for one in case.seen:
        action = f"sts:{one.event}"
        if one.kind == "service":
            for context in sources(one.caller, case.role, case.functions):
                yield Request(one.caller, action, case.role.arn, context, case.role.account, context_complete=False)
            continue
        name = _name(one, case.names)
        who, context = name or one.caller, {}
        if one.kind in ("saml", "web_identity"):
            if not _is_named(case.trust, one):
                continue  # an element that names its account lets in the account's own principals, not its providers
            who = _provider(case.trust, one)
            host = who.partition(":oidc-provider/")[2]
            context = {f"{host}:sub": one.subject} if host and one.subject else {}
        elif name:
            context = {"aws:PrincipalArn": name, "aws:PrincipalAccount": account(name) or ""}
            role = role_name(name)
            if role:
                who = f"arn:{name.split(':')[1]}:sts::{account(name)}:assumed-role/{role}/session"
        yield Request(who, action, case.role.arn, context, case.role.account, context_complete=False)


def _is_named(trust: Document, one: Assumption) -> bool:
    """Tell whether any Principal element of the trust policy names a caller."""
    return any(
        _is(kind, value, one, {}) for statement in trust.statements for kind, value in statement.principals or ()
    )


def _provider(trust: Document, one: Assumption) -> str:
    """Give the identity provider as the trust policy names it."""
    named = (pair for statement in trust.statements for pair in statement.principals or ())
    return next((value for kind, value in named if kind == "Federated" and _is(kind, value, one, {})), one.caller)
