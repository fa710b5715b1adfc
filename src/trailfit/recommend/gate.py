"""Nothing leaves without its two proofs: *grants nothing new* and *still allows all that was used*."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trailfit.errors import ProofError
from trailfit.model import Proof
from trailfit.policy.authorizer import Authorizer
from trailfit.policy.containment import no_new_access
from trailfit.policy.evaluate import Policies, Request, grants

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trailfit.policy.document import Document

#: So many calls at least are decided by the law itself, too; all where there are no more.
_BY_THE_LAW = 50
_EFFECTS = {True: "allowed", False: "denied", None: "open"}


def prove_no_new_access(new: Sequence[Document], old: Sequence[Document], around: Policies | None = None) -> Proof:
    """Prove that the new documents together allow nothing that the old ones together do not.

    Proven without what stands `around` them (boundary, SCPs, RCPs): these stay, and bind both sides alike, so the whole
    effective grant then grants nothing new either. Only where that leaves the question open is the boundary asked.
    """
    verdict = no_new_access(new, old)
    if verdict.holds is None and around is not None and around.boundary is not None:
        verdict = no_new_access(new, old, boundary=around.boundary)
    request = verdict.counterexample
    return Proof(
        holds=verdict.holds,
        method="containment by minterms over action x resource x condition",
        counterexample=None
        if request is None
        else {"action": request.action, "resource": request.resource, "context": dict(request.context)},
    )


def prove_still_allows(
    new: Sequence[Document], old: Sequence[Document], requests: Sequence[Request], around: Policies | None = None
) -> Proof:
    """Replay every call that was made and that the old documents may allow: the new ones must decide the same.

    A call that the old documents deny was allowed by something else (a resource policy): it does not depend
    on them, so it proves nothing about them. None: a condition's key is not in the log; then the same condition
    must leave it open afterwards. With what stands `around` the documents, the whole effective grant must decide each
    call as before, too. The prepared evaluator replays all of them, the law itself a sample as well: they must agree.
    """
    denied, replayed = [], 0
    today, proposed = (Authorizer(Policies(identity=tuple(side))) for side in (old, new))
    whole = [Authorizer(replace(around, identity=tuple(side))) for side in (old, new)] if around else []
    step = max(1, len(requests) // _BY_THE_LAW)
    for number, request in enumerate(requests):
        before, after = today.grants(request), proposed.grants(request)
        if number % step == 0 and (before, after) != (grants(request, old), grants(request, new)):
            raise ProofError(
                "the prepared evaluator and the law disagree", where=f"{request.action} {request.resource}"
            )
        if before is False:
            continue
        replayed += 1
        effects = [_EFFECTS[before], _EFFECTS[after]]
        if effects[0] == effects[1] and whole:
            effects = [side.decide(request).effect for side in whole]
        if effects[0] != effects[1]:
            told = {"action": request.action, "resource": request.resource}
            denied.append({**told, "before": effects[0], "after": effects[1]})
    return Proof(holds=not denied, method="replay by the evaluator", requests=replayed, denied=tuple(denied))
