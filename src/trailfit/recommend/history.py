"""Each proposal against its role's own past: what it would have denied, had it been made some weeks ago.

`backtest` is the definition: judge the whole snapshot on the days before, and ask the law about every later call.
Here the same is found with little work, inside every run. Only what is new in the later days can be denied; what a
learnt pattern covers within every grant that serves it is not; only what is left is put to `backtest`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from trailfit.model import Usage, Window
from trailfit.policy.evaluate import action_matches
from trailfit.policy.pattern import compiled, tokens
from trailfit.recommend import runtime
from trailfit.recommend.backtest import Denial, denials
from trailfit.recommend.learnt import learn
from trailfit.recommend.resources import arn_includes

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from trailfit.model import Evidence, Function, Judgement, Principal, Recommendation, Snapshot
    from trailfit.policy.generalise import Generalised
    from trailfit.recommend.judge import Rules
    from trailfit.recommend.learnt import Levels

    #: Per (action, resource): the days of calls that count, sorted.
    Days = Mapping[tuple[str, str], tuple[date, ...]]

#: With fewer days of log, the past of a proposal has no future worth the name.
LEAST_DAYS = 30
_TEST_DAYS = 30
_MOST_FOLDS = 3
#: What these recommendations do is not told by replaying calls against the policies that they write.
_APART = ("DELETE_", "RESTORE_", "SPLIT_")


@dataclass(frozen=True, slots=True)
class Fold:
    """Days to tighten on, and the days after them to replay."""

    train: Window
    test: Window


def folds(window: Window, held: tuple[date, date]) -> tuple[Fold, ...]:
    """Split what the lake holds (first and last day) for a run over `window`; none where it is too short.

    The last 30 days (a third of a window shorter than 90) are replayed. They are judged by as many days before them
    as the run judges by, if the lake has them, else by what is left of the window. A lake that is longer still gives
    up to two folds more, each as many days earlier.
    """
    test = min(_TEST_DAYS, window.days // 3)
    first = held[0]
    if window.days < LEAST_DAYS or first > window.first:
        return ()
    before = (window.last - first).days + 1 - test
    train = min(window.days, before)
    found = []
    for number in range(_MOST_FOLDS):
        last = window.last - timedelta(days=number * test)
        start = last - timedelta(days=test - 1)
        begin = start - timedelta(days=train)
        if begin < first or (number and train < window.days):
            break
        found.append(Fold(Window(begin, start - timedelta(days=1)), Window(start, last)))
    return tuple(found)


def span(found: Sequence[Fold]) -> Window:
    """Give the days that all folds need."""
    return Window(min(each.train.first for each in found), max(each.test.last for each in found))


def is_tightening(recommendation: Recommendation) -> bool:
    """Tell whether a recommendation changes what a principal that stays is granted: only that can be replayed."""
    changes = recommendation.before or recommendation.after
    apart = recommendation.action.startswith(_APART)
    return any(change.kind != "trust" for change in changes) and not apart


@dataclass(frozen=True, slots=True)
class Replayed:
    """One fold: what would have been denied, by principal (see `counted`), and why some could not be tested.

    `tested` are the principals that had a proposal, calls to tighten on and calls to replay.
    """

    fold: Fold
    tested: frozenset[str]
    denials: Mapping[str, tuple[Denial, ...]]
    untested: Mapping[str, str]


def replay(
    snapshot: Snapshot,
    judgement: Judgement,
    days: Mapping[str, Days],
    gaps: Mapping[str, Sequence[date]],
    fold: Fold,
    levels: Levels,
    rules: Rules | None = None,
) -> Replayed:
    """Replay the fold's later days for every principal that `judgement` would tighten.

    `days` and `gaps` (by account, the days without any management event) must span the fold; `levels` and `rules` are
    the run's own. A denial's `calls` are
    its days, and it has no example yet: see `counted`.
    """
    functions: dict[str, list[Function]] = defaultdict(list)
    for function in snapshot.functions:
        functions[function.role].append(function)
    proposed = {each.principal for each in judgement.recommendations if is_tightening(each)}
    tested: set[str] = set()
    untested: dict[str, str] = {}
    suspects: dict[str, list[Usage]] = {}
    cuts: dict[str, Days] = {}
    for principal in judgement.principals:
        if principal.arn not in proposed:
            continue
        earlier, later = (_cut(days.get(principal.arn, {}), part) for part in (fold.train, fold.test))
        missing = [day for day in gaps.get(principal.account, ()) if fold.train.first <= day <= fold.test.last]
        reason = _untestable(principal, fold, missing, earlier, later)
        if reason:
            untested[principal.arn] = reason
            continue
        tested.add(principal.arn)
        new = {use: when for use, when in later.items() if use not in earlier}
        doubtful = _doubtful(principal, functions[principal.arn], earlier, new, fold, levels)
        if doubtful:
            cuts[principal.arn] = earlier
            suspects[principal.arn] = doubtful
    denied = _denied(snapshot, judgement.evidence, cuts, suspects, fold, levels, rules)
    return Replayed(fold, frozenset(tested), denied, untested)


def _cut(own: Days, window: Window) -> dict[tuple[str, str], tuple[date, ...]]:
    """Keep the days within `window`."""
    found = {}
    for use, when in own.items():
        if when[0] <= window.last and when[-1] >= window.first:
            inside = when[bisect_left(when, window.first) : bisect_right(when, window.last)]
            if inside:
                found[use] = inside
    return found


def _untestable(principal: Principal, fold: Fold, missing: Sequence[date], earlier: Days, later: Days) -> str | None:
    if missing:
        return f"management events are missing on {len(missing)} of the days since {fold.train.first}"
    if principal.created and principal.created.date() > fold.train.first:
        return f"created on {principal.created.date()}: too young to have been judged before {fold.test.first}"
    if not earlier:
        return f"not used from {fold.train.first} to {fold.train.last}: there was nothing to tighten on"
    if not later:
        return f"not used from {fold.test.first} to {fold.test.last}: there was nothing to replay"
    return None


def _doubtful(
    principal: Principal,
    functions: Sequence[Function],
    cut: Days,
    new: Days,
    fold: Fold,
    levels: Levels,
) -> list[Usage]:
    """Give the new uses that no learnt pattern surely covers."""
    if not new:
        return []
    known = {action for action, _ in cut}
    found = [_usage(principal, *use, when) for use, when in new.items() if use[0] not in known]
    later = [(use, when) for use, when in new.items() if use[0] in known]
    if not later:
        return found
    needed = runtime.needs(functions)
    rows: dict[str, list[Usage]] = defaultdict(list)
    for use, when in sorted(cut.items()):
        row = _usage(principal, *use, when)
        if not runtime.covers(needed, row):
            rows[row.action].append(row)
    learnt = learn(rows, cut, fold.train, levels.of(principal.arn), levels.services)
    grants = {action: _granted(principal, action) for action in {use[0] for use, _ in later}}
    sure = {action: _sure(action, learnt, patterns) for action, patterns in grants.items()}
    for (action, resource), when in later:
        if not any(form.match(resource) for form in sure[action]):
            found.append(_usage(principal, action, resource, when))
    return found


def _usage(principal: Principal, action: str, resource: str, when: Sequence[date]) -> Usage:
    at = [datetime.combine(day, time()) for day in (when[0], when[-1])]
    return Usage(
        principal.arn, principal.kind, action, resource, "required", "", len(when), 0, at[0], at[1], len(when), None
    )


def _granted(principal: Principal, action: str) -> list[str] | None:
    """List the resources on which today's Allow statements grant `action`; None where patterns do not tell."""
    found: list[str] = []
    for policy in principal.policies:
        for statement in policy.document.statements if policy.document else ():
            if statement.effect == "Allow" and action_matches(statement, action):
                resources = statement.resources or ()
                if statement.not_resource or any("${" in each for each in resources):
                    return None
                found += resources
    return found


