"""What changed between two snapshots: the monthly difference, noun by noun.

A change of evidence alone (a last use, last accessed data) is no change of the account.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from trailfit.model import AttachedPolicy, Principal, Snapshot


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """One change: of which account and subject (an ARN), what about it, from which value to which.

    `before` is None for what is new, `after` for what is gone.
    """

    account: str
    subject: str
    what: str
    kind: Literal["added", "removed", "changed"]
    before: str | None
    after: str | None


def changes(old: Snapshot, new: Snapshot) -> tuple[Change, ...]:
    """Return what changed from `old` to `new`, sorted; only accounts that both snapshots describe.

    An account that one of them lacks was perhaps not to be read then: that it is "gone" cannot be told.
    """
    both = set(old.accounts) & set(new.accounts)
    found = []
    for account, subject, what, before, after in _differences(_facts(old, both), _facts(new, both)):
        kind: Literal["added", "removed", "changed"] = (
            "added" if before is None else "removed" if after is None else "changed"
        )
        found.append(Change(account, subject, what, kind, before, after))
    return tuple(sorted(found, key=lambda one: (one.account, one.subject, one.what)))


_Key = tuple[str, str, str]


def _differences(
    old: Mapping[_Key, str], new: Mapping[_Key, str]
) -> Iterator[tuple[str, str, str, str | None, str | None]]:
    gone = {(account, subject) for account, subject, what in old if what == "" and (account, subject, "") not in new}
    come = {(account, subject) for account, subject, what in new if what == "" and (account, subject, "") not in old}
    for key in {**old, **new}:
        whole = key[:2] in gone or key[:2] in come
        if old.get(key) != new.get(key) and (key[2] == "" or not whole):
            yield (*key, old.get(key), new.get(key))


def _facts(snapshot: Snapshot, accounts: set[str]) -> dict[_Key, str]:
    """Return what a snapshot says, flat: (account, subject, what) → value. What is "" says that it exists."""
    facts: dict[_Key, str] = {}
    for principal in snapshot.principals:
        facts |= {(principal.account, principal.arn, what): value for what, value in _principal(principal)}
    for group in snapshot.groups:
        facts[group.account, group.arn, ""] = "group"
        facts |= {(group.account, group.arn, what): value for what, value in _policies(group.policies)}
        facts |= {(group.account, group.arn, f"member {member}"): "member" for member in group.members}
    for policy in snapshot.managed:
        facts[policy.account, policy.arn, ""] = "managed policy"
        default = next((version for version in policy.versions if version.default), None)
        if default and default.document:
            facts[policy.account, policy.arn, "document"] = default.document.to_json(indent=None)
    for function in snapshot.functions:
        facts[function.account, function.arn, ""] = function.kind
        facts[function.account, function.arn, f"role of {function.kind}"] = function.role
    for guardrails in snapshot.guardrails:
        for what, levels in (("SCPs", guardrails.scp), ("RCPs", guardrails.rcp)):
            if levels is not None:
                said = " / ".join(f"{level.name}: {', '.join(p.name for p in level.policies)}" for level in levels)
                facts[guardrails.account, f"account {guardrails.account}", what] = said
    return {key: value for key, value in facts.items() if key[0] in accounts}


def _principal(principal: Principal) -> Iterator[tuple[str, str]]:
    yield "", principal.kind
    yield from _policies(policy for policy in principal.policies if policy.group is None)
    if principal.boundary:
        yield "boundary", principal.boundary.arn or principal.boundary.name
    if principal.trust:
        yield "trust policy", principal.trust.to_json(indent=None)
    for key, value in principal.tags.items():
        yield f"tag {key}", value
    for credential in principal.credentials:
        name = credential.id or (f"of {credential.created:%Y-%m-%d}" if credential.created else "")
        yield f"{credential.kind} {name}".strip(), "active" if credential.active else "inactive"


def _policies(policies: Iterable[AttachedPolicy]) -> Iterator[tuple[str, str]]:
    for policy in policies:
        if policy.arn:  # its document is the managed policy's own fact
            yield f"policy {policy.arn}", "attached"
        else:
            document = policy.document
            yield f"inline policy {policy.name}", document.to_json(indent=None) if document else "not known"
