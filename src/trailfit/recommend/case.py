"""One principal and all that is known of it: what every check of it looks at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from trailfit.catalog.weights import weight
from trailfit.recommend import escalation
from trailfit.recommend.granted import statements

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trailfit.model import AttachedPolicy, Evidence, Function, Principal, Snapshot, Usage
    from trailfit.policy.document import Document
    from trailfit.recommend.classify import Judged
    from trailfit.recommend.granted import Via
    from trailfit.recommend.runtime import RuntimeNeed

#: What no action that only reads or lists weighs more than, unless a row says that it is sensitive.
_READING = 1.0


class Surroundings:
    """What a snapshot tells of everybody: whose accounts are ours, which roles trust which service."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self.organization_known = any(one.scp is not None for one in snapshot.guardrails)

    @cached_property
    def accounts(self) -> frozenset[str]:
        """Name the accounts that are ours: the snapshot's, and those of its organization."""
        return frozenset((*self._snapshot.accounts, *(one.account for one in self._snapshot.guardrails)))

    @cached_property
    def trusting(self) -> Mapping[tuple[str, str], tuple[str, ...]]:
        """Map (account, service) to the roles there that the service may assume."""
        found: dict[tuple[str, str], list[str]] = {}
        for principal in self._snapshot.principals:
            for statement in principal.trust.statements if principal.trust else ():
                for kind, value in statement.principals or ():
                    if statement.effect == "Allow" and kind == "Service":
                        found.setdefault((principal.account, value), []).append(principal.arn)
        return {key: tuple(sorted(arns)) for key, arns in found.items()}

    def control_policies(self, account: str) -> tuple[tuple[Document, ...], ...]:
        """List the levels of service control policies above an account, as far as they are known.

        A level with a policy that could not be read bounds nothing here: then a path may be told that it closes.
        """
        levels = next((one.scp for one in self._snapshot.guardrails if one.account == account), None) or ()
        read = ([policy.document for policy in level.policies] for level in levels)
        return tuple(
            tuple(document for document in documents if document) for documents in read if None not in documents
        )

    @cached_property
    def groups(self) -> Mapping[tuple[str, str], str]:
        """Map (account, group name) to the group's ARN."""
        return {(group.account, group.name): group.arn for group in self._snapshot.groups}


@dataclass(frozen=True)
class Case:
    """A principal, who runs as it, what it is granted, and how each granted action was judged.

    `uses` are its counted uses by action, `runtime` what the runtimes of its functions need.
    """

    principal: Principal
    functions: Sequence[Function]
    evidence: Evidence
    grants: Mapping[str, Sequence[Via]]
    judged: Mapping[str, Judged]
    uses: Mapping[str, Sequence[Usage]]
    runtime: Mapping[str, RuntimeNeed]
    around: Surroundings

    @property
    def arn(self) -> str:
        """The principal's ARN."""
        return self.principal.arn

    def statements(self) -> Iterator[tuple[AttachedPolicy, int, dict[str, Any]]]:
        """Give each Allow statement as written, with its policy and its place in it."""
        for policy in self.principal.policies:
            for index, statement in enumerate(statements(policy)):
                if statement["Effect"] == "Allow":
                    yield policy, index, statement

    @cached_property
    def is_workload(self) -> bool:
        """Tell whether software wears this role: a service may assume it, or a compute resource runs as it."""
        trust = self.principal.trust
        return bool(self.functions) or any(
            kind == "Service"
            for statement in (trust.statements if trust else ())
            if statement.effect == "Allow"
            for kind, _ in statement.principals or ()
        )

    @cached_property
    def is_reader(self) -> bool:
        """Tell whether it can only read or list, and nothing that a row calls sensitive."""
        return all(weight(action) <= _READING for action in self.grants)

    @cached_property
    def paths(self) -> tuple[escalation.Path, ...]:
        """List the ways by which it could gain rights that it was not given."""
        return escalation.find(self.principal, self.grants, self.around, self.evidence.window.last)

    @property
    def power(self) -> int:
        """Shift a severity: a step up for a principal that can empower itself, a step down for one that only reads."""
        return 1 if self.paths else -1 if self.is_reader else 0

    @cached_property
    def staying(self) -> frozenset[str]:
        """Name the granted actions that a proposal keeps, and those that a runtime needs."""
        return frozenset(action for action, each in self.judged.items() if each.carried or action in self.runtime)

    @cached_property
    def used_actions(self) -> frozenset[str]:
        """Name the granted actions that were used."""
        return frozenset(action for action, each in self.judged.items() if each.permission.cls == "used")