def _sure(action: str, learnt: Generalised, granted: list[str] | None) -> list[re.Pattern[str]]:
    """Give the learnt patterns that the proposal lists whole: each lies within every grant that may serve it."""
    if granted is None:
        return []
    serving = learnt.serving.get(action, {})
    listed: dict[str, bool] = {}
    for resource, pattern in serving.items():
        whole = all(arn_includes(each, pattern.resource) for each in granted if arn_includes(each, resource))
        listed[pattern.resource] = listed.get(pattern.resource, True) and whole
    for pattern in learnt.shared.get(action, ()):
        reached = (each for each in granted if any(arn_includes(each, resource) for resource in serving))
        listed[pattern.resource] = all(arn_includes(each, pattern.resource) for each in reached)
    return [compiled(tokens(text)) for text, whole in sorted(listed.items()) if whole]


def _denied(
    snapshot: Snapshot,
    evidence: Evidence,
    cuts: Mapping[str, Days],
    suspects: Mapping[str, Sequence[Usage]],
    fold: Fold,
    levels: Levels,
    rules: Rules | None,
) -> dict[str, tuple[Denial, ...]]:
    """Put the doubtful uses to the law, with policies tightened on the fold's earlier days as the run itself would."""
    if not suspects:
        return {}
    some = replace(snapshot, principals=tuple(each for each in snapshot.principals if each.arn in suspects))
    known = {each.arn: each for each in some.principals}
    # What others had done by then speaks for what a role may need, so it is not left out.
    usage: dict[str, Sequence[Usage]] = {
        arn: [row for row in rows if row.first_used and row.first_used.date() <= fold.train.last]
        for arn, rows in evidence.usage.items()
        if arn not in known
    }
    for arn, cut in cuts.items():
        usage[arn] = [_usage(known[arn], *use, when) for use, when in sorted(cut.items())]
    seen = {arn: datetime.combine(max(when[-1] for when in cut.values()), time()) for arn, cut in cuts.items()}
    earlier = replace(
        evidence,
        window=fold.train,
        usage=dict(sorted(usage.items())),
        days=cuts,
        last_seen=seen,
        action_days={
            arn: {
                action: when[: bisect_right(when, fold.train.last)]
                for action, when in evidence.action_days.get(arn, {}).items()
            }
            for arn in cuts
        },
    )
    found: dict[str, list[Denial]] = defaultdict(list)
    for each in denials(some, earlier, suspects, levels, rules):
        found[each.principal].append(each)
    return {arn: tuple(rows) for arn, rows in found.items()}


def counted(rows: Iterable[Denial], later: Iterable[Usage]) -> tuple[Denial, ...]:
    """Give the denials with their calls and an example event, from the usage of the replayed days; most calls first."""
    calls: dict[tuple[str, str], int] = defaultdict(int)
    events: dict[tuple[str, str], list[tuple[datetime, str]]] = defaultdict(list)
    for row in later:
        calls[row.action, row.resource] += row.calls
        if row.calls and row.first_used and row.example_event:
            events[row.action, row.resource].append((row.first_used, row.example_event))
    told = [
        replace(
            each,
            calls=calls[each.action, each.resource],
            example_event=min(events[each.action, each.resource], default=(None, None))[1],
        )
        for each in rows
    ]
    return tuple(sorted(told, key=lambda one: (-one.calls, one.action, one.resource)))
