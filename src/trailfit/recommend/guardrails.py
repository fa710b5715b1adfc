"""The four guardrails as findings.

No wildcard without a reason, no AWS-managed policy where a fitted one can stand, roles before users with
static keys, one role per function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trailfit.catalog.actions import resource_types
from trailfit.recommend.findings import make
from trailfit.recommend.granted import actions_of, listed, statements

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trailfit.model import Evidence, Finding, Function, Principal

_SHOWN = 10


def findings(principal: Principal, functions: Sequence[Function], evidence: Evidence) -> Iterator[Finding]:
    """Give the guardrail findings of one principal; `functions` are those that run as it."""
    yield from _wildcards(principal)
    yield from _managed(principal)
    yield from _static_keys(principal, evidence)
    yield from _shared(principal, functions)


def _wildcards(principal: Principal) -> Iterator[Finding]:
    """Wildcard actions and resources, and how much each really covers.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege
    """
    for policy in principal.policies:
        for index, statement in enumerate(statements(policy)):
            if statement["Effect"] != "Allow":
                continue
            where = {"policy": policy.name, "policy_kind": policy.kind, "statement": statement.get("Sid", index)}
            wide = [each for each in listed(statement.get("Action")) if "*" in each or "?" in each]
            if wide or "NotAction" in statement:
                covered = sum(1 for _ in actions_of(statement))
                yield make(
                    "WildcardAction",
                    principal.arn,
                    {**where, "patterns": wide[:_SHOWN] or ["NotAction"], "actions_covered": covered},
                    confidence="high",
                    resource=f"{policy.arn or policy.name}#{index}",
                )
            if "*" in listed(statement.get("Resource")) or "NotResource" in statement:
                if _resourceless(statement):
                    continue
                yield make(
                    "WildcardResource",
                    principal.arn,
                    {**where, "resource": statement.get("Resource", "NotResource")},
                    confidence="high",
                    resource=f"{policy.arn or policy.name}#{index}",
                )


def _resourceless(statement: dict[str, Any]) -> bool:
    """Tell whether every action of the statement can only be granted on ``*``."""
    return all(not resource_types(action) for action, _ in actions_of(statement))


def _managed(principal: Principal) -> Iterator[Finding]:
    """AWS-managed policies, where a fitted one can stand.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html
    """
    for policy in principal.policies:
        if policy.kind == "aws_managed" and policy.group is None:
            yield make(
                "AWSManagedPolicy",
                principal.arn,
                {"policy": policy.name, "remedy": "replace it by the fitted inline policy and detach it"},
                confidence="high",
                resource=policy.arn,
            )


def _static_keys(principal: Principal, evidence: Evidence) -> Iterator[Finding]:
    """Users with long-term access keys, where a role would do.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#bp-workloads-use-roles
    """
    active = [key.id for key in principal.credentials if key.kind == "access_key" and key.active and key.id]
    if principal.kind == "user" and active:
        yield make(
            "UserWithStaticKeys",
            principal.arn,
            {
                "access_keys": active,
                "calls": sum(evidence.key_use[key].calls for key in active if key in evidence.key_use),
                "remedy": "let the workload assume a role: an instance profile, OIDC, or IAM Roles Anywhere",
            },
            confidence="high",
        )


def _shared(principal: Principal, functions: Sequence[Function]) -> Iterator[Finding]:
    """One role worn by several functions: each can do what any of them needs.

    https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
    """
    if principal.kind == "role" and len(functions) > 1:
        yield make(
            "SharedRole",
            principal.arn,
            {
                "functions": sorted(function.arn for function in functions),
                "remedy": "give each function a role of its own, fitted to its own calls",
            },
            confidence="high",
        )
