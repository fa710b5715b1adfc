"""Facts that judging a permission needs beyond the action tables: what no log shows, and what a runtime uses."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from trailfit.catalog.actions import expand
from trailfit.catalog.tables import rows


@dataclass(frozen=True, slots=True)
class RuntimePermission:
    """An action that a compute service's runtime uses in a role's name; `resource` is a template."""

    compute: str
    action: str
    resource: str
    reason: str


@cache
def _blind() -> dict[str, str]:
    return {action: row["reason"] for row in rows("blind_actions") for action in expand(row["pattern"])}


def blind(action: str) -> str | None:
    """Say why CloudTrail never sees calls that exercise `action` although they are made, or None.

    >>> blind("dax:GetItem")
    "CloudTrail logs DAX's control plane only, never its item calls"
    >>> blind("dynamodb:GetItem")
    """
    return _blind().get(action)


@cache
def prerequisites() -> dict[str, tuple[tuple[str, ...], str]]:
    """Map an action to the logged actions that must come before it, and why."""
    return {row["action"]: (tuple(row["prerequisites"].split()), row["reason"]) for row in rows("prerequisites")}


@cache
def acting(principal: str) -> frozenset[str]:
    """List the actions that the service `principal` uses unlogged when it wears a role itself (S3 replication)."""
    return frozenset(
        action for row in rows("acting_services") if row["principal"] == principal for action in row["actions"].split()
    )


@cache
def runtime_permissions(compute: str) -> tuple[RuntimePermission, ...]:
    """List what the runtime of `compute` (``lambda``) does in the name of its execution role."""
    return tuple(
        RuntimePermission(row["compute"], row["action"], row["resource"], row["reason"])
        for row in rows("runtime_permissions")
        if row["compute"] == compute
    )


@cache
def _session_names() -> dict[str, str]:
    return {row["kind"]: row["session"] for row in rows("session_names")}


def session_name(kind: str, name: str) -> str | None:
    """Give the name that the sessions of a compute resource's role bear, or None where it is not known.

    >>> session_name("AWS::Lambda::Function", "orders")
    'orders'
    >>> session_name("AWS::ECS::TaskDefinition", "orders")
    """
    template = _session_names().get(kind)
    return template.format(name=name) if template else None


def reserved(path: str) -> str | None:
    """Say why a role under `path` cannot be edited by its account, or None when it can.

    >>> reserved("/aws-service-role/rds.amazonaws.com/")
    'a service-linked role: only its service can change it'
    >>> reserved("/app/")
    """
    return next((row["reason"] for row in rows("reserved_paths") if path.startswith(row["path"])), None)
