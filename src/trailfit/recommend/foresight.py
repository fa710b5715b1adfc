"""Join the replays and the chances to what is recommended, and leave `safe` only what reaches the bar."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from trailfit.recommend.chance import Cause, Novelty, corrected, estimate, novelty
from trailfit.recommend.granted import listed
from trailfit.recommend.history import LEAST_DAYS, is_tightening
from trailfit.recommend.outlook import Bar, Outlook, Replay, decided

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trailfit.model import Judgement, Recommendation, Window
    from trailfit.recommend.history import Replayed

_CAUSES: tuple[Cause, ...] = ("action", "resource")


def settle(
    judgement: Judgement,
    folds: Sequence[Replayed],
    totals: Mapping[Window, Mapping[str, tuple[int, int]]],
    bar: Bar,
) -> tuple[Judgement, dict[str, Outlook]]:
    """Give the judgement with `safe` only where the bar is reached, and every recommendation's outlook by its id.

    `folds` are the replays, latest first; `totals` each principal's calls and uses in the days that were replayed.
    """
    window = judgement.evidence.window
    tightened = [each for each in judgement.recommendations if is_tightening(each)]
    allowed = {each.principal: _allowed(each) for each in tightened}
    known = {
        arn: _with_past(novelty(judgement.evidence.days.get(arn, {}), found, window), arn, folds)
        for arn, found in allowed.items()
    }
    shifts = {cause: _shift(known, folds, cause) for cause in _CAUSES}
    short = f"{window.days} days of log are too few: {LEAST_DAYS} are needed"
    looks = {}
    for each in judgement.recommendations:
        if each.principal not in known or not is_tightening(each):
            reason = "it leaves no policy to replay calls against"
            looks[each.id] = Outlook(untested=reason, unknown=reason)
        elif window.days < LEAST_DAYS:
            looks[each.id] = Outlook(untested=short, unknown=short)
        else:
            can = _can(each, allowed[each.principal])
            chance = estimate(known[each.principal], shifts, can=can)
            looks[each.id] = replace(_past(each.principal, folds, totals), chance=chance)
    settled = tuple(decided(each, looks[each.id], bar) for each in judgement.recommendations)
    return replace(judgement, recommendations=settled), looks


def _past(arn: str, folds: Sequence[Replayed], totals: Mapping[Window, Mapping[str, tuple[int, int]]]) -> Outlook:
    replays = tuple(
        Replay(each.fold.train, each.fold.test, *totals[each.fold.test].get(arn, (0, 0)), each.denials.get(arn, ()))
        for each in folds
        if arn in each.tested
    )
    if replays:
        return Outlook(replays)
    reasons = [each.untested[arn] for each in folds if arn in each.untested]
    return Outlook(untested=reasons[0] if reasons else "the lake's log does not reach back to the window's first day")


def _allowed(recommendation: Recommendation) -> dict[str, set[str]]:
    """Map the actions that the new policies name to the resources that they list."""
    found: dict[str, set[str]] = defaultdict(set)
    for change in recommendation.after:
        for statement in listed(change.document.raw["Statement"]):
            if statement["Effect"] == "Allow":
                for action in listed(statement.get("Action")):
                    found[action].update(listed(statement.get("Resource")))
    return found


def _can(recommendation: Recommendation, allowed: Mapping[str, set[str]]) -> dict[Cause, bool]:
    """Tell what may be denied at all: an action where one is left out, a resource where not all are granted."""
    return {
        "action": any(each.cls in ("unused", "undetermined") for each in recommendation.permissions),
        "resource": any(resources != {"*"} for resources in allowed.values()),
    }


def _with_past(known: Novelty, arn: str, folds: Sequence[Replayed]) -> Novelty:
    causes = {each.cause for each in folds[0].denials.get(arn, ())} if folds else set()
    return replace(known, action="action" in causes, resource="resource" in causes)


def _shift(known: Mapping[str, Novelty], folds: Sequence[Replayed], cause: Cause) -> float:
    """Correct the model's level by what the replays of all roles really denied."""
    return corrected(
        (
            (
                replace(known[arn], days=each.fold.train.days, action=False, resource=False),
                each.fold.test.days,
                any(one.cause == cause for one in each.denials.get(arn, ())),
            )
            for each in folds
            for arn in sorted(each.tested & known.keys())
        ),
        cause,
    )
