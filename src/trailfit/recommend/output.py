"""Write a judgement as `recommendations.json` and the policies beside it: the same input, the same bytes.

The form is fixed by ``trailfit/deliver/recommendations.schema.json``; nothing here reads a clock.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from trailfit.catalog.actions import access_level
from trailfit.recommend import outlook
from trailfit.recommend.paths import policy_path
from trailfit.recommend.reduction import reductions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from trailfit.model import (
        Coverage,
        Denied,
        Finding,
        Judgement,
        NewRole,
        Permission,
        PolicyChange,
        Principal,
        Recommendation,
        TrustedPrincipal,
        Unassessed,
    )
    from trailfit.recommend.outlook import Outlook

#: Permissions of one service and one reason beyond this many are told as one row with their number.
_TOLD_ONE_BY_ONE = 25


def as_dict(judgement: Judgement, looks: Mapping[str, Outlook] | None = None) -> dict[str, Any]:
    """Give the judgement in the form of `recommendations.json`; `looks` are the outlooks by recommendation id."""
    looks = looks or {}
    surfaces = reductions(judgement)
    window = judgement.evidence.window
    return {
        "trailfit": "1",
        "window": {"from": window.first.isoformat(), "to": window.last.isoformat(), "days": window.days},
        "summary": {**_summary(judgement), **outlook.summary(looks.values())},
        "coverage": [_coverage(row) for row in judgement.evidence.coverage],
        "unassessed": _subjects(judgement.unassessed),
        "exempt": _subjects(judgement.exempt),
        "findings": [_finding(each) for each in judgement.findings],
        "excluded": [
            {
                "finding": _finding(each.finding),
                "by": each.by,
                "reason": each.reason,
                "until": each.until.isoformat() if each.until else None,
            }
            for each in judgement.excluded
        ],
        "exclusions": [dict(each) for each in judgement.exclusions],
        "recommendations": [
            {
                **_recommendation(each),
                **({"surface": dict(surfaces[each.id])} if each.id in surfaces else {}),
                **(outlook.as_dict(looks[each.id]) if each.id in looks else {}),
            }
            for each in judgement.recommendations
        ],
        "principals": [
            _principal(each, judgement.permissions[each.arn], judgement.evidence.denied.get(each.arn, ()))
            | _beside(each.arn, judgement)
            for each in judgement.principals
        ],
    }


def as_text(told: Mapping[str, Any]) -> str:
    """Print the JSON: two spaces, keys in the order of the contract, a line end."""
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def policy_files(told: Mapping[str, Any]) -> dict[str, str]:
    """Give the text of every document by its path in the run's folder.

    ``policies/`` holds each `after` and the documents of roles to make, ``before/`` each `before` (what the way back
    needs), all as ``<account>/<kind>/<name>/<policy>.json``.
    """
    files = {}
    for recommendation in told["recommendations"]:
        for folder, changes in (("policies", recommendation["after"]), ("before", recommendation["before"])):
            for change in changes:
                path = f"{folder}/{policy_path(recommendation['principal'], change['name'])}"
                files[path] = json.dumps(change["document"], indent=2, ensure_ascii=False) + "\n"
        for role in recommendation.get("roles", ()):
            for change in (*role["policies"], role["trust"]):
                path = f"policies/{policy_path(role['role'], change['name'])}"
                files[path] = json.dumps(change["document"], indent=2, ensure_ascii=False) + "\n"
    return dict(sorted(files.items()))


def _summary(judgement: Judgement) -> dict[str, Any]:
    counts: dict[str, int] = defaultdict(int)
    for rows in judgement.permissions.values():
        for row in rows:
            counts[row.cls] += 1
    return {
        "principals": len(judgement.principals),
        "recommendations": len(judgement.recommendations),
        "safe": sum(each.disposition == "safe" for each in judgement.recommendations),
        "findings": len(judgement.findings),
        "permissions": {name: counts[name] for name in ("used", "unused", "undetermined", "kept")},
    }


def _subjects(rows: Iterable[Unassessed]) -> list[dict[str, str]]:
    return [{"subject": row.subject, "reason": row.reason} for row in rows]


def _coverage(row: Coverage) -> dict[str, Any]:
    return {
        "account": row.account,
        "region": row.region,
        "category": row.category,
        "data_type": row.data_type,
        "first_day": row.first_day.isoformat(),
        "last_day": row.last_day.isoformat(),
        "days_seen": row.days_seen,
        "days_asked": row.days_asked,
        "gaps": [day.isoformat() for day in row.gaps],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": finding.id,
        "kind": finding.kind,
        "principal": finding.principal,
        "severity": finding.severity,
        "confidence": finding.confidence,
        "evidence": dict(finding.evidence),
        "remedy": finding.remedy,
        "commands": list(finding.commands),
        "risk": finding.risk,
    }
    return told if finding.resource is None else {**told, "resource": finding.resource}


def _change(change: PolicyChange) -> dict[str, Any]:
    told = {"kind": change.kind, "name": change.name}
    arn = {"arn": change.arn} if change.arn else {}
    return {**told, **arn, "document": change.document.raw}


def _recommendation(each: Recommendation) -> dict[str, Any]:
    roles = {"roles": [_new_role(role) for role in each.roles]} if each.roles else {}
    return {
        "id": each.id,
        "principal": each.principal,
        "action": each.action,
        "finding_ids": list(each.finding_ids),
        "disposition": each.disposition,
        "reasons": list(each.reasons),
        "before": [_change(change) for change in each.before],
        "after": [_change(change) for change in each.after],
        "permissions": _counts(each.permissions),
        "proofs": _proofs(each),
        "rollback": list(each.rollback),
        "explanations": _explained(each),
        **roles,
    }


def _new_role(role: NewRole) -> dict[str, Any]:
    return {
        "role": role.arn,
        "for": role.runs,
        "policies": [_change(change) for change in role.policies],
        "trust": _change(role.trust),
        "permissions": _counts(role.permissions),
        "proofs": _proofs(role),
        "explanations": _explained(role),
    }


def _counts(permissions: Sequence[Permission]) -> dict[str, int]:
    return {name: sum(row.cls == name for row in permissions) for name in ("used", "unused", "undetermined", "kept")}


def _proofs(each: Recommendation | NewRole) -> dict[str, Any]:
    nothing_new, still = each.no_new_access, each.still_allows
    return {
        "no_new_access": {
            "holds": nothing_new.holds,
            "method": nothing_new.method,
            "counterexample": nothing_new.counterexample,
        },
        "still_allows": {
            "holds": still.holds,
            "method": still.method,
            "requests": still.requests or 0,
            "denied": list(still.denied),
        },
    }


def _explained(each: Recommendation | NewRole) -> list[dict[str, str]]:
    return [{"subject": subject, "reason": reason} for subject, reason in each.explanations]


def _principal(principal: Principal, permissions: Sequence[Permission], denied: Sequence[Denied]) -> dict[str, Any]:
    return {
        "principal": principal.arn,
        "account": principal.account,
        "kind": principal.kind,
        "name": principal.name,
        **_made_by(principal.tags),
        "permissions": _rolled_up(permissions),
        "denied": [
            {
                "action": row.action,
                "resource": row.resource,
                "calls": row.calls,
                "last": _time(row.last),
                "message": row.message,
            }
            for row in denied
        ],
    }


def _beside(arn: str, judgement: Judgement) -> dict[str, Any]:
    """Tell whom a principal trusts, and where IAM's own record of it and the log disagree, as far as there is any."""
    trust = [_trusted(row) for row in judgement.trust.get(arn, ())]
    disagree = list(judgement.contradictions.get(arn, ()))
    return {**({"trust": trust} if trust else {}), **({"contradictions": disagree} if disagree else {})}


