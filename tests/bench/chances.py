"""Is the chance to break, printed with each proposal, true? Fits its coefficients, and tests them where they were not fitted.

Run as ``python -m tests.bench.chances [--families ABC] [--seeds 1-4] [--windows 60,90,180]`` for the reliability table and
the Brier scores, on seeds that were not used for the fit (A and B) and on a family of which nothing was (C); or with
``--fit`` to write ``break_chances.csv`` anew from families A and B, seeds 101 to 110. The Brier score is the mean squared
error of the probability; the base rate is the score of always saying the share that broke in these very organisations.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise, product
from math import sqrt

from tests.bench.rightsizing import Allowed, granted, seeds, show
from tests.bench.rightsizing_learners import learn_by, peers_of
from trailfit.catalog.tables import FOLDER
from trailfit.demo.proving import organisation, window
from trailfit.model import Window
from trailfit.recommend.chance import Novelty, corrected, estimate, novelty

CAUSES = ("action", "resource")
FEATURES = {
    "action": ("level", "days", "actions", "active", "broke"),
    "resource": ("level", "days", "listed", "seldom"),
}
#: Numbers that are not held back, and how much the others are: what did best when one family of the fit was left out.
FREE = ("level", "days")
RIDGE = {"action": 100.0, "resource": 1.0}
#: Families and seeds of the fit, and where it learns: days of log, and how many days before the organisation's turn.
FITTED_ON = ("AB", range(101, 111), ((90, 0), (90, 60), (60, 0), (180, 0)))
HORIZON = 30
BINS = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.01)
RARE = frozenset({"incident", "rare"})
LONG = frozenset({"quarterly", "yearly"})


@dataclass
class Example:
    """One role at one time: what was known, and what the next 30 days brought."""

    org: tuple
    group: str
    known: Novelty
    tested: bool
    test_days: int
    calls: int
    denied: int
    action: bool
    resource: bool

    @property
    def either(self):
        return self.action or self.resource


def group_of(role):
    """Put a role where it is reported: people and deployments first, then by its rarest need."""
    if role.archetype in ("people", "deploy"):
        return role.archetype
    rhythms = {need.cadence.rhythm for need in role.needs}
    return "quarterly or yearly" if rhythms & LONG else "rare or incident" if rhythms & RARE else "regular"


def outcome(allowed, coming):
    """Say what of `coming` is denied: its calls, because of an action, because of a resource."""
    grants = {action: Allowed(patterns) for action, patterns in allowed.items() if patterns}
    calls, action, resource = 0, False, False
    for (what, where), when in coming.items():
        missing = what not in grants
        if missing or where not in grants[what]:
            calls += sum(when.values())
            action |= missing
            resource |= not missing
    return calls, action, resource


def examples(job):
    """Learn on some days of one organisation, replay its past as a run does, and see what comes."""
    family, seed, cuts = job
    org = organisation(family, seed)
    services = {action.partition(":")[0] for role in org.roles for need in role.needs for action in need.actions}
    old = [granted(role.policies, services) for role in org.roles]
    found = []
    for days, back in cuts:
        turn = org.turn - timedelta(days=back)
        first, last = turn - timedelta(days=days), turn - timedelta(days=1)
        ahead = min(30, days // 3)
        split = last - timedelta(days=ahead)
        peers, earlier = peers_of(org.roles, first, last), peers_of(org.roles, first, split)
        for role, grants in zip(org.roles, old, strict=True):
            seen = window(role.log, first, last)
            if not seen:
                continue
            allowed = learn_by("trailfit", role, seen, last, grants, peers).allowed
            ordered = {use: tuple(sorted(when)) for use, when in seen.items()}
            known = novelty(ordered, {a: set(p) for a, p in allowed.items()}, Window(first, last))
            before, after = window(role.log, first, split), window(role.log, split + timedelta(days=1), last)
            new = {use: when for use, when in after.items() if use not in before}
            broke = (0, False, False)
            if before and new:
                broke = outcome(learn_by("trailfit", role, before, split, grants, earlier).allowed, new)
            coming = window(role.all_calls, turn, turn + timedelta(days=HORIZON - 1))
            denied, action, resource = outcome(allowed, coming)
            known = replace(known, action=broke[1], resource=broke[2])
            calls = sum(sum(when.values()) for when in coming.values())
            org_ = (family, seed, days, back)
            tested = bool(before and after)
            found.append(Example(org_, group_of(role), known, tested, ahead, calls, denied, action, resource))
    return found


def gather(families, numbers, cuts, jobs):
    """Make the examples of many organisations."""
    with ProcessPoolExecutor(jobs) as pool:
        rows = pool.map(examples, [(family, seed, cuts) for seed, family in product(numbers, families)])
        return [each for found in rows for each in found]


def fit(rows, cause):
    """Fit one logistic model by Newton's method; a ridge on standardised numbers, but not on the level and the days."""
    import numpy as np

    names = FEATURES[cause]
    x = np.array([[{**r.known.features(), "broke": getattr(r.known, cause)}[n] for n in names] for r in rows], float)
    y = np.array([getattr(r, cause) for r in rows], float)
    spread = np.array([1.0 if name in FREE else x[:, at].std() for at, name in enumerate(names)])
    x = x / spread
    ridge = np.diag([0.0 if name in FREE else RIDGE[cause] for name in names])
    weights = np.zeros(len(names))
    for _ in range(60):
        p = 1 / (1 + np.exp(-x @ weights))
        step = np.linalg.solve((x * (p * (1 - p))[:, None]).T @ x + ridge, x.T @ (p - y) + ridge @ weights)
        weights -= step
    return dict(zip(names, weights / spread, strict=True))


