"""What nobody used: services, actions, and resources that were never touched.

Said only of what the log would have shown: a permission whose class is ``unused``; a resource pattern only where every
action that could touch it would have been logged with its resource.
https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-findings.html
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from trailfit.catalog.actions import resource_types
from trailfit.recommend.covered import covered
from trailfit.recommend.findings import SHOWN, make
from trailfit.recommend.granted import listed
from trailfit.recommend.resources import arn_includes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trailfit.model import Finding
    from trailfit.recommend.case import Case

_ARN_PARTS = 6


def findings(case: Case) -> Iterator[Finding]:
    """Give up to three findings: services never used, actions never used of services that were, resources untouched."""
    unused: dict[str, list[str]] = defaultdict(list)
    for action, each in case.judged.items():
        if each.permission.cls == "unused":
            unused[action.partition(":")[0]].append(action)
    granted = Counter(action.partition(":")[0] for action in case.judged)
    whole = {service: actions for service, actions in sorted(unused.items()) if len(actions) == granted[service]}
    if whole:
        reached = {row.service: row.last for row in case.principal.last_accessed or () if not row.action}
        told = {
            "level": "service",
            "unused": sum(map(len, whole.values())),
            "granted": len(case.judged),
            "services_unused": len(whole),
            "services": {service: len(actions) for service, actions in list(whole.items())[: 2 * SHOWN]},
            "last_accessed": {
                service: last.date().isoformat() for service in whole if (last := reached.get(service)) is not None
            },
            "window_days": case.evidence.window.days,
        }
        yield _make(case, told, "services never used")
    parts = sorted(action for service, actions in unused.items() if service not in whole for action in actions)
    if parts:
        told = {
            "level": "action",
            "unused": len(parts),
            "granted": len(case.judged),
            "actions": parts[: 2 * SHOWN],
            "services": sorted({action.partition(":")[0] for action in parts}),
            "window_days": case.evidence.window.days,
        }
        yield _make(case, told, "actions never used")
    patterns = _untouched(case)
    if patterns:
        told = {
            "level": "resource",
            "resources": patterns[: 2 * SHOWN],
            "resources_unused": len(patterns),
            "window_days": case.evidence.window.days,
        }
        yield _make(case, told, "resources never touched")


def _make(case: Case, told: dict[str, object], what: str) -> Finding:
    return make("UnusedPermission", case.arn, told, confidence="high", resource=what, shift=case.power)


def _untouched(case: Case) -> list[str]:
    """List the granted patterns (but not ``*``) that no used resource lies in, although actions used could have.

    A pattern whose every action is unused is told of by its actions.
    """
    touched = {row.resource for rows in case.uses.values() for row in rows}
    found: set[str] = set()
    for _policy, _index, statement in case.statements():
        actions = covered(statement).actions
        for pattern in listed(statement.get("Resource")):
            if pattern == "*" or "${" in pattern or _is_touched(pattern, touched):
                continue
            fitting = [action for action in actions if _fits(action, pattern)]
            used = [action for action in fitting if action in case.used_actions]
            if used and all(_would_show(action, case) for action in fitting):
                found.add(pattern)
    return sorted(found)


def _is_touched(pattern: str, touched: set[str]) -> bool:
    """Tell whether a used resource lies in the pattern, or, told as a pattern itself, may."""
    return any(arn_includes(pattern, each) or ("*" in each and arn_includes(each, pattern)) for each in touched)


def _would_show(action: str, case: Case) -> bool:
    """Tell whether a use of the action on the pattern would be known: it is unused, or used and always logged."""
    permission = case.judged[action].permission if action in case.judged else None
    if permission is None or permission.cls == "unused":
        return True
    rows = case.uses.get(action, ())
    return (
        permission.cls == "used"
        and all(row.resource != "*" for row in rows)
        and case.evidence.silence(case.principal.account, action).is_evidence
    )


def _fits(action: str, pattern: str) -> bool:
    """Tell whether an action takes resources of the pattern's service and kind, as far as its ARN tells."""
    wanted = pattern.split(":", 5)
    if len(wanted) != _ARN_PARTS:
        return False
    for each in resource_types(action):
        template = each.arn.split(":", 5)
        if len(template) != _ARN_PARTS or template[2] != wanted[2]:
            continue
        word, hole, rest = template[5].partition("${")
        if wanted[5].startswith(word) if word else (not hole or ("/" in rest) == ("/" in wanted[5])):
            return True
    return False
