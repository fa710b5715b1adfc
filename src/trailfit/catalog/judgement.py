"""Facts that judging a permission needs beyond the action tables: what no log shows, and what a runtime uses."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from trailfit.catalog.tables import rows


@dataclass(frozen=True, slots=True)
class RuntimePermission:
    """An action that a compute service's runtime uses in a role's name; `resource` is a template."""

    compute: str
    action: str
    resource: str
    reason: str


@cache
def blind_services() -> dict[str, str]:
    """Map each service whose data plane CloudTrail never sees to the reason."""
    return {row["service"]: row["reason"] for row in rows("blind_services")}


@cache
def prerequisites() -> dict[str, tuple[tuple[str, ...], str]]:
    """Map an action to the logged actions that must come before it, and why."""
    return {row["action"]: (tuple(row["prerequisites"].split()), row["reason"]) for row in rows("prerequisites")}


@cache
def runtime_permissions(compute: str) -> tuple[RuntimePermission, ...]:
    """List what the runtime of `compute` (``lambda``) does in the name of its execution role."""
    return tuple(
        RuntimePermission(row["compute"], row["action"], row["resource"], row["reason"])
        for row in rows("runtime_permissions")
        if row["compute"] == compute
    )


def reserved(path: str) -> str | None:
    """Say why a role under `path` cannot be edited by its account, or None when it can.

    >>> reserved("/aws-service-role/rds.amazonaws.com/")
    'a service-linked role: only its service can change it'
    >>> reserved("/app/")
    """
    return next((row["reason"] for row in rows("reserved_paths") if path.startswith(row["path"])), None)
