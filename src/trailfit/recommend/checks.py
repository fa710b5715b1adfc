"""Every check of one principal and of a whole account, in one place: what the judge asks beside the permissions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trailfit.catalog.risks import purpose_hint
from trailfit.recommend import escalation, exposure, guardrails, hygiene, leftovers
from trailfit.recommend.exclusions import KEEP
from trailfit.recommend.findings import make

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trailfit.model import Evidence, Finding, Permission, Recommendation, Snapshot
    from trailfit.recommend.case import Case


def of_principal(case: Case) -> Iterator[Finding]:
    """Give the findings about a principal that rest on what it is granted, who may wear it, and its credentials."""
    yield from guardrails.findings(case)
    yield from escalation.findings(case)
    yield from exposure.findings(case)
    yield from hygiene.findings(case)
    yield from leftovers.doubles(case)
    yield from _purpose(case)


def of_account(
    snapshot: Snapshot, evidence: Evidence, permissions: Mapping[str, Sequence[Permission]]
) -> Iterator[Finding]:
    """Give the findings about everything else: groups, managed policies, root users."""
    yield from leftovers.of_account(snapshot, evidence, permissions)
    yield from hygiene.root(snapshot, evidence)


def _purpose(case: Case) -> Iterator[Finding]:
    """Ask about a role whose name alone suggests an emergency or recovery: a hint, never a decision."""
    hint = purpose_hint(case.principal.name)
    if hint is not None and KEEP not in case.principal.tags:
        told = {"name": case.principal.name, "suggests": hint[0], "pattern": hint[1]}
        yield make("ConfirmPurpose", case.arn, told, confidence="low")


def cautious(recommendation: Recommendation, asked: Finding) -> Recommendation:
    """Leave a proposal about such a principal to a person, and say why."""
    reason = f"its name suggests {asked.evidence['suggests']}: ask its owner, then tag it {KEEP} or not"
    return replace(
        recommendation, disposition="unsafe", reasons=(*recommendation.reasons, reason),
        finding_ids=(*recommendation.finding_ids, asked.id),
    )  # fmt: skip
