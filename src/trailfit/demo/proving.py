"""The proving ground: organisations made up with their ground truth, to judge what is learnt from their logs.

Truth comes first: what each role *may* legitimately do, on which resources, in what rhythm. The log is sampled from it,
with faults; whoever learns sees only the log and today's policies. The grants of today are wider than the truth, each
in its own bad way. The families of names share nothing; the same family and seed give the same organisation.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from trailfit.demo.proving_grants import grants_of
from trailfit.demo.proving_names import Family, Names
from trailfit.demo.proving_resources import Moment
from trailfit.demo.proving_roles import ARCHETYPES, DAYS, Need, Place, needs_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

REGIONS = ("eu-west-1", "us-east-1", "eu-central-1", "ap-southeast-2")
#: The day that learning ends and the test begins, by seed: the 30 days after it cross the end of a year, a month, a
#: quarter, a quarter, a month with 29 February in its past. Learning sees up to 300 days before it.
TURNS = (date(2026, 12, 10), date(2026, 8, 12), date(2026, 9, 14), date(2027, 3, 17), date(2024, 3, 14))
BEFORE = 300

#: Calls of one (action, ARN) by day.
Trace = dict[tuple[str, str], dict[date, int]]


@dataclass(frozen=True, slots=True)
class Role:
    """One role: what it may do (truth), what it did (`log`: what was delivered; `all_calls`: what happened).

    `refused` are calls that failed authorization, `intruder` those of a quarantined session: nothing to learn from.
    """

    arn: str
    archetype: str
    account: str
    needs: tuple[Need, ...]
    policies: tuple[Mapping[str, Any], ...]
    log: Trace
    all_calls: Trace
    refused: Trace
    intruder: Trace

    def truth(self) -> dict[str, tuple[str, ...]]:
        """Map each action that the role may use to the patterns of what it may use it on."""
        found: dict[str, set[str]] = defaultdict(set)
        for need in self.needs:
            for action in need.actions:
                found[action].update(need.resources.truth)
        return {action: tuple(sorted(patterns)) for action, patterns in sorted(found.items())}


@dataclass(frozen=True, slots=True)
class Organisation:
    """Roles, and the inventory: for each kind of resource (``service:type``) the ARNs that exist, with weights.

    A kind with a great many members is represented by a sample, each with the number of ARNs that it stands for.
    """

    family: Family
    seed: int
    turn: date
    roles: tuple[Role, ...]
    inventory: Mapping[str, Mapping[str, float]] = field(repr=False)


def organisation(family: Family, seed: int, *, roles: int = 40, sample: int = 40) -> Organisation:
    """Make one organisation of `roles` roles; `sample` bounds how many ARNs of one need stand in the inventory."""
    rng = Random(f"proving/{family}/{seed}")  # noqa: S311 - made-up data, not a secret
    names = Names(rng, family)
    accounts = [f"{rng.randrange(10**11, 10**12)}" for _ in range(rng.randrange(1, 4))]
    regions = rng.sample(REGIONS, rng.randrange(1, 3))
    turn = TURNS[seed % len(TURNS)]
    start = turn - timedelta(days=BEFORE)
    mix = {name: weight * rng.uniform(0.5, 1.6) for name, (weight, _) in ARCHETYPES.items()}
    lost = {start + timedelta(days=index) for index in range(DAYS) if rng.random() < 0.015}
    made, inventory = [], _Inventory(sample, names)
    for number in range(roles):
        archetype = rng.choices(list(mix), list(mix.values()))[0]
        # A generator of its own for each role: what one draws changes no other.
        own = Random(f"proving/{family}/{seed}/{number}")  # noqa: S311
        app = own.choice(names.grammar.apps)
        place = Place(own.choice(accounts), own.choice(regions), app, names, own)
        made.append(_role(place, archetype, number, start, lost, inventory))
    return Organisation(family, seed, turn, tuple(made), inventory.finish())


def _role(place: Place, archetype: str, number: int, start: date, lost: set[date], inventory: _Inventory) -> Role:
    needs = tuple(needs_of(archetype, place))
    happened: Trace = {}
    rng = place.rng
    for need in needs:
        touched: set[str] = set()
        for index in range(DAYS):
            day = start + timedelta(days=index)
            runs = need.cadence.runs(rng, index, day)
            if not runs:
                continue
            drawn = need.resources.draw(Moment(rng, index, day, runs))
            each = max(1.0, runs / max(1, len(drawn))) * need.calls
            for arn in drawn:
                touched.add(arn)
                for action in need.actions:
                    days = happened.setdefault((action, arn), {})
                    days[day] = days.get(day, 0) + 1 + int(rng.expovariate(1 / each))
        inventory.add(need.resources.kind, touched, place)
    log = {
        use: delivered
        for use, days in happened.items()
        if (delivered := {day: calls for day, calls in days.items() if day not in lost or not _is_data(use[0])})
    }
    role = f"arn:aws:iam::{place.account}:role/{place.names.name(place.app, archetype.replace('-', ''))}-{number}"
    return Role(
        role,
        archetype,
        place.account,
        needs,
        tuple(grants_of(needs, place)),
        log,
        happened,
        refused=_noise(rng, start, place, "sibling"),
        intruder=_noise(rng, start, place, "loot"),
    )


def _is_data(action: str) -> bool:
    return action.startswith(("s3:Get", "s3:Put", "dynamodb:", "lambda:Invoke", "sqs:", "sns:"))


def _noise(rng: Random, start: date, place: Place, thing: str) -> Trace:
    """Draw a few calls that no one may learn from, on things of another environment."""
    found: Trace = {}
    for _ in range(rng.choice((0, 0, 0, 1, 3))):
        bucket = place.names.bucket(place.app, thing, environment=1)
        day = start + timedelta(days=rng.randrange(DAYS))
        found.setdefault(("s3:GetObject", f"arn:aws:s3:::{bucket}/{rng.getrandbits(32):08x}"), {})[day] = 2
    return found


class _Inventory:
    """Gathers what exists: all that anybody touched, and beside each ARN its confusers."""

    def __init__(self, sample: int, names: Names) -> None:
        self._sample, self._names = sample, names
        self._found: dict[str, dict[str, float]] = defaultdict(dict)

    def add(self, kind: str, touched: set[str], place: Place) -> None:
        """Add what a need touched, sampled evenly when there is too much of it, with three decoys an ARN."""
        members = sorted(touched)
        chosen = place.rng.sample(members, min(len(members), self._sample))
        for arn in chosen:
            weight = len(members) / len(chosen)
            kinds = self._found[kind]
            kinds[arn] = max(weight, kinds.get(arn, 0))
            for decoy in self._decoys(arn, place):
                kinds.setdefault(decoy, weight)

    def _decoys(self, arn: str, place: Place) -> list[str]:
        """Name siblings: another environment, another app, another prefix or last word."""
        if arn == "*":
            return []
        env, other = self._names.environments[:2]
        head, slash, last = arn.rpartition("/")
        apps = self._names.grammar.apps
        app = apps[(apps.index(place.app) + 1) % len(apps)]
        swapped = [
            arn.replace(env, other) if env in arn else arn.replace(env.lower(), other.lower()),
            arn.replace(place.app, app).replace(place.app.lower(), app.lower()),
            f"{head}-old{slash}{last}" if slash else f"{arn}-old",
        ]
        return [decoy for decoy in dict.fromkeys(swapped) if decoy != arn]

    def finish(self) -> dict[str, dict[str, float]]:
        """Give the inventory, sorted."""
        return {kind: dict(sorted(members.items())) for kind, members in sorted(self._found.items())}


def window(trace: Trace, first: date, last: date) -> Trace:
    """Cut a trace to the days from `first` to `last`, both included."""
    cut: Trace = {}
    for use, days in trace.items():
        inside = {day: calls for day, calls in days.items() if first <= day <= last}
        if inside:
            cut[use] = inside
    return cut


def organisations(family: Family, seeds: Sequence[int], *, roles: int = 40) -> list[Organisation]:
    """Make several organisations of one family."""
    return [organisation(family, seed, roles=roles) for seed in seeds]