def _trusted(row: TrustedPrincipal) -> dict[str, Any]:
    told: dict[str, Any] = {
        "statement": row.statement,
        "principal": {row.kind: row.value},
        "class": row.cls,
        "reason": row.reason,
    }
    if row.calls:
        told |= {"calls": row.calls, "last_used": _time(row.last_used), "example_event": row.example_event}
    return told


def _made_by(tags: Mapping[str, str]) -> dict[str, Any]:
    """Give the tags that tell which stack made a principal: they lead to the file that defines it."""
    found = {key: value for key, value in sorted(tags.items()) if key.startswith("aws:cloudformation:")}
    return {"tags": found} if found else {}


def _rolled_up(permissions: Sequence[Permission]) -> list[dict[str, Any]]:
    """Tell permissions one by one, but what a broad grant leaves unused by service: nobody reads 20,000 rows."""
    groups: dict[tuple[str, str, str], list[Permission]] = defaultdict(list)
    for row in permissions:
        service = row.action.partition(":")[0]
        groups[(row.action, "", "") if row.calls or row.contradiction else (service, row.cls, row.reason)].append(row)
    told = []
    for (service, cls, reason), rows in groups.items():
        if len(rows) > _TOLD_ONE_BY_ONE:
            levels = Counter(access_level(row.action) or "Unknown" for row in rows)
            told.append(
                {
                    "action": f"{service}:*",
                    "class": cls,
                    "reason": reason,
                    "count": len(rows),
                    "levels": dict(sorted(levels.items())),
                }
            )
        else:
            told += [_permission(row) for row in rows]
    return sorted(told, key=lambda row: (row["action"], row["class"], row["reason"]))


def _permission(row: Permission) -> dict[str, Any]:
    told: dict[str, Any] = {"action": row.action, "class": row.cls, "reason": row.reason}
    if row.last_accessed:
        told["last_accessed"] = _time(row.last_accessed)
    if row.contradiction:
        told["contradiction"] = row.contradiction
    if row.calls:
        told |= {
            "calls": row.calls,
            "first_used": _time(row.first_used),
            "last_used": _time(row.last_used),
            "resources": list(row.resources),
            "example_event": row.example_event,
        }
    return told


def _time(when: datetime | None) -> str | None:
    return None if when is None else when.replace(microsecond=0).isoformat() + "Z"
