"""Would the proposals have held? Tighten on one window, then replay what was really called in the next one.

No tool knows the future, but every log has a past with a future: judge by the first N days alone, and see what the next
M days would have been denied. Only calls that today's policies allow are replayed, for the others do not depend on
them. The snapshot is today's: policies that changed since are judged as they are now.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from trailfit.policy.evaluate import Policies, Request, evaluate
from trailfit.recommend.judge import judge
from trailfit.recommend.learnt import Levels
from trailfit.recommend.surface import Inventory

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from trailfit.model import Evidence, Principal, Recommendation, Snapshot, Unassessed, Usage, Window
    from trailfit.policy.document import Document
    from trailfit.recommend.judge import Rules

_REFUSALS = ("ImplicitlyDenied", "ExplicitlyDenied")


@dataclass(frozen=True, slots=True)
class Denial:
    """Calls of the test window that the proposal would have denied.

    `cause` is ``action`` (it is granted no more on anything) or ``resource``; `remedy` is what would have kept it.
    """

    principal: str
    action: str
    resource: str
    calls: int
    cause: Literal["action", "resource"]
    remedy: str
    example_event: str | None


@dataclass(frozen=True, slots=True)
class Backtest:
    """The outcome: `principals` had a proposal and calls in the test window; `services` maps to (calls, denied)."""

    train: Window
    test: Window
    level: str
    principals: int
    calls: int
    services: Mapping[str, tuple[int, int]]
    denials: tuple[Denial, ...]
    surface_before: float
    surface_after: float
    unassessed: tuple[Unassessed, ...]

    @property
    def denied(self) -> int:
        """Count the calls that would have been denied."""
        return sum(each.calls for each in self.denials)

    def principals_denied(self, cause: str | None = None) -> int:
        """Count the principals with one denied call or more, for one cause or any."""
        return len({each.principal for each in self.denials if cause in (None, each.cause)})

    @property
    def surface_removed(self) -> float:
        """Give the share of the surface of the tightened principals' policies that the proposals take away."""
        return 1 - self.surface_after / self.surface_before if self.surface_before else 0.0


def backtest(
    snapshot: Snapshot,
    learnt: Evidence,
    later: Mapping[str, Sequence[Usage]],
    test: Window,
    levels: Levels | None = None,
    rules: Rules | None = None,
) -> Backtest:
    """Tighten every principal on the evidence `learnt`, and replay its counted uses of the window `test`."""
    levels = levels or Levels()
    judgement = judge(snapshot, learnt, levels, rules)
    proposals = _by_principal(judgement.recommendations)
    known = {each.arn: each for each in (*snapshot.principals, *judgement.principals)}
    inventory = Inventory(
        row.resource for usage in (learnt.usage, later) for rows in usage.values() for row in rows if row.calls
    )
    services: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    refused = _refused(known, proposals, later)
    for row, is_refused in refused:
        count = services[row.action.partition(":")[0]]
        count[0] += row.calls
        count[1] += row.calls * is_refused
    return Backtest(
        train=learnt.window,
        test=test,
        level=levels.default,
        principals=sum(any(row.calls for row in later.get(arn, ())) for arn in proposals),
        calls=sum(row.calls for row, _ in refused),
        services={service: (total, denied) for service, (total, denied) in sorted(services.items())},
        denials=_denials(refused, known, proposals, snapshot, learnt, rules),
        surface_before=sum(inventory.surface(_old(known[arn])) for arn in sorted(proposals)),
        surface_after=sum(inventory.surface(_new(known[arn], proposals[arn])) for arn in sorted(proposals)),
        unassessed=judgement.unassessed,
    )


def denials(
    snapshot: Snapshot,
    learnt: Evidence,
    later: Mapping[str, Sequence[Usage]],
    levels: Levels,
    rules: Rules | None,
) -> tuple[Denial, ...]:
    """Say which of the uses `later` would be denied to principals tightened on the evidence `learnt`."""
    only = _actions(learnt, (row for rows in later.values() for row in rows))
    proposals = _by_principal(judge(snapshot, learnt, levels, rules, only).recommendations)
    known = {each.arn: each for each in snapshot.principals}
    return _denials(_refused(known, proposals, later), known, proposals, snapshot, learnt, rules)


def _actions(learnt: Evidence, asked: Iterable[Usage | Denial]) -> dict[str, frozenset[str]]:
    """Name the actions that matter by principal: what no call is about cannot change the answer, and is most work."""
    found: dict[str, set[str]] = defaultdict(set)
    for each in asked:
        found[each.principal].add(each.action)
    return {
        arn: frozenset(actions | {row.action for row in learnt.usage.get(arn, ())}) for arn, actions in found.items()
    }


def _refused(
    known: Mapping[str, Principal],
    proposals: Mapping[str, Sequence[Recommendation]],
    later: Mapping[str, Sequence[Usage]],
) -> list[tuple[Usage, bool]]:
    """Pair each counted use that today's policies may allow with whether the proposals refuse it."""
    return [
        pair
        for arn, recommendations in sorted(proposals.items())
        for pair in _replay(
            known[arn],
            _old(known[arn]),
            _new(known[arn], recommendations),
            [row for row in later.get(arn, ()) if row.calls],
        )
    ]


