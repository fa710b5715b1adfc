"""What is known of how each proposal will fare: its role's own past, and the chance that it breaks something."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from trailfit.recommend.backtest import denial_as_dict, window_as_dict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trailfit.model import Recommendation, Window
    from trailfit.recommend.backtest import Denial

#: The chance is told for so many days ahead.
HORIZON = 30
_SHOWN = 10
_CAUSES = ("action", "resource")
_WITHIN = "the replay of its own past and the chance that it breaks something are within the bar"


@dataclass(frozen=True, slots=True)
class Replay:
    """One principal tightened on the days of `train`, and what it did on those of `test`.

    `calls` are its calls that count, `uses` the distinct (action, resource) among them.
    """

    train: Window
    test: Window
    calls: int
    uses: int
    denials: tuple[Denial, ...]

    @property
    def denied(self) -> int:
        """Count the calls that would have been denied."""
        return sum(each.calls for each in self.denials)


@dataclass(frozen=True, slots=True)
class Chance:
    """The estimated probability that a proposal denies something legitimate within the next `days` days.

    `action`: because an action is gone; `resource`: because of a resource; `either`: at all. `because` says what of
    the role's log it was estimated from.
    """

    days: int
    either: float
    action: float
    resource: float
    because: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outlook:
    """The replays of one principal, latest first, or why there is none; and the chance, where it can be estimated."""

    replays: tuple[Replay, ...] = ()
    untested: str | None = None
    chance: Chance | None = None
    unknown: str | None = None

    @property
    def denials(self) -> tuple[Denial, ...]:
        """All denials of all replays."""
        return tuple(each for replay in self.replays for each in replay.denials)

    @property
    def calls(self) -> int:
        """Count the calls that were replayed."""
        return sum(replay.calls for replay in self.replays)

    @property
    def denied(self) -> int:
        """Count the calls that would have been denied."""
        return sum(replay.denied for replay in self.replays)


@dataclass(frozen=True, slots=True)
class Bar:
    """What a proposal must reach to be `safe`: ``[safe]`` of trailfit.toml.

    `p_break` is the most that may be expected to break in 30 days, `denied` the largest share of the replayed calls
    that may have been denied. `untested`: a proposal that could not be replayed may be safe all the same.
    """

    p_break: float = 0.1
    denied: float = 0.0
    untested: bool = False


def decided(recommendation: Recommendation, outlook: Outlook, bar: Bar) -> Recommendation:
    """Leave a recommendation `safe` only where it reaches the bar; the reasons say what did or did not."""
    if recommendation.disposition != "safe":
        return recommendation
    missed = [*_replay_misses(outlook, bar), *_chance_misses(outlook, bar)]
    if missed:
        return replace(recommendation, disposition="unsafe", reasons=(*missed, *recommendation.reasons))
    return replace(recommendation, reasons=(*recommendation.reasons, _WITHIN))


def _replay_misses(outlook: Outlook, bar: Bar) -> Iterator[str]:
    if not outlook.replays:
        if not bar.untested:
            yield f"its own past cannot tell: {outlook.untested}"
    elif outlook.denied > bar.denied * outlook.calls:
        yield f"{in_words(outlook)}: more than the bar allows ({percent(bar.denied)})"


def _chance_misses(outlook: Outlook, bar: Bar) -> Iterator[str]:
    if outlook.chance is None:
        if not bar.untested:
            yield f"its chance to break something is not known: {outlook.unknown}"
    elif outlook.chance.either > bar.p_break:
        yield f"{chance_in_words(outlook)}: above the bar of {percent(bar.p_break)}"


def in_words(outlook: Outlook) -> str:
    """Tell the replays in one line."""
    if not outlook.replays:
        return f"cannot tell: {outlook.untested}"
    latest = outlook.replays[0]
    what = f"{latest.test.days} days replayed against what the {latest.train.days} days before them taught"
    if len(outlook.replays) > 1:
        what = f"{len(outlook.replays)} times {what}"
    if not outlook.denied:
        return f"{what}: none of {outlook.calls:,} calls would have been denied"
    return f"{what}: {outlook.denied:,} of {outlook.calls:,} calls would have been denied"


def chance_in_words(outlook: Outlook) -> str:
    """Tell the chance in one line."""
    chance = outlook.chance
    if chance is None:
        return f"cannot tell: {outlook.unknown}"
    return (
        f"chance that it denies something legitimate within {chance.days} days: {percent(chance.either)}"
        f" (an action {percent(chance.action)}, a resource {percent(chance.resource)})"
    )


def percent(share: float) -> str:
    """Write a share as per cent with two digits that count.

    >>> percent(0.1), percent(0.0312), percent(0.0), percent(0.0004)
    ('10 %', '3.1 %', '0 %', '0.04 %')
    """
    return f"{100 * share:.2g} %"


def summary(looks: Iterable[Outlook]) -> dict[str, str]:
    """Sum the replays of all proposals up in one sentence; nothing where none could be replayed."""
    tested = [each for each in looks if each.replays]
    if not tested:
        return {}
    calls, denied = sum(each.calls for each in tested), sum(each.denied for each in tested)
    hurt = sum(bool(each.denials) for each in tested)
    by = {cause: sum(any(one.cause == cause for one in each.denials) for each in tested) for cause in _CAUSES}
    latest = max((each.replays[0] for each in tested), key=lambda one: (one.test.last, one.train.days))
    return {
        "backtest": (
            f"Replayed on the lake's own history (tightened on {latest.train.days} days, tested on the next"
            f" {latest.test.days}): {denied:,} of {calls:,} calls and {hurt} of {len(tested)} roles and users would"
            f" have been denied ({by['action']} because of an action, {by['resource']} because of a resource)."
        )
    }


def as_dict(outlook: Outlook) -> dict[str, Any]:
    """Give the two parts of a recommendation in `recommendations.json`: ``backtest`` and ``p_break``."""
    causes = [each.cause for each in outlook.denials]
    backtest: dict[str, Any] = {
        "verdict": "cannot tell" if not outlook.replays else "denied" if outlook.denials else "held",
        "summary": in_words(outlook),
        "calls": outlook.calls,
        "calls_denied": outlook.denied,
        "uses": sum(each.uses for each in outlook.replays),
        "uses_denied": len(causes),
        "uses_denied_by_action": causes.count("action"),
        "uses_denied_by_resource": causes.count("resource"),
        "replays": [_replay(each) for each in outlook.replays],
        "denials": [denial_as_dict(each) for each in sorted(outlook.denials, key=_most_calls)[:_SHOWN]],
    }
    chance = outlook.chance
    told: dict[str, Any] = {"days": HORIZON, "probability": None, "action": None, "resource": None, "because": []}
    if chance is not None:
        told |= {
            "probability": round(chance.either, 4),
            "action": round(chance.action, 4),
            "resource": round(chance.resource, 4),
            "because": list(chance.because),
        }
    return {"backtest": backtest, "p_break": {**told, "summary": chance_in_words(outlook)}}


def _most_calls(denial: Denial) -> int:
    return -denial.calls


def _replay(replay: Replay) -> dict[str, Any]:
    return {
        "train": window_as_dict(replay.train),
        "test": window_as_dict(replay.test),
        "calls": replay.calls,
        "calls_denied": replay.denied,
        "uses": replay.uses,
        "uses_denied": len(replay.denials),
    }
