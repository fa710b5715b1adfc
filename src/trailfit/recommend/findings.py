"""Make findings: every kind is a row of the catalogue, every identifier stable from run to run."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from trailfit.catalog import risks
from trailfit.model import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trailfit.catalog.risks import Confidence

#: Names and ARNs listed in one piece of evidence; how many there are is told beside them.
SHOWN = 10


def make(
    kind: str,
    principal: str,
    evidence: Mapping[str, object],
    *,
    confidence: Confidence,
    resource: str | None = None,
    shift: int = 0,
    remedy: str | None = None,
    commands: Sequence[str] = (),
) -> Finding:
    """Make a finding; its id is a digest of what it is about, so that months can be compared.

    `shift` moves the severity from the kind's own by so many steps; `remedy` stands in for the kind's own where this
    finding knows better. The kinds, and AWS's words for those that IAM Access Analyzer has too:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-findings.html
    """
    grave = risks.severity(kind, shift)
    return Finding(
        id=identify(kind, principal, resource or ""),
        kind=kind,
        principal=principal,
        severity=grave,
        confidence=confidence,
        evidence=evidence,
        resource=resource,
        remedy=remedy or risks.kinds()[kind].remedy,
        commands=tuple(commands),
        risk=risks.risk(grave, confidence),
    )


def identify(*parts: str) -> str:
    """Make a short stable identifier of `parts`.

    >>> identify("UnusedIAMRole", "arn:aws:iam::111122223333:role/a", "") == identify(
    ...     "UnusedIAMRole", "arn:aws:iam::111122223333:role/a", "")
    True
    """
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
