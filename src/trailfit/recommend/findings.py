"""Make findings: every kind with its severity in one table, every identifier stable from run to run."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Literal

from trailfit.model import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping

    Severity = Literal["low", "medium", "high", "critical"]
    Confidence = Literal["low", "medium", "high"]

#: Kind → severity. AWS's own words where IAM Access Analyzer has the kind:
#: https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-findings.html
SEVERITY: dict[str, Severity] = {
    "UnusedIAMRole": "medium",
    "UnusedIAMUser": "medium",
    "UnusedIAMUserAccessKey": "high",
    "UnusedIAMUserPassword": "medium",
    "UnusedPermission": "medium",
    "AWSManagedPolicy": "medium",
    "WildcardAction": "high",
    "WildcardResource": "medium",
    "UserWithStaticKeys": "medium",
    "SharedRole": "medium",
    "DeniedCalls": "low",
}


def make(
    kind: str,
    principal: str,
    evidence: Mapping[str, object],
    *,
    confidence: Confidence,
    resource: str | None = None,
) -> Finding:
    """Make a finding; its id is a digest of what it is about, so that months can be compared."""
    return Finding(
        id=identify(kind, principal, resource or ""),
        kind=kind,
        principal=principal,
        severity=SEVERITY[kind],
        confidence=confidence,
        evidence=evidence,
        resource=resource,
    )


def identify(*parts: str) -> str:
    """Make a short stable identifier of `parts`.

    >>> identify("UnusedIAMRole", "arn:aws:iam::111122223333:role/a", "") == identify(
    ...     "UnusedIAMRole", "arn:aws:iam::111122223333:role/a", "")
    True
    """
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