def _denials(
    refused: Sequence[tuple[Usage, bool]],
    known: Mapping[str, Principal],
    proposals: Mapping[str, Sequence[Recommendation]],
    snapshot: Snapshot,
    learnt: Evidence,
    rules: Rules | None,
) -> tuple[Denial, ...]:
    found = []
    for row, is_refused in refused:
        if is_refused:
            new = _new(known[row.principal], proposals[row.principal])
            cause: Literal["action", "resource"] = "resource" if _grants(new, row.action) else "action"
            found.append(Denial(row.principal, row.action, row.resource, row.calls, cause, "", row.example_event))
    return _with_remedies(found, snapshot, learnt, rules)


def _by_principal(recommendations: Iterable[Recommendation]) -> dict[str, list[Recommendation]]:
    found: dict[str, list[Recommendation]] = defaultdict(list)
    for each in recommendations:
        if any(change.kind != "trust" for change in (*each.before, *each.after)):
            found[each.principal].append(each)
    return found


def _old(principal: Principal) -> list[Document]:
    return [policy.document for policy in principal.policies if policy.document]


def _new(principal: Principal, recommendations: Sequence[Recommendation]) -> list[Document]:
    """Give a principal's policies with all its recommendations done."""
    gone = {(change.kind, change.name, change.arn) for each in recommendations for change in each.before}
    stay = [p.document for p in principal.policies if p.document and (p.kind, p.name, p.arn) not in gone]
    return [*stay, *(change.document for each in recommendations for change in each.after)]


def _replay(
    principal: Principal, old: Sequence[Document], new: Sequence[Document], rows: Sequence[Usage]
) -> list[tuple[Usage, bool]]:
    """Pair each use that the old documents may allow with whether the new ones refuse it."""
    context = {"aws:PrincipalArn": principal.arn, "aws:PrincipalAccount": principal.account}
    before, after = Policies(identity=tuple(old)), Policies(identity=tuple(new))
    replayed = []
    for row in rows:
        request = Request(principal.arn, row.action, row.resource, context, principal.account, context_complete=False)
        if evaluate(request, before).effect not in _REFUSALS:
            replayed.append((row, evaluate(request, after).effect in _REFUSALS))
    return replayed


def _grants(documents: Sequence[Document], action: str) -> bool:
    wanted = action.lower()
    return any(
        statement.effect == "Allow" and any(wanted == each.lower() or "*" in each for each in statement.actions)
        for document in documents
        for statement in document.statements
        if statement.actions
    )


def _with_remedies(
    denials: Sequence[Denial], snapshot: Snapshot, learnt: Evidence, rules: Rules | None
) -> tuple[Denial, ...]:
    """Say for each denial what would have kept it: a readier level, else a longer window or a rule."""
    hurt = {each.principal for each in denials}
    if not hurt:
        return ()
    some = replace(snapshot, principals=tuple(each for each in snapshot.principals if each.arn in hurt))
    relaxed = _by_principal(judge(some, learnt, Levels("relaxed"), rules, _actions(learnt, denials)).recommendations)
    known = {each.arn: each for each in some.principals}
    found = []
    for each in denials:
        principal = known[each.principal]
        documents = _new(principal, relaxed[each.principal]) if each.principal in relaxed else _old(principal)
        context = {"aws:PrincipalArn": principal.arn, "aws:PrincipalAccount": principal.account}
        request = Request(
            each.principal, each.action, each.resource, context, principal.account, context_complete=False
        )
        if evaluate(request, Policies(identity=tuple(documents))).effect not in _REFUSALS:
            remedy = "level relaxed"
        elif each.cause == "action":
            remedy = f"a window longer than {learnt.window.days} days, or a rule that keeps {each.action}"
        else:
            remedy = f"a window longer than {learnt.window.days} days, or a rule that keeps {each.resource}"
        found.append(replace(each, remedy=remedy))
    return tuple(sorted(found, key=lambda one: (-one.calls, one.principal, one.action, one.resource)))


def as_dict(outcome: Backtest) -> dict[str, Any]:
    """Give the outcome as JSON data; shares are between 0 and 1."""
    return {
        "train": window_as_dict(outcome.train),
        "test": window_as_dict(outcome.test),
        "level": outcome.level,
        "principals": outcome.principals,
        "principals_denied": outcome.principals_denied(),
        "principals_denied_by_action": outcome.principals_denied("action"),
        "principals_denied_by_resource": outcome.principals_denied("resource"),
        "calls": outcome.calls,
        "calls_denied": outcome.denied,
        "surface_removed": round(outcome.surface_removed, 6),
        "services": {name: {"calls": calls, "denied": denied} for name, (calls, denied) in outcome.services.items()},
        "denials": [{"principal": each.principal, **denial_as_dict(each)} for each in outcome.denials],
        "unassessed": [{"subject": each.subject, "reason": each.reason} for each in outcome.unassessed],
    }


def denial_as_dict(denial: Denial) -> dict[str, Any]:
    """Give a denial as JSON data, without its principal."""
    return {
        "action": denial.action,
        "resource": denial.resource,
        "calls": denial.calls,
        "cause": denial.cause,
        "remedy": denial.remedy,
        "example_event": denial.example_event,
    }


def window_as_dict(window: Window) -> dict[str, Any]:
    """Give a window as JSON data."""
    return {"from": window.first.isoformat(), "to": window.last.isoformat(), "days": window.days}
