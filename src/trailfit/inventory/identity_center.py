"""Identity Center: permission sets, what they grant, who holds them where, and the roles they made.

A permission set ``Dev`` gives each account it is provisioned to a role ``AWSReservedSSO_Dev_<16 hex digits>``.
Source: https://docs.aws.amazon.com/singlesignon/latest/userguide/using-iam-customer-managed-policies.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from trailfit.inventory.values import document, objects, text
from trailfit.model import Assignment, AttachedPolicy, PermissionSet, Unassessed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from trailfit.inventory.authorization import Authorization
    from trailfit.model import Principal

_ROLE = re.compile(r"AWSReservedSSO_(?P<name>.+)_[0-9a-f]{16}")


class IdentityCenter:
    """Answers about permission sets, by ARN."""

    def __init__(self, unassessed: list[Unassessed]) -> None:
        self._unassessed = unassessed
        self._names: dict[str, str] = {}
        self._inline: dict[str, AttachedPolicy] = {}
        self._managed: dict[str, list[tuple[str, str]]] = {}
        self._customer: dict[str, list[str]] = {}
        self._boundary: dict[str, Mapping[str, Any]] = {}
        self._assignments: dict[str, list[Assignment]] = {}

    def add(self, kind: str, data: Mapping[str, Any], params: Mapping[str, Any]) -> None:
        """Add one answer about the permission set that its request names."""
        arn = str(params.get("PermissionSetArn"))
        if kind == "permission_set":
            self._names[arn] = text(data.get("PermissionSet") or {}, "Name") or arn
        elif kind == "permission_set_inline" and text(data, "InlinePolicy"):
            found = document(data["InlinePolicy"], f"{arn} inline policy", self._unassessed)
            self._inline[arn] = AttachedPolicy("inline", "inline", None, found)
        elif kind == "permission_set_managed":
            for policy in objects(data.get("AttachedManagedPolicies")):
                self._managed.setdefault(arn, []).append((str(policy.get("Arn")), str(policy.get("Name"))))
        elif kind == "permission_set_customer":
            for policy in objects(data.get("CustomerManagedPolicyReferences")):
                self._customer.setdefault(arn, []).append(str(policy.get("Name")))
        elif kind == "permission_set_boundary":
            self._boundary[arn] = data.get("PermissionsBoundary") or {}
        elif kind == "assignments":
            for one in objects(data.get("AccountAssignments")):
                self._assignments.setdefault(arn, []).append(
                    Assignment(str(one.get("AccountId")), str(one.get("PrincipalType")), str(one.get("PrincipalId")))
                )

    def permission_sets(
        self, authorization: Authorization, principals: Iterable[Principal]
    ) -> tuple[PermissionSet, ...]:
        """Return the permission sets, sorted by ARN, each with the roles of `principals` that it made.

        A customer managed policy is a name that each account fills itself: its document is None here and in
        the role's own policies as they are.
        """
        roles: dict[str, list[str]] = {}
        for principal in principals:
            match = _ROLE.fullmatch(principal.name) if principal.kind == "role" else None
            if match:
                roles.setdefault(match["name"], []).append(principal.arn)
        return tuple(
            PermissionSet(
                arn=arn,
                name=name,
                policies=(
                    *([self._inline[arn]] if arn in self._inline else []),
                    *(authorization.attached(of, called, "") for of, called in sorted(self._managed.get(arn, ()))),
                    *(
                        AttachedPolicy("customer_managed", called, None, None)
                        for called in sorted(self._customer.get(arn, ()))
                    ),
                ),
                boundary=self._bounded(arn, authorization),
                assignments=tuple(
                    sorted(
                        set(self._assignments.get(arn, ())),
                        key=lambda one: (one.account, one.principal_type, one.principal_id),
                    )
                ),
                roles=tuple(sorted(roles.get(name, ()))),
            )
            for arn, name in sorted(self._names.items())
        )

    def _bounded(self, arn: str, authorization: Authorization) -> AttachedPolicy | None:
        bounds = self._boundary.get(arn, {})
        managed = text(bounds, "ManagedPolicyArn")
        if managed:
            return authorization.attached(managed, managed.rsplit("/", 1)[-1], "")
        reference = bounds.get("CustomerManagedPolicyReference")
        return AttachedPolicy("customer_managed", str(reference.get("Name")), None, None) if reference else None