def write(rows):
    """Write the catalogue's table."""
    families, numbers, cuts = FITTED_ON
    where = (
        f"fitted by `python -m tests.bench.chances --fit`: logistic regression on {len(rows)} made-up roles, families"
        f" {families}, seeds {numbers[0]}-{numbers[-1]}, {'/'.join(str(days) for days in sorted({d for d, _ in cuts}))} days of log"
    )
    with (FOLDER / "break_chances.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(("cause", "feature", "coefficient", "source"))
        for cause in CAUSES:
            for name, value in fit(rows, cause).items():
                out.writerow((cause, name, f"{value:.4f}", where))


def predicted(rows, *, correct=True):
    """Give each row's chance: with the lake's own correction, as a run does, or without."""
    lakes = defaultdict(list)
    for row in rows:
        lakes[row.org].append(row)
    found = {}
    for lake in lakes.values():
        shifts = dict.fromkeys(CAUSES, 0.0)
        if correct:
            for cause in CAUSES:
                past = [
                    (
                        replace(row.known, days=row.known.days - row.test_days, action=False, resource=False),
                        row.test_days,
                        getattr(row.known, cause),
                    )
                    for row in lake
                    if row.tested
                ]
                shifts[cause] = corrected(past, cause)
        for row in lake:
            found[id(row)] = estimate(row.known, shifts, can=dict.fromkeys(CAUSES, True))
    return [found[id(row)] for row in rows]


def brier(chances, happened):
    return sum((p - y) ** 2 for p, y in zip(chances, happened, strict=True)) / len(chances)


def scores(rows, chances):
    """One line for each cause: how often it broke, what was said, the Brier score and the base rate's."""
    lines = []
    for cause in (*CAUSES, "either"):
        said, happened = [getattr(each, cause) for each in chances], [getattr(each, cause) for each in rows]
        rate = sum(happened) / len(rows)
        score, base = brier(said, happened), rate * (1 - rate)
        verdict = "better" if score < base else "NOT better"
        lines.append(
            (cause, f"{len(rows)}", f"{100 * rate:.1f}", f"{100 * sum(said) / len(rows):.1f}", f"{score:.4f}",
             f"{base:.4f}", f"{100 * (1 - score / base if base else 0):+.1f} %", verdict)
        )  # fmt: skip
    return lines


def reliability(rows, chances):
    """Of the roles that were given such a chance, how many broke? With the interval that chance alone allows."""
    lines = [("chance given", "roles", "mean given %", "broke %", "95 % of it")]
    for low, high in pairwise(BINS):
        inside = [(p.either, r.either) for p, r in zip(chances, rows, strict=True) if low <= p.either < high]
        if not inside:
            continue
        n = len(inside)
        given, broke = sum(p for p, _ in inside) / n, sum(y for _, y in inside) / n
        centre, half = (
            (broke + 1.92 / n) / (1 + 3.84 / n),
            1.96 * sqrt(broke * (1 - broke) / n + 0.96 / n**2) / (1 + 3.84 / n),
        )
        lines.append(
            (f"{100 * low:.0f}-{min(100, 100 * high):.0f} %", f"{n}", f"{100 * given:.1f}", f"{100 * broke:.1f}",
             f"{100 * max(0, centre - half):.1f}-{100 * (centre + half):.1f}")
        )  # fmt: skip
    return lines


def by_group(rows, chances):
    """Where the rest breaks: people, deployments and jobs that come seldom, apart."""
    groups = defaultdict(list)
    for row, chance in zip(rows, chances, strict=True):
        groups[row.group].append((row, chance))
    lines = [("group", "roles", "denied by action %", "by resource %", "at all %", "chance given %", "calls denied %")]
    for name, found in sorted(groups.items()):
        n, calls = len(found), sum(row.calls for row, _ in found)
        lines.append(
            (name, f"{n}", *(f"{100 * sum(getattr(row, key) for row, _ in found) / n:.1f}" for key in (*CAUSES, "either")),
             f"{100 * sum(chance.either for _, chance in found) / n:.1f}",
             f"{100 * sum(row.denied for row, _ in found) / max(1, calls):.3f}")
        )  # fmt: skip
    return lines


def report(rows):
    """Print all of it."""
    head = ("cause", "roles", "broke %", "given %", "Brier", "base rate", "gain", "")
    for title, families in (("unseen seeds of the families of the fit", FITTED_ON[0]), ("unseen family", "C")):
        mine = [row for row in rows if row.org[0] in families]
        for days in sorted({row.org[2] for row in mine}):
            some = [row for row in mine if row.org[2] == days]
            print(f"\n{title} {families}, {days} days of log, the next {HORIZON}")
            show([head, *scores(some, predicted(some))])
        if mine:
            print(f"\n{title} {families}, all windows together; then without the lake's own correction")
            show([head, *scores(mine, predicted(mine)), *scores(mine, predicted(mine, correct=False))])
            show(reliability(mine, predicted(mine)))
    usual = [row for row in rows if row.org[2] == 90] or rows
    print("\nby kind of role")
    show(by_group(usual, predicted(usual)))


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--families", default="ABC")
    parser.add_argument("--seeds", type=seeds, default=range(1, 5))
    parser.add_argument("--windows", default="60,90,180")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--fit", action="store_true")
    given = parser.parse_args(argv)
    if given.fit:
        families, numbers, cuts = FITTED_ON
        write(gather(families, numbers, cuts, given.jobs))
        return
    cuts = tuple((int(days), 0) for days in given.windows.split(","))
    report(gather(given.families, given.seeds, cuts, given.jobs))


if __name__ == "__main__":
    main()
