"""The chance that a proposal denies something legitimate in the 30 days to come, estimated from its role's own log.

Two budgets: that an action is missing, and that a resource is. Each is a logistic model of a few numbers that any log
has; the coefficients are rows of ``break_chances.csv``, fitted on made-up organisations with ground truth
(``python -m tests.bench.chances``, which also says how far they hold for others). Made-up organisations have another
level of surprise than a real one, so the lake corrects it: what the replays of all roles really denied, against what
the model expected of them, moves every estimate, the more so the more roles there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import exp, log, log1p
from typing import TYPE_CHECKING, Literal

from trailfit.catalog.tables import rows
from trailfit.recommend.outlook import HORIZON, Chance

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import date

    from trailfit.model import Window

Cause = Literal["action", "resource"]
#: A pair of action and resource that was used on no more days than this may have siblings that were not.
_SELDOM = 4
#: How well the made-up level is trusted: the inverse variance of what the lake may correct it by (see `corrected`).
_TRUST = 16.0


@dataclass(frozen=True, slots=True)
class Novelty:
    """What a role's log says of how often it does something new.

    `days` of log; `actions` used; `active`, the share of the days with any use; `listed`, the resources that the
    proposal names one by one, and `seldom`, the (action, resource) of these used on four days or fewer; `action` and
    `resource`: in the replayed days it did something that the days before would have denied, for that cause.
    """

    days: int
    actions: int
    active: float
    listed: int
    seldom: int
    action: bool = False
    resource: bool = False

    def features(self) -> dict[str, float]:
        """Give the numbers as the models take them."""
        return {
            "level": 1.0,
            "days": log(self.days),
            "actions": log1p(self.actions),
            "active": self.active,
            "listed": log1p(self.listed),
            "seldom": log1p(self.seldom),
            "broke": 0.0,
        }


def novelty(
    days: Mapping[tuple[str, str], Sequence[date]], allowed: Mapping[str, Collection[str]], window: Window
) -> Novelty:
    """Count a role's novelty; `days` are those of each (action, resource) in `window`, `allowed` what is proposed."""
    active = {day for when in days.values() for day in when}
    listed = {use: when for use, when in days.items() if use[1] != "*" and use[1] in allowed.get(use[0], ())}
    return Novelty(
        days=window.days,
        actions=len({action for action, _ in days}),
        active=len(active) / window.days,
        listed=len({resource for _, resource in listed}),
        seldom=sum(len(when) <= _SELDOM for when in listed.values()),
    )


@cache
def _model(cause: Cause) -> dict[str, float]:
    return {row["feature"]: float(row["coefficient"]) for row in rows("break_chances") if row["cause"] == cause}


def logit(known: Novelty, cause: Cause) -> float:
    """Give the model's log odds that `cause` denies something within 30 days, before the lake corrects them."""
    features = {**known.features(), "broke": float(getattr(known, cause))}
    return sum(weight * features[name] for name, weight in _model(cause).items())


def corrected(outcomes: Iterable[tuple[Novelty, int, bool]], cause: Cause) -> float:
    """Give what to add to all log odds, from replays: what was known, how many days were replayed, what came of it.

    The correction is the most likely one given the outcomes, held back by a normal prior around none: of few roles
    little follows.
    """
    known = [(logit(each, cause), days / HORIZON, broke) for each, days, broke in outcomes]
    shift = 0.0
    for _ in range(50):
        slope, curve = -_TRUST * shift, _TRUST
        for odds, share, broke in known:
            once = _probability(odds + shift)
            chance = min(1 - (1 - once) ** share, 1 - 1e-9)
            # The derivative of the log likelihood of `broke` with respect to the shift, and its expected curvature.
            rate = share * (1 - chance) * once
            slope += rate / chance if broke else -rate / (1 - chance)
            curve += rate * rate / (chance * (1 - chance))
        step = slope / curve
        shift += step
        if abs(step) < 1e-9:
            break
    return shift


def estimate(known: Novelty, shifts: Mapping[Cause, float], *, can: Mapping[Cause, bool]) -> Chance:
    """Estimate the chance of one proposal; `can` says whether it leaves out any action, narrows any resource at all."""
    by: dict[Cause, float] = {
        cause: _probability(logit(known, cause) + shifts[cause]) if can[cause] else 0.0 for cause in shifts
    }
    either = 1 - (1 - by["action"]) * (1 - by["resource"])
    return Chance(HORIZON, either, by["action"], by["resource"], tuple(_because(known)))


def _because(known: Novelty) -> Iterable[str]:
    yield f"{known.days} days of log, at work on {round(known.active * known.days)} of them"
    yield f"{known.actions} actions used; {known.listed} resources listed one by one"
    if known.seldom:
        yield f"{known.seldom} of their uses were seen on {_SELDOM} days or fewer"
    causes = [cause for cause in ("action", "resource") if getattr(known, cause)]
    if causes:
        yield f"in the days replayed it did what the days before would have denied, because of {' and '.join(causes)}"


def _probability(odds: float) -> float:
    """Turn log odds into a probability.

    >>> _probability(0.0)
    0.5
    """
    return 1 / (1 + exp(-odds)) if odds >= 0 else 1 - 1 / (1 + exp(odds))
