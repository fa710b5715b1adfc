"""Every check of one principal and of a whole account, in one place: what the judge asks beside the permissions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trailfit.recommend import escalation, guardrails

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trailfit.model import Finding
    from trailfit.recommend.case import Case


def of_principal(case: Case) -> Iterator[Finding]:
    """Give the findings about a principal that rest on what it is granted, who may wear it, and its credentials."""
    yield from guardrails.findings(case)
    yield from escalation.findings(case)
