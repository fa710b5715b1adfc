"""Roles that belong together across accounts: those of one permission set, those that the configuration consolidates.

A permission set is judged as one principal: its policies, used by all its roles in all accounts. The roles themselves
(``AWSReservedSSO_…``) are Identity Center's and never edited. Consolidated roles keep their own policies, in each
account; what one of them uses, the others keep where they have it, on their own account's resources.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from shlex import quote
from typing import TYPE_CHECKING, Any

from trailfit.model import Permission, PolicyChange, Principal, Silence, Unassessed
from trailfit.policy.document import Document
from trailfit.recommend.classify import Judged
from trailfit.recommend.gate import prove_no_new_access
from trailfit.recommend.granted import listed
from trailfit.recommend.paths import policy_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trailfit.model import Evidence, LastAccessed, PermissionSet, Recommendation, Usage

#: What IAM's own record of permission sets' inline policies is called here; a permission set has one.
INLINE = "inline"


# --- permission sets --------------------------------------------------------------------------------------


def as_principal(
    one: PermissionSet, principals: Mapping[str, Principal], evidence: Evidence
) -> tuple[Principal, Evidence] | Unassessed | None:
    """Give a permission set as one principal with the evidence of all its roles, or why it cannot be judged so.

    None: no account has a role of it. It can be judged only where the log of every account that it is assigned in is
    in the lake.
    """
    roles = [principals[arn] for arn in one.roles if arn in principals]
    if not roles:
        return None
    accounts = {role.account for role in roles}
    missing = sorted({each.account for each in one.assignments} - accounts)
    if missing:
        return Unassessed(one.arn, f"assigned in account {missing[0]}, of which the snapshot has no role of it")
    unlogged = sorted(accounts - evidence.gaps.keys())
    if unlogged:
        return Unassessed(one.arn, f"assigned in account {unlogged[0]}, of which no event is in the lake")
    known = [role.last_accessed for role in roles if role.last_accessed is not None]
    principal = Principal(
        arn=one.arn,
        account=roles[0].account,
        kind="role",
        name=one.name,
        path="/",
        created=min((role.created for role in roles if role.created), default=None),
        policies=one.policies,
        boundary=one.boundary,
        last_used=max((role.last_used for role in roles if role.last_used), default=None),
        last_used_known=all(role.last_used_known for role in roles),
        last_accessed=_newest(known) if len(known) == len(roles) else None,
    )
    return principal, _together(one.arn, roles, evidence)


def _newest(reports: Sequence[tuple[LastAccessed, ...]]) -> tuple[LastAccessed, ...]:
    """Join last accessed data: the newest date of each service and action."""
    found: dict[tuple[str, str | None], LastAccessed] = {}
    for row in (row for report in reports for row in report):
        held = found.get((row.service, row.action))
        if held is None or (row.last is not None and (held.last is None or held.last < row.last)):
            found[row.service, row.action] = row
    return tuple(found[key] for key in sorted(found, key=lambda key: (key[0], key[1] or "")))


def _together(arn: str, roles: Sequence[Principal], evidence: Evidence) -> Evidence:
    """Give the evidence of several roles as that of one principal, `arn`, in the first role's account."""
    first, accounts = roles[0].account, sorted({role.account for role in roles})

    def silence(_account: str, action: str) -> Silence:
        told = [evidence.silence(account, action) for account in accounts]
        return next((one for one in told if not one.is_evidence), told[0])

    days: dict[tuple[str, str], set[Any]] = defaultdict(set)
    action_days: dict[str, set[Any]] = defaultdict(set)
    for role in roles:
        for pair, dates in evidence.days.get(role.arn, {}).items():
            days[pair].update(dates)
        for action, dates in evidence.action_days.get(role.arn, {}).items():
            action_days[action].update(dates)
    seen = [evidence.last_seen[role.arn] for role in roles if role.arn in evidence.last_seen]
    gaps = {day for account in accounts for day in evidence.gaps[account]}
    return replace(
        evidence,
        usage={arn: _joined([row for role in roles for row in evidence.usage.get(role.arn, ())], arn)},
        denied={arn: tuple(row for role in roles for row in evidence.denied.get(role.arn, ()))},
        last_seen={arn: max(seen)} if seen else {},
        gaps={first: tuple(sorted(gaps))},
        silence=silence,
        days={arn: {pair: tuple(sorted(dates)) for pair, dates in days.items()}},
        action_days={arn: {action: tuple(sorted(dates)) for action, dates in action_days.items()}},
        assumptions={arn: tuple(row for role in roles for row in evidence.assumptions.get(role.arn, ()))},
    )


