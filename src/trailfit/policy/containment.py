"""Does one set of documents grant anything that another does not? A proof, or a request that shows it.

All documents of a principal are taken together: Allow and Deny, Action, NotAction, Resource, NotResource, Principal
and conditions, and an unchanged permissions boundary. Three steps, each only for what the one before left open:

1. an Allow within an old Allow by plain look (`grant.covers`), no Deny lost: how most tightened policies are proven;
2. exact minterms: the actions that differ in which statements they match, for each the resources, for each the
   principals, for each the conditions (`automaton`, `values`, `satisfy`), within a budget of counted steps;
3. what is found is written as a request and put to the law (`evaluate`); only what the law confirms is a "no".

Names of actions are taken as strings, not from a list of today's actions: `s3:Get*` holds what AWS adds next year.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trailfit.policy import witness
from trailfit.policy.automaton import TooLargeError
from trailfit.policy.document import VERSIONS, Document
from trailfit.policy.evaluate import Request, grants
from trailfit.policy.grant import rules
from trailfit.policy.minterms import Question, open_cases

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from trailfit.policy.grant import Rule


#: Cases of one statement put to the law before it is left undecided.
_CASES_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer: `holds` True (proven), False (`counterexample` shows why) or None (undecided, `reason` says why).

    `statements` are the new statement and the old one that an undecided question is about.
    """

    holds: bool | None
    counterexample: Request | None = None
    reason: str = ""
    statements: tuple[str, str] | None = None


def no_new_access(
    new: Sequence[Document], old: Sequence[Document], *, boundary: Sequence[Document] | Document | None = None
) -> Verdict:
    """Prove that `new` grants nothing that `old` does not, or show a request.

    `boundary` is the principal's permissions boundary, the same before and after. SCPs, RCPs, session and
    resource-based policies need not be given: unchanged, they bear on both sides alike.
    """
    limit = as_documents(boundary)
    verdict = _judge(new, old, limit)
    if verdict.holds is False and _hinges_on_version(new, old, limit):
        return Verdict(
            None,
            verdict.counterexample,
            "a document without Version 2012-10-17 has `${…}`, which IAM reads as plain text there; were they policy "
            "variables, nothing would be new",
        )
    return verdict


def _judge(new: Sequence[Document], old: Sequence[Document], limit: Sequence[Document] | None) -> Verdict:
    question = Question(rules(new), rules(old), None if limit is None else rules(limit))
    undecided: Verdict | None = None
    for rule in question.open_rules():
        try:
            for case in itertools.islice(open_cases(question, rule), _CASES_LIMIT):
                request = witness.confirmed(case, new, old, limit)
                if request is not None:
                    return Verdict(False, request, "the new documents allow this request, the old do not")
                undecided = undecided or _undecided("conditions not worked out exactly", rule, case.rival, new, old)
        except TooLargeError:
            undecided = undecided or _undecided(
                "too many cases to tell apart in the steps of one question", rule, question.rival(rule), new, old
            )
    return undecided or Verdict(True, reason="every grant of the new documents is one of the old")


def _hinges_on_version(new: Sequence[Document], old: Sequence[Document], limit: Sequence[Document] | None) -> bool:
    """Tell whether the answer would be yes if documents of Version 2008-10-17 with `${…}` were of 2012-10-17.

    IAM's own answer is then no, and the request found shows why. It is given as undecided, with that request, because
    a Version left out is seldom meant: what such a document says to its author, the proof does not contradict. An
    undecided answer with a request is never let pass (`trailfit check`).

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html: "variables […] are not
    recognized as variables and are instead treated as literal strings in the policy".
    """
    if not any("${" in document.to_json() for document in (*new, *old) if document.version != VERSIONS[0]):
        return False
    today = [[Document.parse({**document.raw, "Version": VERSIONS[0]}) for document in side] for side in (new, old)]
    return _judge(today[0], today[1], limit).holds is True


def still_allows(
    documents: Sequence[Document],
    requests: Iterable[Request],
    *,
    boundary: Sequence[Document] | Document | None = None,
) -> list[Request]:
    """List the requests that a principal's documents, within its boundary, do not allow for certain.

    An empty list is the proof that all of them are still allowed, as far as the principal's own policies decide.
    """
    limit = as_documents(boundary)
    return [request for request in requests if grants(request, documents, limit) is not True]


def as_documents(boundary: Sequence[Document] | Document | None) -> Sequence[Document] | None:
    """Take one document or several."""
    return [boundary] if isinstance(boundary, Document) else boundary


def _undecided(why: str, rule: Rule, rival: Rule | None, new: Sequence[Document], old: Sequence[Document]) -> Verdict:
    """Say that nothing is proven, and about which pair of statements."""
    mine = _place(rule, "new", new)
    theirs = _place(rival, "old", old) if rival else "the old documents"
    return Verdict(None, None, f"{mine} against {theirs}: {why}", (mine, theirs))


def _place(rule: Rule, side: str, documents: Sequence[Document]) -> str:
    for number, document in enumerate(documents):
        if rule in document.rules:
            return f"{side}[{number}].{rule.statement.name}"
    return side
