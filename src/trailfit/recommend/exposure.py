"""Who may come in: trust policies that let in anybody, strangers, somebody's deputy, or any tenant of a provider.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trailfit.catalog.risks import deputy_keys, tenant_keys, trust_limits
from trailfit.policy.principal import account
from trailfit.recommend.findings import SHOWN, make

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trailfit.model import Finding
    from trailfit.policy.condition import Condition
    from trailfit.policy.document import Statement
    from trailfit.recommend.case import Case

_ACCOUNT = re.compile(r"\d{12}\Z")
#: The region in a service principal: ``states.eu-west-1.amazonaws.com`` is ``states.amazonaws.com``.
_REGIONAL = re.compile(r"\.[a-z]{2}(?:-[a-z]+)+-\d(?=\.amazonaws\.com)")
_OIDC = re.compile(r"arn:[^:]*:iam::\d{12}:oidc-provider/(.+)\Z")


def findings(case: Case) -> Iterator[Finding]:
    """Give the findings about a role's trust policy, statement by statement."""
    for statement in case.principal.trust.statements if case.principal.trust else ():
        if statement.effect == "Allow":
            yield from _anybody(case, statement)
            yield from _strangers(case, statement)
            yield from _deputies(case, statement)
            yield from _tenants(case, statement)


def _where(statement: Statement) -> dict[str, object]:
    return {
        "statement": statement.sid or statement.index,
        "conditions": sorted({each.key for each in statement.conditions}),
    }


def _anybody(case: Case, statement: Statement) -> Iterator[Finding]:
    """Everybody in AWS, or everybody but some; conditions that say who or where narrow it."""
    everybody = ("AWS", "*") in (statement.principals or ())
    if not everybody and not statement.not_principal:
        return
    limits = {trust_limits().get(each.key.lower()) for each in statement.conditions if _limits(each)}
    told = {
        **_where(statement),
        "principal": "*" if everybody else "NotPrincipal",
        "narrowed_by": sorted(each.key for each in statement.conditions if each.key.lower() in trust_limits()),
    }
    shift = -2 if "who" in limits else -1 if limits & {"where", "secret"} else 0
    yield make(
        "WildcardTrust",
        case.arn,
        told,
        confidence="high" if not statement.conditions else "medium",
        resource=f"trust policy#{statement.index}",
        shift=shift,
    )


def _strangers(case: Case, statement: Statement) -> Iterator[Finding]:
    """Accounts that are neither in the snapshot nor in its organization."""
    for owner, named in sorted(_outside(case, statement).items()):
        told = {
            **_where(statement),
            "account": owner,
            "principals": named[:SHOWN],
            "organization_known": case.around.organization_known,
        }
        yield make(
            "ExternalTrust",
            case.arn,
            told,
            confidence="high" if case.around.organization_known else "medium",
            resource=owner,
            shift=case.power,
        )


def _outside(case: Case, statement: Statement) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    if not statement.not_principal:
        for kind, value in statement.principals or ():
            owner = value if _ACCOUNT.match(value) else account(value)
            if kind == "AWS" and owner and owner not in case.around.accounts:
                found.setdefault(owner, []).append(value)
    return found


def _deputies(case: Case, statement: Statement) -> Iterator[Finding]:
    """Services, and third parties, that could be talked into assuming the role for somebody else.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """
    limited = {each.key.lower() for each in statement.conditions if _limits(each)}
    callers: dict[str, tuple[str, ...]] = {}
    for kind, value in statement.principals or ():
        if kind == "Service" and not statement.not_principal:
            callers[value] = deputy_keys(_REGIONAL.sub("", value).removesuffix(".cn"))
    callers |= {f"account {owner}": ("sts:ExternalId",) for owner in _outside(case, statement)}
    for caller, keys in sorted(callers.items()):
        if not keys or limited & {key.lower() for key in keys}:
            continue
        told = {**_where(statement), "caller": caller, "keys_missing": list(keys)}
        is_service = "." in caller
        yield make(
            "ConfusedDeputy",
            case.arn,
            told,
            confidence="medium",
            resource=caller,
            shift=case.power - is_service,
            remedy=f"add a condition on {' or '.join(keys)} to the statement that trusts {caller}",
        )


def _tenants(case: Case, statement: Statement) -> Iterator[Finding]:
    """Identity providers that serve many tenants, where nothing says which tenant is meant."""
    for kind, value in statement.principals or ():
        found = _OIDC.match(value)
        provider = found[1] if found else value
        keys = {key.lower() for key in tenant_keys(provider)} if kind == "Federated" else set()
        if not keys or any(each.key.lower() in keys and _limits(each) for each in statement.conditions):
            continue
        told = {**_where(statement), "provider": provider, "keys_that_should_limit": list(tenant_keys(provider))}
        yield make(
            "FederatedTrustTooWide", case.arn, told, confidence="high", resource=provider, shift=max(0, case.power)
        )


def _limits(condition: Condition) -> bool:
    """Tell whether a condition really limits: it says what must be, of a key that is there, and not just anything."""
    return (
        not condition.operator.negated
        and condition.operator.kind != "null"
        and not condition.if_exists
        and condition.qualifier != "ForAllValues"
        and not any(_is_anything(value) for value in condition.values)
    )


def _is_anything(value: str) -> bool:
    """Tell whether a value leaves the whole open: ``*``, or one field and then a wildcard (``repo:*``)."""
    if value in ("0.0.0.0/0", "::/0"):
        return True
    before = value.split("*", 1)[0] if "*" in value else None
    return before is not None and len([part for part in before.split(":") if part]) <= 1 and "/" not in before
