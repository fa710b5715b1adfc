"""The remedy for a confused deputy: let a service take the role on only for the resources that run as it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trailfit.catalog.risks import deputy_keys
from trailfit.catalog.trusted_services import source_arn, trusted_services

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trailfit.model import Function, Principal

_ACCOUNT, _ARN = "aws:SourceAccount", "aws:SourceArn"


def with_source(
    service: str, statement: Mapping[str, Any], role: Principal, functions: Sequence[Function]
) -> tuple[dict[str, dict[str, Any]], str]:
    """Give the conditions that hold a service to the resources it acts for, and why; none where they are not known.

    Only for services that AWS documents to send the keys, where the inventory lists what runs as the role, and where
    the statement has no such condition yet.
    """
    keys = deputy_keys(service)
    known = trusted_services().get(service)
    present = {key.lower() for block in statement.get("Condition", {}).values() for key in block}
    if known is None or _ACCOUNT not in keys or present & {key.lower() for key in keys}:
        return {}, ""
    mine = [one for one in functions if one.kind in known.kinds]
    if not mine:
        return {}, ""
    arns = sorted({source_arn(known, one.arn, one.account, one.region) for one in mine} - {""})
    found: dict[str, dict[str, Any]] = {"StringEquals": {_ACCOUNT: role.account}}
    if arns and _ARN in keys:
        found["ArnLike"] = {_ARN: arns[0] if len(arns) == 1 else arns}
    what = ", ".join(sorted(one.arn for one in mine))
    return found, f"the service acts for {what}; whoever else makes it act must not get at the role"


def sources(service: str, role: Principal, functions: Sequence[Function]) -> list[dict[str, str]]:
    """Give the contexts in which the service takes the role on, as far as the inventory tells; one empty else."""
    known = trusted_services().get(service)
    mine = [one for one in functions if known and one.kind in known.kinds]
    found = []
    for one in mine:
        arn = source_arn(known, one.arn, one.account, one.region) if known else ""
        # A wildcard of the service's own form stands for the resources below it: any of them will do.
        context = {_ACCOUNT: role.account, **({_ARN: arn.replace("*", "any")} if arn else {})}
        if context not in found:
            found.append(context)
    return found or [{}]
