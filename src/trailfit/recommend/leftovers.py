"""What lies about in an account: groups nobody needs, policies attached to nobody, doubles, versions left behind."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from shlex import quote
from typing import TYPE_CHECKING

from trailfit.policy.containment import no_new_access
from trailfit.recommend.covered import covered
from trailfit.recommend.findings import SHOWN, make
from trailfit.recommend.granted import granted, listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from trailfit.model import (
        AttachedPolicy,
        Evidence,
        Finding,
        Group,
        ManagedPolicy,
        Permission,
        PolicyVersion,
        Snapshot,
    )
    from trailfit.policy.document import Document
    from trailfit.recommend.case import Case

#: Different documents over the same actions that are compared with each other before the rest is left alone.
_COMPARED = 40


def of_account(
    snapshot: Snapshot, evidence: Evidence, permissions: Mapping[str, Sequence[Permission]]
) -> Iterator[Finding]:
    """Give the findings about groups and managed policies; `permissions` are the judged ones by principal."""
    for group in snapshot.groups:
        yield from _group(group, evidence, permissions)
    own = [policy for policy in snapshot.managed if policy.arn.split(":")[4] == policy.account]
    held = set(_held(snapshot))
    for policy in own:
        if not policy.attachments and not policy.boundary_uses and policy.arn not in held:
            yield _unattached(policy)
        yield from _versions(policy)
    yield from _doubles(snapshot)


def _group(group: Group, evidence: Evidence, permissions: Mapping[str, Sequence[Permission]]) -> Iterator[Finding]:
    """Find a group without members, or whose every permission is unused by every member.

    What cannot be told of one member (its class is not ``unused``) leaves the group alone.
    """
    if any(policy.document is None for policy in group.policies):
        return
    actions = granted(group.policies).keys()
    told: dict[str, object] = {
        "members": [arn.rpartition("/")[2] for arn in group.members[:SHOWN]],
        "policies": [policy.name for policy in group.policies],
        "window_days": evidence.window.days,
    }
    steps = [
        f"aws iam remove-user-from-group --group-name {quote(group.name)} --user-name {quote(arn.rpartition('/')[2])}"
        for arn in group.members[:SHOWN]
    ]
    if not group.members:
        told["why"] = "it has no member"
    elif not actions:
        return
    elif all(_is_unused(permissions.get(arn), actions) for arn in group.members):
        told["why"] = f"none of its {len(group.members)} members used any of its {len(actions)} permissions"
    else:
        return
    yield make(
        "UnusedIAMGroup",
        group.arn,
        told,
        confidence="high",
        commands=[*steps, f"aws iam delete-group --group-name {quote(group.name)}"] if not group.policies else (),
    )


def _is_unused(permissions: Sequence[Permission] | None, actions: Iterable[str]) -> bool:
    classes = {each.action: each.cls for each in permissions or ()}
    return all(classes.get(action) == "unused" for action in actions)


def _held(snapshot: Snapshot) -> Iterator[str]:
    """Give the ARNs of the managed policies that somebody holds, or is bounded by, in the snapshot."""
    for principal in snapshot.principals:
        bound = [principal.boundary] if principal.boundary else []
        yield from (policy.arn for policy in (*principal.policies, *bound) if policy.arn)
    for group in snapshot.groups:
        yield from (policy.arn for policy in group.policies if policy.arn)


def _unattached(policy: ManagedPolicy) -> Finding:
    counted = policy.attachments is not None and policy.boundary_uses is not None
    arn = quote(policy.arn)
    older = [each for each in policy.versions if not each.default]
    return make(
        "UnattachedPolicy",
        policy.arn,
        {
            "attachments": policy.attachments,
            "boundary_uses": policy.boundary_uses,
            "updated": policy.updated.date().isoformat() if policy.updated else None,
        },
        confidence="high" if counted else "medium",
        commands=[*(_delete(policy, each) for each in older), f"aws iam delete-policy --policy-arn {arn}"],
    )


def _delete(policy: ManagedPolicy, version: PolicyVersion) -> str:
    return f"aws iam delete-policy-version --policy-arn {quote(policy.arn)} --version-id {quote(version.id)}"


def _versions(policy: ManagedPolicy) -> Iterator[Finding]:
    """Find versions that are not the default; one that grants more is a way to more rights for who may set it.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-versioning.html
    """
    older = [each for each in policy.versions if not each.default]
    if not older:
        return
    today = next((each.document for each in policy.versions if each.default), None)
    wider = [each.id for each in older if today and each.document and _grants_more(each.document, today)]
    yield make(
        "UnusedPolicyVersion",
        policy.arn,
        {
            "versions": {each.id: each.created.date().isoformat() if each.created else None for each in older},
            "grant_more_than_the_default": wider,
        },
        confidence="high",
        shift=bool(wider),
        commands=[_delete(policy, each) for each in older],
    )


def _grants_more(one: Document, other: Document) -> bool:
    return no_new_access([one], [other]).holds is False


def doubles(case: Case) -> Iterator[Finding]:
    """Find policies of one principal that mean the same, whichever way they reach it."""
    named = [(_name(policy), policy.document) for policy in case.principal.policies if policy.document is not None]
    for names in _same(named):
        told = {"policies": names, "proof": "containment both ways"}
        yield make("DuplicatePolicy", case.arn, told, confidence="high", resource=" = ".join(names)[:500])


def _name(policy: AttachedPolicy) -> str:
    return f"{policy.arn or policy.name}{f' of {policy.group}' if policy.group else ''}"


def _doubles(snapshot: Snapshot) -> Iterator[Finding]:
    """Find managed policies of one account that mean the same as another there; the most attached one is kept."""
    by_account: dict[str, list[ManagedPolicy]] = defaultdict(list)
    for policy in snapshot.managed:
        by_account[policy.account].append(policy)
    for policies in by_account.values():
        known = {policy.arn: policy for policy in policies}
        named = [
            (policy.arn, version.document)
            for policy in policies
            for version in policy.versions
            if version.default and version.document is not None
        ]
        for arns in _same(named):
            kept, *others = sorted(arns, key=lambda arn: (-(known[arn].attachments or 0), arn))
            for arn in others:
                if arn.split(":")[4] == known[arn].account:
                    told = {
                        "same_as": kept,
                        "attachments": known[arn].attachments,
                        "attachments_of_the_other": known[kept].attachments,
                        "proof": "containment both ways",
                    }
                    yield make("DuplicatePolicy", arn, told, confidence="high", resource=kept)


def _same(named: Sequence[tuple[str, Document]]) -> Iterator[list[str]]:
    """Give the names of documents that mean the same; only those over the same actions are compared.

    Means the same: neither allows anything that the other does not, proven both ways.
    """
    if len(named) < 2:
        return
    buckets: dict[int, list[tuple[list[str], Document]]] = defaultdict(list)
    for name, document in named:
        classes = buckets[_actions(document)]
        for names, other in classes[:_COMPARED]:
            if document == other or (
                no_new_access([document], [other]).holds and no_new_access([other], [document]).holds
            ):
                names.append(name)
                break
        else:
            classes.append(([name], document))
    for classes in buckets.values():
        for names, _ in classes:
            if len(set(names)) > 1:
                yield sorted(set(names))


@lru_cache(maxsize=4096)
def _actions(document: Document) -> int:
    """Digest the actions that a document's Allow statements cover: documents that mean the same share it."""
    found: set[str] = set()
    for statement in listed(document.raw["Statement"]):
        if statement["Effect"] == "Allow":
            found |= covered(statement).actions
    return hash(frozenset(found))
