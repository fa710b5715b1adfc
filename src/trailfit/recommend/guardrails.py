"""The guardrails as findings: no wildcard without a reason, nothing of AWS's where a fitted policy can stand.

With them, roles before users with static keys, and one role per function, rule or job.
"""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, Any

from trailfit.catalog.risks import client_hint
from trailfit.policy.evaluate import Request, grants
from trailfit.recommend.covered import covered, used_on
from trailfit.recommend.findings import SHOWN, make
from trailfit.recommend.granted import listed, statements
from trailfit.recommend.resources import arn_includes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trailfit.model import AttachedPolicy, Finding, Function, KeySource
    from trailfit.recommend.case import Case

_HANDING = "iam:PassRole"


def findings(case: Case) -> Iterator[Finding]:
    """Give the guardrail findings of one principal."""
    for policy, index, statement in case.statements():
        yield from _wide(case, policy, index, statement)
    yield from _managed(case)
    yield from _static_keys(case)
    yield from _shared(case)


def _wide(case: Case, policy: AttachedPolicy, index: int, statement: dict[str, Any]) -> Iterator[Finding]:
    """Wildcards, NotAction, NotResource and passing any role: what the statement really covers, and what was used.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege
    """
    within = covered(statement)
    used, resources = used_on(case, within.actions)
    where: dict[str, object] = {
        "policy": policy.name,
        "policy_kind": policy.kind,
        "statement": statement.get("Sid") or index,
    }
    place = f"{policy.arn or policy.name}#{index}"
    extent = {"actions_covered": len(within.actions), "actions_used": len(used), "narrowed_to": used[:SHOWN]}
    touched = {"resources_used": len(resources), "narrowed_to": resources[:SHOWN]}
    judged = [case.judged[action] for action in within.actions if action in case.judged]
    in_vain = bool(judged) and all(each.in_vain for each in judged)
    shift = within.shift(statement) - 2 * in_vain
    if in_vain:
        where["in_vain"] = "a Deny, the boundary or a service control policy cuts all of it off today"
    wildcards = [each for each in listed(statement.get("Action")) if "*" in each or "?" in each]
    if "NotAction" in statement:
        told = {**where, "left_out": listed(statement["NotAction"])[:SHOWN], **extent}
        yield make("AllowNotAction", case.arn, told, confidence="high", resource=place, shift=shift)
    elif wildcards:
        told = {**where, "patterns": wildcards[:SHOWN], **extent}
        yield make("WildcardAction", case.arn, told, confidence="high", resource=place, shift=shift)
    if "NotResource" in statement:
        told = {**where, "left_out": listed(statement["NotResource"])[:SHOWN], **touched}
        yield make("AllowNotResource", case.arn, told, confidence="high", resource=place, shift=shift)
    elif "*" in listed(statement.get("Resource")) and within.limitable:
        told = {
            **where,
            "resource": statement["Resource"],
            "actions_that_could_be_limited": len(within.limitable),
            **touched,
        }
        yield make("WildcardResource", case.arn, told, confidence="high", resource=place, shift=shift)
    if _HANDING in within.actions and "*" not in wildcards and "NotAction" not in statement:
        yield from _pass_role(case, where, place, statement)


def _pass_role(case: Case, where: dict[str, object], place: str, statement: dict[str, Any]) -> Iterator[Finding]:
    """Find what may pass any role of the account to a service.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
    """
    every_role = f"arn:{case.arn.split(':')[1]}:iam::{case.principal.account}:role/*"
    wide = [each for each in listed(statement.get("Resource")) if each == "*" or arn_includes(each, every_role)]
    if (not wide and "NotResource" not in statement) or not _may_pass(case):
        return
    limits = {key.lower() for keys in statement.get("Condition", {}).values() for key in keys}
    is_limited = bool(limits & {"iam:passedtoservice", "iam:associatedresourcearn"})
    passed = sorted({row.resource for row in case.uses.get(_HANDING, ())})
    yield make(
        "PassRoleOnAnyRole",
        case.arn,
        {**where, "resource": wide or "NotResource", "roles_passed": passed[:SHOWN], "service_limited": is_limited},
        confidence="high",
        resource=place,
        shift=-2 if is_limited else 0,
        remedy=None if passed else "no role was seen passed: take iam:PassRole away, or name the roles that are meant",
    )


def _may_pass(case: Case) -> bool:
    """Tell whether a role could really be passed: no Deny and no boundary cuts it off."""
    principal = case.principal
    documents = [policy.document for policy in principal.policies if policy.document]
    bound = principal.boundary.document if principal.boundary else None
    role = f"arn:{case.arn.split(':')[1]}:iam::{principal.account}:role/any"
    request = Request(case.arn, _HANDING, role, resource_account=principal.account, context_complete=False)
    return grants(request, documents, [bound] if bound else None) is not False


