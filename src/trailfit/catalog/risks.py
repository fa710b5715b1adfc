"""What a finding is about and how grave it is: kinds, the severity model, and the facts that findings rest on."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import Literal, get_args

from trailfit.catalog.tables import rows

Severity = Literal["low", "medium", "high", "critical"]
Confidence = Literal["low", "medium", "high"]
#: The steps of severity, from the least.
SEVERITIES: tuple[Severity, ...] = get_args(Severity)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of finding: the harm it may do, what shifts it (a row of `severity_model`), and what a reader is told."""

    kind: str
    harm: Severity
    scale: str
    meaning: str
    evidence: str
    remedy: str
    mistaken: str
    source: str


@dataclass(frozen=True, slots=True)
class Step:
    """One action of an escalation path, and on what it must be granted: ``self-role``, ``other-user``, or a service."""

    action: str
    on: str


@dataclass(frozen=True, slots=True)
class EscalationPath:
    """Actions that together give rights which their holder was not given.

    `ends` is ``own`` where the holder writes rights itself, ``borrowed`` where it acts as another role or user.
    """

    name: str
    steps: tuple[Step, ...]
    ends: str
    source: str


@dataclass(frozen=True, slots=True)
class ClientHint:
    """What a user agent tells of where a call was made, and what can be used there instead of a static key."""

    pattern: str
    runs: str
    instead: str


@cache
def kinds() -> dict[str, Kind]:
    """Map each kind of finding to what is known of it, in the order of the table."""
    return {row["kind"]: Kind(**row) for row in rows("finding_kinds")}  # type: ignore[arg-type]  # harm is one of them


@cache
def _model() -> dict[tuple[str, str], float]:
    return {(row["part"], row["name"]): float(row["value"]) for row in rows("severity_model")}


def severity(kind: str, shift: int = 0) -> Severity:
    """Give the severity of a finding of `kind`, `shift` steps from the kind's own, within the scale.

    >>> severity("UnusedIAMRole"), severity("UnusedIAMRole", 1), severity("RootAccessKey", 1)
    ('medium', 'high', 'critical')
    """
    at = SEVERITIES.index(kinds()[kind].harm) + shift
    return SEVERITIES[max(0, min(at, len(SEVERITIES) - 1))]


def risk(grave: Severity, sure: Confidence) -> int:
    """Weigh a finding from 0 to 100: what would go wrong × how sure.

    >>> risk("critical", "high"), risk("high", "medium"), risk("low", "low")
    (100, 36, 3)
    """
    return round(10 * _model()["harm", grave] * _model()["confidence", sure])


@cache
def escalation_paths() -> tuple[EscalationPath, ...]:
    """List the published ways from some rights to more."""
    return tuple(
        EscalationPath(
            row["name"],
            tuple(Step(*step.partition("@")[::2]) for step in row["actions"].split()),
            row["ends"],
            row["source"],
        )
        for row in rows("escalation_paths")
    )


@cache
def deputy_keys(service: str) -> tuple[str, ...]:
    """List the condition keys that AWS documents for limiting on whose behalf a service assumes a role.

    >>> deputy_keys("states.amazonaws.com")
    ('aws:SourceAccount', 'aws:SourceArn')
    >>> deputy_keys("ec2.amazonaws.com")
    ()
    """
    return next((tuple(row["keys"].split()) for row in rows("deputy_services") if row["principal"] == service), ())


@cache
def tenant_keys(provider: str) -> tuple[str, ...]:
    """List the keys of which one must be limited for an identity provider that serves many tenants; none for others.

    `provider` is the name after ``oidc-provider/`` in its ARN, perhaps with a path, or the ARN's stand-in of old.
    """
    host = provider.partition("/")[0]
    return next((tuple(row["keys"].split()) for row in rows("identity_tenants") if row["provider"] == host), ())


@cache
def client_hint(user_agent: str) -> ClientHint:
    """Say where a client with this user agent runs, as far as it tells; the first row that matches holds."""
    row = next(row for row in rows("client_hints") if fnmatchcase(user_agent.lower(), row["pattern"].lower()))
    return ClientHint(row["pattern"], row["runs"], row["instead"])


@cache
def purpose_hint(name: str) -> tuple[str, str] | None:
    """Give the purpose that a name suggests, and the pattern that says so; None where it suggests none.

    >>> purpose_hint("acme-break-glass-role"), purpose_hint("orders-writer-role")
    (('break-glass', '*break-glass*'), None)
    """
    lower = name.lower()
    found = (row for row in rows("purpose_hints") if fnmatchcase(lower, row["pattern"]))
    return next(((row["purpose"], row["pattern"]) for row in found), None)


@cache
def threshold(name: str) -> int:
    """Give a threshold in days."""
    return next(int(row["days"]) for row in rows("thresholds") if row["name"] == name)


@cache
def trust_limits() -> dict[str, str]:
    """Map a condition key, in lower case, to what it limits about a caller: ``who``, ``where``, ``secret``."""
    return {row["key"].lower(): row["limits"] for row in rows("trust_limits")}