def _joined(rows: Sequence[Usage], arn: str) -> tuple[Usage, ...]:
    """Join what several roles used: one row for each action, resource and way."""
    found: dict[tuple[str, str, str], Usage] = {}
    for row in rows:
        key = (row.action, row.resource, row.role)
        held = found.get(key)
        if held is None:
            found[key] = replace(row, principal=arn)
            continue
        earlier, later = sorted((held, row), key=lambda one: (one.first_used is None, one.first_used))
        found[key] = replace(
            earlier,
            principal=arn,
            calls=held.calls + row.calls,
            denied=held.denied + row.denied,
            days=max(held.days, row.days),
            last_used=max((one.last_used for one in (earlier, later) if one.last_used), default=None),
        )
    return tuple(found[key] for key in sorted(found))


def for_permission_set(one: Recommendation, principal: Principal) -> Recommendation:
    """Write a recommendation in Identity Center's terms: one inline policy, its own commands and word for removal."""
    inline = [change for change in one.after if change.kind == "inline"]
    after, proof = one.after, one.no_new_access
    if len(inline) > 1 or any(change.name != INLINE for change in inline):
        merged = _merged([change.document for change in inline])
        others = [change for change in one.after if change.kind != "inline"]
        after = (*others, PolicyChange("inline", INLINE, merged))
        gone = {(change.kind, change.name, change.arn) for change in one.before}
        stay = [each.document for each in principal.policies if (each.kind, each.name, each.arn) not in gone]
        old = [each.document for each in principal.policies if each.document]
        proof = prove_no_new_access([*filter(None, stay), *(change.document for change in after)], old)
    return replace(
        one,
        action={"DELETE_ROLE": "DELETE_PERMISSION_SET"}.get(one.action, one.action),
        after=after,
        no_new_access=proof,
        disposition="safe" if one.disposition == "safe" and proof.holds else "unsafe",
        reasons=(*one.reasons, "provision the permission set anew to all its accounts afterwards"),
        rollback=tuple(_back(principal, change) for change in one.before),
    )


def _merged(documents: Sequence[Document]) -> Document:
    """Write the statements of several documents as one; a Sid that would stand twice goes."""
    statements = [statement for document in documents for statement in listed(document.raw["Statement"])]
    sids = [statement.get("Sid") for statement in statements]
    return Document.parse(
        {
            "Version": "2012-10-17",
            "Statement": [
                {key: value for key, value in statement.items() if key != "Sid" or sids.count(value) == 1}
                for statement in statements
            ],
        }
    )


def _back(principal: Principal, change: PolicyChange) -> str:
    """Say how to undo the removal of one policy of a permission set."""
    instance = f"arn:{principal.arn.split(':')[1]}:sso:::instance/{principal.arn.split('/')[1]}"
    who = f"--instance-arn {instance} --permission-set-arn {principal.arn}"
    if change.kind == "aws_managed" and change.arn:
        return f"aws sso-admin attach-managed-policy-to-permission-set {who} --managed-policy-arn {quote(change.arn)}"
    if change.kind == "customer_managed":
        name = f"Name={quote(change.name)}"
        return (
            f"aws sso-admin attach-customer-managed-policy-reference-to-permission-set {who} "
            f"--customer-managed-policy-reference {name}"
        )
    file = quote(f"file://before/{policy_path(principal.arn, change.name)}")
    return f"aws sso-admin put-inline-policy-to-permission-set {who} --inline-policy {file}"


# --- consolidated roles -----------------------------------------------------------------------------------


def keep_shared(
    role: Principal, siblings: Sequence[str], judged: Mapping[str, Judged], narrowed: Mapping[str, tuple[str, ...]],
    uses: Mapping[str, Sequence[Usage]], evidence: Evidence,
) -> tuple[dict[str, Judged], dict[str, tuple[str, ...]]]:  # fmt: skip
    """Keep what the other roles of the family used and this one has but did not use, on its own account's resources."""
    found: dict[str, set[str]] = defaultdict(set)
    kept = dict(judged)
    for arn in siblings:
        account = arn.split(":")[4]
        for row in evidence.usage.get(arn, ()) if arn != role.arn else ():
            known = judged.get(row.action)
            if row.calls and known is not None and not known.carried and row.action not in uses:
                reason = f"used by the role of this name in account {account}, with which it is consolidated"
                kept[row.action] = Judged(Permission(row.action, "kept", reason), carried=True)
                found[row.action].add(row.resource.replace(f":{account}:", f":{role.account}:"))
    return kept, {**narrowed, **{action: tuple(sorted(resources)) for action, resources in found.items()}}