def _managed(case: Case) -> Iterator[Finding]:
    """AWS-managed policies, where a fitted one can stand.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html
    """
    principal = case.principal
    for policy in principal.policies:
        if policy.kind != "aws_managed" or policy.group is not None:
            continue
        allows = [statement for statement in statements(policy) if statement["Effect"] == "Allow"]
        actions = frozenset[str]().union(*(covered(statement).actions for statement in allows))
        used, _ = used_on(case, actions)
        replacement = _replacement(case, actions)
        step = f"aws iam detach-{principal.kind}-policy --{principal.kind}-name {quote(principal.name)}"
        yield make(
            "AWSManagedPolicy",
            case.arn,
            {
                "policy": policy.name,
                "workload": case.is_workload,
                "actions_granted": len(actions),
                "actions_used": len(used),
                "replacement": dict(list(replacement.items())[: 2 * SHOWN]),
                "actions_in_replacement": len(replacement),
            },
            confidence="high" if policy.document else "medium",
            resource=policy.arn,
            shift=max((covered(each).shift(each) for each in allows), default=0) - (not case.is_workload),
            remedy=None if replacement else "detach it: nothing of it is used, nor kept for another reason",
            commands=(f"{step} --policy-arn {quote(policy.arn or '')}",),
        )


def _replacement(case: Case, actions: frozenset[str]) -> dict[str, list[str]]:
    """Give the actions that stay, each with its resources: what was used, and what a runtime needs unseen.

    Thus ``AWSLambdaBasicExecutionRole`` becomes its ``logs:`` actions on the function's own log group.
    """
    found: dict[str, list[str]] = {}
    for action in sorted(actions & case.staying):
        if action in case.runtime:
            found[action] = list(case.runtime[action].resources)
        elif action in case.uses:
            found[action] = sorted({row.resource for row in case.uses[action]})[:SHOWN]
        else:
            found[action] = ["as today"]
    return found


def _static_keys(case: Case) -> Iterator[Finding]:
    """Users with long-term access keys, where a role would do: who uses them, from where, and what to use instead.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#bp-workloads-use-roles
    """
    principal, evidence = case.principal, case.evidence
    active = [key for key in principal.credentials if key.kind == "access_key" and key.active]
    if principal.kind != "user" or not active:
        return
    names = [key.id for key in active if key.id]
    sources = [row for name in names for row in evidence.key_sources.get(name, ())]
    hints = {(hint.runs, hint.instead) for hint in (client_hint(row.user_agent or "") for row in sources)}
    yield make(
        "UserWithStaticKeys",
        case.arn,
        {
            "access_keys": names or len(active),
            "calls": sum(evidence.key_use[name].calls for name in names if name in evidence.key_use),
            "used_from": _places(sources),
            "runs": sorted(runs for runs, _ in hints),
            "use_instead": sorted({instead for _, instead in hints}),
        },
        confidence="high" if sources else "medium",
    )


def _places(sources: list[KeySource]) -> list[dict[str, object]]:
    """Tell networks and clients, the busiest first."""
    busiest = sorted(sources, key=lambda row: (-row.calls, row.network, row.user_agent or ""))
    return [{"network": row.network, "client": row.user_agent, "calls": row.calls} for row in busiest[:SHOWN]]


def _shared(case: Case) -> Iterator[Finding]:
    """One role worn by several functions, rules, tasks or jobs: each can do what any of them needs.

    https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
    """
    wearers: dict[str, list[Function]] = {}
    for function in case.functions:
        wearers.setdefault(_wearer(function), []).append(function)
    if case.principal.kind != "role" or len(wearers) < 2:
        return
    seen = case.evidence.sessions.get(case.arn, {})
    yield make(
        "SharedRole",
        case.arn,
        {
            "functions": sorted({function.arn for function in case.functions})[: 5 * SHOWN],
            "shared_by": len(wearers),
            "kinds": sorted({function.kind for function in case.functions}),
            "triggers": sorted({arn for function in case.functions for arn in function.triggers})[:SHOWN],
            "events_by_session": {name: seen[name] for name in sorted(seen) if _is_named(name, case)},
        },
        confidence="high",
        remedy=f"give each of the {len(wearers)} a role of its own, fitted to its own calls",
    )


def _wearer(function: Function) -> str:
    """Name what wears a role: all instances of one profile are one, and all revisions of a task definition."""
    if function.kind == "AWS::EC2::Instance":
        return function.kind
    if function.kind.startswith("AWS::ECS::TaskDefinition"):
        return function.arn.rpartition(":")[0]
    return function.arn


def _is_named(session: str, case: Case) -> bool:
    """Tell whether a session bears the name of a function: Lambda names its sessions so."""
    return any(function.name == session for function in case.functions)
