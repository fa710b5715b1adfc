"""From the resources that were seen to the patterns that a policy lists."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from trailfit.policy.inclusion import within
from trailfit.policy.pattern import arn, tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

#: More resources than this are not listed one by one: nobody reads them, and a policy has a quota.
MOST_LISTED = 25


@lru_cache(maxsize=65536)
def arn_includes(outer: str, inner: str) -> bool:
    """Tell whether every ARN that `inner` matches is matched by `outer`; a no may be wrong for two patterns.

    >>> arn_includes("arn:aws:s3:::b/*", "arn:aws:s3:::b/k"), arn_includes("arn:aws:s3:::b/k", "arn:aws:s3:::b/*")
    (True, False)
    """
    wide, narrow = arn(tokens(outer)), arn(tokens(inner))
    return wide is not None and narrow is not None and within(narrow, wide)


def summarise(
    action: str, resources: Sequence[str], granted: Sequence[str], most: int = MOST_LISTED
) -> tuple[list[str], list[tuple[str, str]]]:
    """Give the patterns for `resources`, and the reason for each that is wider than what was seen.

    Up to `most` resources stay exact. More become their longest common prefixes at a ``/`` or ``:``,
    each within one of `granted`; where that would reach further, the granted pattern itself stands. With a `most` of 0
    the granted pattern stands for all.
    """
    if len(resources) <= most:
        return sorted(resources), []
    groups: dict[str, list[str]] = {}
    for resource in resources:
        stem = (
            resource[: _stem(resource)] if most else next((g for g in granted if arn_includes(g, resource)), resource)
        )
        groups.setdefault(stem, []).append(resource)
    patterns, reasons = set(), []
    for stem, members in sorted(groups.items()):
        if most and len(members) <= most:
            patterns.update(members)
            continue
        pattern = f"{_common(members)}*" if most else stem
        if not any(arn_includes(wide, pattern) for wide in granted):
            pattern = next((wide for wide in granted if arn_includes(wide, members[0])), stem + "*")
        patterns.add(pattern)
        if pattern not in members:
            reasons.append((pattern, f"{len(members)} resources under {stem} were used by {action}: too many to list"))
    return sorted(patterns), reasons


def _stem(arn: str) -> int:
    """Find where the first part of the resource ends: an S3 bucket, a log group, a table."""
    start = len(":".join(arn.split(":", 5)[:5])) + 1
    ends = [position for position in (arn.find("/", start), arn.find(":", start)) if position > 0]
    return min(ends) + 1 if ends else len(arn)


def _common(members: Sequence[str]) -> str:
    """Give the longest common prefix that ends at a ``/`` or ``:``."""
    low, high = min(members), max(members)
    length = next((at for at, (one, other) in enumerate(zip(low, high, strict=False)) if one != other), len(low))
    return low[: max(low.rfind("/", 0, length), low.rfind(":", 0, length)) + 1]
