"""The tree above each account, and the service and resource control policies set on it.

Read from one nested file (``{"Id": "r-…", "Policies": […], "Children": […]}``, as organization exporters
write it) or from the answers of our own collection. The management account is bound by neither kind of policy.
Source: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trailfit.inventory.values import ACCOUNT, account_of, document, objects, text
from trailfit.model import GuardrailLevel, GuardrailPolicy, Guardrails, Unassessed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SCP, RCP = "SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"


class Organization:
    """Nodes, policies and what is set where, as the answers come; then the guardrails of an account."""

    def __init__(self, unassessed: list[Unassessed]) -> None:
        self._unassessed = unassessed
        self._parents: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._enabled: dict[str, set[str]] = {}
        self._policies: dict[str, tuple[str, GuardrailPolicy]] = {}
        self._targets: dict[str, set[str]] = {}
        self._management: str | None = None
        self._none = False
        self._incomplete = False

    def add_tree(self, node: Mapping[str, Any], where: str) -> None:
        """Add a nested file, from its root down."""
        self._management = account_of(node.get("Arn")) or self._management
        self._roots([dict(node)])
        stack = [dict(node)]
        while stack:
            one = stack.pop()
            identity = str(one.get("Id"))
            self._names[identity] = text(one, "Name") or identity
            for policy in objects(one.get("Policies")):
                self._policy(policy, policy.get("Content"), where)
                self._targets.setdefault(str(policy.get("Id")), set()).add(identity)
            for child in objects(one.get("Children")):
                self._parents[str(child.get("Id"))] = identity
                stack.append(child)

    def add(self, kind: str, data: Mapping[str, Any], params: Mapping[str, Any], where: str) -> None:
        """Add one answer of our own collection."""
        if kind == "organization":
            self._management = text(data.get("Organization") or {}, "MasterAccountId")
        elif kind == "roots":
            self._roots(objects(data.get("Roots")))
        elif kind == "parents":
            for parent in objects(data.get("Parents")):
                self._parents[str(params["ChildId"])] = str(parent.get("Id"))
        elif kind == "policy_targets":
            for target in objects(data.get("Targets")):
                self._targets.setdefault(str(params["PolicyId"]), set()).add(str(target.get("TargetId")))
                self._names[str(target.get("TargetId"))] = text(target, "Name") or str(target.get("TargetId"))
        elif kind == "guardrail":
            policy = data.get("Policy") or {}
            self._policy(policy.get("PolicySummary") or {}, policy.get("Content"), where)

    def none(self) -> None:
        """Note that the account belongs to no organization: nothing stands above it."""
        self._none = True

    def incomplete(self) -> None:
        """Note that a part of the organization could not be read: no account's guardrails are known then."""
        self._incomplete = True

    def guardrails(self, accounts: Iterable[str]) -> tuple[Guardrails, ...]:
        """Return the guardrails of each account, the root's level first. A type that is not known is None."""
        return tuple(
            Guardrails(account, self._levels(account, SCP), self._levels(account, RCP)) for account in sorted(accounts)
        )

    def _roots(self, roots: list[dict[str, Any]]) -> None:
        for root in roots:
            types = objects(root.get("PolicyTypes"))
            self._enabled[str(root.get("Id"))] = {str(t.get("Type")) for t in types if t.get("Status") == "ENABLED"}
            self._names[str(root.get("Id"))] = text(root, "Name") or "Root"

    def _policy(self, summary: Mapping[str, Any], content: object, where: str) -> None:
        identity, name = str(summary.get("Id")), text(summary, "Name") or str(summary.get("Id"))
        found = document(content, f"{where} {name}", self._unassessed)
        self._policies[identity] = (str(summary.get("Type")), GuardrailPolicy(identity, name, found))

    def _levels(self, account: str, kind: str) -> tuple[GuardrailLevel, ...] | None:
        if self._none or account == self._management:
            return ()
        if self._incomplete:
            return None
        path = [account]
        while path[-1] in self._parents and len(path) <= len(self._parents):
            path.append(self._parents[path[-1]])
        enabled = self._enabled.get(path[-1])
        if enabled is None or not ACCOUNT.fullmatch(account):
            return None
        if kind not in enabled:
            return ()
        return tuple(
            GuardrailLevel(
                target,
                self._names.get(target, target),
                tuple(
                    policy
                    for identity, (of_kind, policy) in sorted(self._policies.items())
                    if of_kind == kind and target in self._targets.get(identity, ())
                ),
            )
            for target in reversed(path)
        )
