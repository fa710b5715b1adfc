"""What a compute service's runtime does in the name of its execution role, and on which resources.

The runtime's calls are part of a function's work although its code never makes them, and some are never logged.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trailfit.catalog.judgement import runtime_permissions
from trailfit.recommend.resources import arn_includes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trailfit.model import Function, Usage

#: CloudFormation's name of the compute resource → the catalogue's.
_COMPUTE = {"AWS::Lambda::Function": "lambda"}


@dataclass(frozen=True, slots=True)
class RuntimeNeed:
    """One action that runtimes need, on which resources, and why."""

    resources: tuple[str, ...]
    reason: str


def needs(functions: Sequence[Function]) -> Mapping[str, RuntimeNeed]:
    """Map each action that the runtimes of `functions` use to what they need it for."""
    resources: dict[str, set[str]] = defaultdict(set)
    reasons: dict[str, str] = {}
    for function in functions:
        for each in runtime_permissions(_COMPUTE.get(function.kind, "")):
            reasons[each.action] = each.reason
            resources[each.action].add(
                each.resource.format(
                    partition=function.arn.split(":")[1],
                    region=function.region,
                    account=function.account,
                    log_group=function.log_group or f"/aws/lambda/{function.name}",
                )
            )
    return {action: RuntimeNeed(tuple(sorted(found)), reasons[action]) for action, found in sorted(resources.items())}


def is_runtime(action: str) -> bool:
    """Tell whether some compute service's runtime uses an action in its role's name."""
    return any(action == each.action for compute in _COMPUTE.values() for each in runtime_permissions(compute))


def covers(needed: Mapping[str, RuntimeNeed], use: Usage) -> bool:
    """Tell whether a use is a runtime's own: its action on a resource that the runtime needs."""
    need = needed.get(use.action)
    return need is not None and any(arn_includes(wide, use.resource) for wide in need.resources)
