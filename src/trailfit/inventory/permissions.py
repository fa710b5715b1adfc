"""The IAM actions that taking the inventory needs: exactly those of its calls, no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trailfit.inventory.calls import calls

if TYPE_CHECKING:
    from trailfit.inventory.settings import Settings

#: The steps that AWS answers only in the organization's management account or a delegated administrator's.
_CENTRAL = ("organization", "identity_center")


def needed(settings: Settings) -> frozenset[str]:
    """Return every IAM action that the run with these settings calls, in any account."""
    return frozenset((*central(settings), *per_account(settings)))


def central(settings: Settings) -> frozenset[str]:
    """Return what the caller itself needs: the organization, Identity Center, and to assume the role."""
    assume = ["sts:AssumeRole"] if settings.role_name else []
    return frozenset([call.permission for call in calls() if call.scope in _CENTRAL] + assume)


def per_account(settings: Settings) -> frozenset[str]:
    """Return what is needed in each account that is read: by the assumed role, else by the caller."""
    return frozenset(
        call.permission
        for call in calls()
        if call.scope not in _CENTRAL and not (call.step == "regions" and settings.regions)
    )


def policy(actions: frozenset[str], settings: Settings) -> dict[str, Any]:
    """Return the least policy that allows `actions`. They are reads without resource-level control, or on all.

    Only assuming the role is held to the role's name.
    """
    reads = sorted(actions - {"sts:AssumeRole"})
    statements: list[dict[str, Any]] = [
        {"Sid": "TrailfitInventory", "Effect": "Allow", "Action": reads, "Resource": "*"}
    ]
    if "sts:AssumeRole" in actions:
        role = f"arn:aws:iam::*:role/{settings.role_name}"
        statements.append({"Sid": "TrailfitAssume", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role})
    return {"Version": "2012-10-17", "Statement": statements}
