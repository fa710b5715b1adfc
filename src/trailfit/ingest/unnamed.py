"""Log files that no digest names: put there by someone else, or delivered when no digest vouches for anything yet.

A digest names all log files that its trail delivered in its hour, and comes up to an hour after it. Source:
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
A log file's name tells when it was delivered, to the minute, and a digest's `digestStartTime` and `digestEndTime` what
it covers. A name does not tell which trail delivered it: two trails may deliver to one prefix.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from trailfit.cloudtrail.digest import Tampering
from trailfit.model import Unassessed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trailfit.ingest.selection import Selection
    from trailfit.ingest.source import Source

#: Where one account's and region's log files of one prefix lie: what stands before them, account, region.
Trail = tuple[str, str, str]
#: What a digest covers, from and to, as it writes times.
Span = tuple[str, str]

_PLACE = re.compile(
    r"(?P<root>.*/|)(?P<account>\d{12})/CloudTrail(?:-Digest)?/(?P<region>[a-z0-9-]+)/\d{4}/\d\d/\d\d/[^/]+\Z"
)
_DELIVERED = re.compile(r"_(\d{8}T\d{4})Z_[^/]*\Z")
#: How long after a log file its digest may come.
_LATE = timedelta(hours=1)


def trail_of(name: str) -> Trail:
    """Tell where a log file or digest lies; empty where its name is not of CloudTrail's layout."""
    found = _PLACE.match(name)
    return (found["root"], found["account"], found["region"]) if found else ("", "", "")


def unnamed(
    source: Source, selection: Selection, named: set[str], spans: Mapping[Trail, Sequence[Span]]
) -> tuple[list[Tampering], list[Unassessed]]:
    """List the log files of `source` that are not `named`: those that a digest should have, and why others need not be.

    `spans` are what the digests cover; names are as `named` has them, without ``s3://``.
    """
    covered = {trail: _joined(those) for trail, those in spans.items()}
    findings: list[Tampering] = []
    open_questions: Counter[tuple[Trail, str]] = Counter()
    for found in source.list(selection):
        if isinstance(found, Unassessed) or found.key.account is None or found.key.kind != "CloudTrail":
            continue
        for uri, _, _ in found.versions:
            name = uri.removeprefix("s3://")
            if name in named:
                continue
            trail = trail_of(name)
            reason = _why_not(name, covered.get(trail))
            if reason is None:
                detail = "no digest of its hour names it: it is not CloudTrail's, or of a trail that makes no digests"
                findings.append(Tampering("UnnamedLogFile", name, detail))
            else:
                open_questions[trail, reason] += 1
    problems = []
    for (trail, reason), count in sorted(open_questions.items()):
        where = f"{trail[0]}{trail[1]}/CloudTrail/{trail[2]}" if trail[1] else "names not of CloudTrail's layout"
        problems.append(Unassessed(where, f"{count:,} log files that no digest names: {reason}"))
    return sorted(findings, key=lambda one: one.object), problems


def _joined(spans: Sequence[Span]) -> list[tuple[datetime, datetime]]:
    """Join what digests cover one after the other."""
    joined: list[tuple[datetime, datetime]] = []
    for start, end in sorted((_time(start), _time(end)) for start, end in spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def _time(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _why_not(name: str, covered: list[tuple[datetime, datetime]] | None) -> str | None:
    """Say why a log file need not be named by a digest; None where one should name it."""
    if not covered:
        return "no digest of this account and region lies beside them"
    delivered = _DELIVERED.search(name)
    if delivered is None:
        return "their names do not tell when they were delivered"
    at = datetime.strptime(f"{delivered[1]}+0000", "%Y%m%dT%H%M%z")
    if at < covered[0][0]:
        return f"delivered before the first digest begins ({covered[0][0]:%Y-%m-%dT%H:%MZ}): validation was not yet on"
    if any(start <= at < end - _LATE for start, end in covered):
        return None
    if at >= covered[-1][1] - _LATE:
        return f"the digest that may name them had not come: the last one ends {covered[-1][1]:%Y-%m-%dT%H:%MZ}"
    return "delivered where the digests leave a gap"
