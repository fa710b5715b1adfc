"""Keep every policy within IAM's quotas: an inline policy too many becomes a managed one, a large one several.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entity-length
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trailfit.policy.document import Document
from trailfit.policy.minimise import quotas, size, split
from trailfit.recommend.granted import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trailfit.model import PolicyChange, Principal

_LONGEST_NAME = 128
_MANAGED = ("customer_managed", "aws_managed")


def within_quota(
    principal: Principal, before: Sequence[PolicyChange], after: Sequence[PolicyChange], parts: int
) -> tuple[list[PolicyChange], list[str]] | None:
    """Give `after` in policies that IAM takes, and what was done for it; None where no arrangement fits.

    Inline policies count together with those that stay; the largest become customer-managed ones until the rest
    fits. A managed policy that is too large is split by its statements, into `parts` at most. There are so many
    managed policies at most.
    """
    gone = {(each.kind, each.name, each.arn) for each in before}
    staying = [
        each for each in principal.policies if each.group is None and (each.kind, each.name, each.arn) not in gone
    ]
    limit, managed = quotas()[principal.kind].characters, quotas()["managed"]
    room = limit - sum(size(each.document.raw) for each in staying if each.kind == "inline" and each.document)
    inline = sorted(
        (each for each in after if each.kind == "inline"), key=lambda each: (size(each.document.raw), each.name)
    )
    moved: list[PolicyChange] = []
    while inline and sum(size(each.document.raw) for each in inline) > room:
        moved.append(inline.pop())
    notes = [
        f"{each.name} becomes a managed policy: {size(each.document.raw):,} characters do not fit beside the other"
        f" inline policies of a {principal.kind} ({limit:,})"
        for each in moved
    ]
    found: list[PolicyChange] = []
    for each in after:
        if each in inline:
            found.append(each)
            continue
        change = _as_managed(principal, each) if each in moved else each
        try:
            split_up = _parts(change, managed.characters)
        except ValueError:
            return None
        if len(split_up) > parts:
            return None
        if len(split_up) > 1:
            notes.append(
                f"{change.name} is split in {len(split_up)}: a managed policy has {managed.characters:,} characters"
            )
        found += split_up
    count = sum(each.kind in _MANAGED for each in staying) + sum(each.kind in _MANAGED for each in found)
    return None if managed.documents is not None and count > managed.documents else (found, notes)


def _as_managed(principal: Principal, change: PolicyChange) -> PolicyChange:
    return replace(change, kind="customer_managed", name=f"{principal.name}-{change.name}"[:_LONGEST_NAME], arn=None)


def _parts(change: PolicyChange, limit: int) -> list[PolicyChange]:
    """Split a managed policy; the first part keeps its name and ARN."""
    if size(change.document.raw) <= limit:
        return [change]
    raw = change.document.raw
    documents = split(listed(raw["Statement"]), limit, raw.get("Version", "2008-10-17"))
    return [
        replace(
            change,
            name=change.name if number == 1 else f"{change.name[: _LONGEST_NAME - 4]}-{number}",
            arn=change.arn if number == 1 else None,
            document=Document.parse(each),
        )
        for number, each in enumerate(documents, 1)
    ]
