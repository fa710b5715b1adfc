"""Nothing leaves without its two proofs: *grants nothing new* and *still allows all that was used*."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trailfit.model import Proof
from trailfit.policy.containment import no_new_access
from trailfit.policy.evaluate import Request, grants

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trailfit.policy.document import Document


def prove_no_new_access(new: Sequence[Document], old: Sequence[Document]) -> Proof:
    """Prove that the new documents together allow nothing that the old ones together do not."""
    verdict = no_new_access(new, old)
    request = verdict.counterexample
    return Proof(
        holds=verdict.holds,
        method="containment by minterms over action x resource x condition",
        counterexample=None
        if request is None
        else {"action": request.action, "resource": request.resource, "context": dict(request.context)},
    )


def prove_still_allows(new: Sequence[Document], old: Sequence[Document], requests: Sequence[Request]) -> Proof:
    """Replay every call that was made and that the old documents may allow: the new ones must decide the same.

    A call that the old documents deny was allowed by something else (a resource policy): it does not depend
    on them, so it proves nothing about them. None: a condition's key is not in the log; then the same condition
    must leave it open afterwards.
    """
    denied, replayed = [], 0
    for request in requests:
        before = grants(request, old)
        if before is False:
            continue
        replayed += 1
        after = grants(request, new)
        if after is not before:
            told = {True: "allowed", False: "denied", None: "open"}
            denied.append(
                {
                    "action": request.action,
                    "resource": request.resource,
                    "before": told[before],
                    "after": told[after],
                }
            )
    return Proof(holds=not denied, method="replay by the evaluator", requests=replayed, denied=tuple(denied))
