"""The exact way back from a proposal: the commands that make a principal's policies what they were.

What is given back comes first and what was added goes last, so that nothing is refused in between. The files under
``before/`` lie in the run's folder (see `recommend.paths`).
"""

from __future__ import annotations

import json
from shlex import quote
from typing import TYPE_CHECKING

from trailfit.recommend.paths import policy_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trailfit.model import PolicyChange, Principal


def steps(principal: Principal, before: Sequence[PolicyChange], after: Sequence[PolicyChange]) -> tuple[str, ...]:
    """Give the commands that undo a change of policies, in order.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_manage-attach-detach.html
    """
    kept = {(each.kind, each.name, each.arn) for each in after}
    back = [_given_back(principal, each, edited=(each.kind, each.name, each.arn) in kept) for each in before]
    known = {(each.kind, each.name) for each in before}
    return (*back, *(_taken(principal, each) for each in after if (each.kind, each.name) not in known))


def recreation(principal: Principal, before: Sequence[PolicyChange]) -> tuple[str, ...]:
    """Give the commands that bring a removed principal back with its policies.

    https://docs.aws.amazon.com/cli/latest/reference/iam/create-role.html
    """
    return (*_created(principal), *steps(principal, before, ()))


def _given_back(principal: Principal, change: PolicyChange, *, edited: bool) -> str:
    kind, name = principal.kind, quote(principal.name)
    file = quote(f"file://before/{policy_path(principal.arn, change.name)}")
    if change.arn and edited:
        # Of five versions, the oldest must go first: AWS keeps no more.
        return (
            f"aws iam create-policy-version --policy-arn {quote(change.arn)} --policy-document {file} --set-as-default"
        )
    if change.arn:
        return f"aws iam attach-{kind}-policy --{kind}-name {name} --policy-arn {quote(change.arn)}"
    return f"aws iam put-{kind}-policy --{kind}-name {name} --policy-name {quote(change.name)} --policy-document {file}"


def _taken(principal: Principal, change: PolicyChange) -> str:
    kind, name = principal.kind, quote(principal.name)
    if change.arn:
        return f"aws iam detach-{kind}-policy --{kind}-name {name} --policy-arn {quote(change.arn)}"
    return f"aws iam delete-{kind}-policy --{kind}-name {name} --policy-name {quote(change.name)}"


def _created(principal: Principal) -> Iterator[str]:
    kind, name = principal.kind, quote(principal.name)
    words = [f"aws iam create-{kind} --{kind}-name {name} --path {quote(principal.path)}"]
    if principal.trust is not None:
        trust = json.dumps(principal.trust.raw, separators=(",", ":"), ensure_ascii=False)
        words.append(f"--assume-role-policy-document {quote(trust)}")
    if principal.boundary is not None and principal.boundary.arn:
        words.append(f"--permissions-boundary {quote(principal.boundary.arn)}")
    if principal.tags:
        tags = [{"Key": key, "Value": value} for key, value in sorted(principal.tags.items())]
        words.append(f"--tags {quote(json.dumps(tags, separators=(',', ':'), ensure_ascii=False))}")
    yield " ".join(words)
    for group in principal.groups:
        yield f"aws iam add-user-to-group --user-name {name} --group-name {quote(group.rpartition('/')[2])}"
    for profile in principal.instance_profiles:
        yield (
            f"aws iam add-role-to-instance-profile --role-name {name}"
            f" --instance-profile-name {quote(profile.rpartition('/')[2])}"
        )
