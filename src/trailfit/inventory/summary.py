"""A snapshot in a few lines."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from trailfit.inventory.diff import changes

if TYPE_CHECKING:
    from trailfit.model import Snapshot


def counts(snapshot: Snapshot) -> dict[str, int]:
    """Count what a snapshot holds, under the names that the summary prints."""
    kinds = Counter(principal.kind for principal in snapshot.principals)
    credentials = [credential for principal in snapshot.principals for credential in principal.credentials]
    inline = {
        (policy.group or principal.arn, policy.name)
        for principal in snapshot.principals
        for policy in principal.policies
        if policy.kind in {"inline", "group_inline"}
    }
    return {
        "accounts": len(snapshot.accounts),
        "roles": kinds["role"],
        "users": kinds["user"],
        "groups": len(snapshot.groups),
        "managed policies": len(snapshot.managed),
        "inline policies": len(inline),
        "access keys": sum(credential.kind == "access_key" for credential in credentials),
        "functions": sum(function.kind == "AWS::Lambda::Function" for function in snapshot.functions),
        "other compute": sum(function.kind != "AWS::Lambda::Function" for function in snapshot.functions),
        "trails": len(snapshot.selectors),
        "permission sets": len(snapshot.permission_sets),
        "not assessed": len(snapshot.unassessed),
    }


def since(old: Snapshot, new: Snapshot) -> str:
    """Return one line that counts what changed from an earlier snapshot."""
    found = Counter(change.kind for change in changes(old, new))
    said = ", ".join(f"{found[kind]} {kind}" for kind in ("added", "removed", "changed"))
    return f"since {old.taken:%Y-%m-%d %H:%M} UTC: {said}"


def lines(snapshot: Snapshot) -> list[str]:
    """Return the summary, one line a count."""
    found = counts(snapshot)
    width = max(len(str(count)) for count in found.values())
    return [f"snapshot of {snapshot.taken:%Y-%m-%d %H:%M} UTC", *(f"{n:>{width}} {name}" for name, n in found.items())]
