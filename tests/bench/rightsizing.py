"""How well do the proposals fit next month? The bars of the proving ground, beside four trivial ways to do it.

Run as ``python -m tests.bench.rightsizing [--families ABC] [--seeds 1-10] [--roles 40] [--windows 90:30,300:90]``. Learns on N
days, replays the next M, on organisations with ground truth; intervals are bootstrapped over organisations. Definitions:
denied calls = share of legitimate calls denied; roles denied = share of roles with one or more denied call, because the
action is gone or because of a resource; surface = weighted share of (action, existing resource) pairs allowed, of the old
grant; ideal = the same of the ground truth.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from itertools import product

from tests.bench.rightsizing_learners import LEARNERS, learn_by, peers_of
from trailfit.catalog.actions import expand, resource_types
from trailfit.catalog.weights import weight
from trailfit.demo.proving import organisation, window
from trailfit.demo.proving_names import FAMILIES
from trailfit.policy.containment import no_new_access
from trailfit.policy.document import Document
from trailfit.policy.pattern import arn, compiled, tokens

HEADER = ("method", "denied calls %", "roles denied %", "by action %", "by resource %", "surface %", "/ ideal")


@dataclass
class Tally:
    """Sums over the roles of one organisation, for one method."""

    roles: int = 0
    calls: int = 0
    denied: int = 0
    broken: int = 0
    broken_action: int = 0
    broken_resource: int = 0
    surface: float = 0.0
    old: float = 0.0
    truth: float = 0.0
    replay_denied: int = 0
    violations: int = 0
    undecided: int = 0
    sizes: list[int] = field(default_factory=list)
    statements: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    by_archetype: dict[str, list[int]] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)


@lru_cache(maxsize=200_000)
def form(pattern):
    return compiled(arn(tokens(pattern)) or tokens(pattern))


class Allowed:
    """Tells whether one of many patterns matches; plain ARNs are looked up."""

    def __init__(self, patterns):
        self.plain = {each for each in patterns if "*" not in each and "?" not in each}
        self.forms = [form(each) for each in patterns if each not in self.plain]

    def __contains__(self, resource):
        return resource in self.plain or any(each.match(resource) for each in self.forms)


class Surface:
    """Weighs what a policy allows of an organisation's inventory."""

    def __init__(self, inventory):
        self.inventory = inventory
        self.totals = {kind: sum(members.values()) for kind, members in inventory.items()}
        self.services = sorted({kind.partition(":")[0] for kind in inventory if kind != "*"})
        self._share = {}
        self._kinds = {}

    def kinds_of(self, action):
        if action not in self._kinds:
            service = action.partition(":")[0]
            wanted = [f"{service}:{each.name}" for each in resource_types(action)]
            self._kinds[action] = [kind for kind in wanted if kind in self.inventory]
        return self._kinds[action]

    def share(self, kind, patterns):
        key = kind, patterns
        if key not in self._share:
            if "*" in patterns:
                self._share[key] = 1.0
            else:
                allowed = Allowed(patterns)
                hit = sum(w for a, w in self.inventory[kind].items() if a in allowed)
                self._share[key] = hit / self.totals[kind]
        return self._share[key]

    def of(self, allowed):
        """`allowed` maps actions to tuples of patterns."""
        total = 0.0
        for action, patterns in allowed.items():
            kinds = self.kinds_of(action)
            if kinds:
                total += weight(action) * statistics.fmean(self.share(kind, patterns) for kind in kinds)
            elif patterns:
                total += weight(action) * (1.0 if "*" in patterns or not resource_types(action) else 0.0)
        return total


def granted(policies, services):
    """Map actions (of the organisation's services) to the resource patterns of today's Allow statements."""
    found = defaultdict(set)
    universe = [action for service in services for action in expand(f"{service}:*")]
    for policy in policies:
        for statement in policy["Statement"]:
            if statement["Effect"] != "Allow":
                continue
            resources = statement["Resource"]
            resources = [resources] if isinstance(resources, str) else resources
            if "NotAction" in statement:
                excluded = {a for p in statement["NotAction"] for a in expand(p)}
                actions = [a for a in universe if a not in excluded]
            else:
                patterns = statement["Action"]
                patterns = [patterns] if isinstance(patterns, str) else patterns
                wanted = {a for p in patterns for a in (universe if p == "*" else expand(p))}
                actions = wanted
            for action in actions:
                found[action].update(resources)
    return {action: tuple(sorted(patterns)) for action, patterns in found.items()}


def judge_one(job):
    family, seed, roles, days, ahead, methods = job
    org = organisation(family, seed, roles=roles)
    surface = Surface(org.inventory)
    services = {action.partition(":")[0] for role in org.roles for need in role.needs for action in need.actions}
    tallies = {method: Tally() for method in methods}
    first, last = org.turn - timedelta(days=days), org.turn - timedelta(days=1)
    until = org.turn + timedelta(days=ahead - 1)
    peers = peers_of(org.roles, first, last)
    for role in org.roles:
        seen = window(role.log, first, last)
        if not seen:
            continue
        coming = window(role.all_calls, org.turn, until)
        old = granted(role.policies, services)
        before, truth = surface.of(old), surface.of(role.truth())
        for method in methods:
            tally = tallies[method]
            start = time.process_time()
            learnt = learn_by(method, role, seen, last, old, peers)
            tally.seconds.append(time.process_time() - start)
            allowed = learnt.allowed
            grants = {action: Allowed(patterns) for action, patterns in allowed.items()}
            tally.roles += 1
            tally.old += before
            tally.truth += truth
            tally.surface += surface.of(allowed)
            tally.sizes.append(learnt.size)
            tally.statements.append(learnt.statements)
            by_action = by_resource = False
            told = set()
            for (action, resource), when in coming.items():
                calls = sum(when.values())
                tally.calls += calls
                patterns = allowed.get(action)
                if patterns and resource in grants[action]:
                    continue
                tally.denied += calls
                by_action |= not patterns
                by_resource |= bool(patterns)
                why = "resource" if patterns else "action"
                if (role.arn, why, action) not in told:
                    told.add((role.arn, why, action))
                    tally.examples.append(f"{family}{seed} {role.archetype} {why} {action} {resource}")
            tally.broken += by_action or by_resource
            tally.broken_action += by_action
            tally.broken_resource += by_resource
            kind = tally.by_archetype.setdefault(role.archetype, [0, 0, 0])
            kind[0] += 1
            kind[1] += by_action
            kind[2] += by_resource
            if learnt.documents:
                verdict = no_new_access(
                    [Document.parse(each) for each in learnt.documents],
                    [Document.parse(each) for each in role.policies],
                )
                tally.violations += verdict.holds is False
                tally.undecided += verdict.holds is None
            for action, resource in seen:
                if action not in grants or resource not in grants[action]:
                    tally.replay_denied += 1
    return family, tallies


def ratio(tallies, top, bottom):
    below = sum(getattr(each, bottom) for each in tallies)
    return sum(getattr(each, top) for each in tallies) / below if below else 0.0


def interval(tallies, top, bottom, draws=400):
    rng = random.Random(7)
    found = sorted(ratio(rng.choices(tallies, k=len(tallies)), top, bottom) for _ in range(draws))
    return found[int(0.025 * draws)], found[int(0.975 * draws) - 1]


FIGURES = (
    ("denied", "calls", 100),
    ("broken", "roles", 100),
    ("broken_action", "roles", 100),
    ("broken_resource", "roles", 100),
    ("surface", "old", 100),
    ("surface", "truth", 1),
)


def row(method, tallies):
    cells = [method]
    for top, bottom, scale in FIGURES:
        low, high = interval(tallies, top, bottom)
        value = ratio(tallies, top, bottom)
        digits = 3 if (top, bottom) == ("denied", "calls") else 2 if scale == 1 or top == "surface" else 1
        cells.append(f"{scale * value:.{digits}f} [{scale * low:.{digits}f}, {scale * high:.{digits}f}]")
    return cells


def show(rows):
    widths = [max(len(each[at]) for each in rows) for at in range(len(rows[0]))]
    for each in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(each, widths, strict=True)).rstrip())


def seeds(text):
    low, _, high = text.partition("-")
    return range(int(low), int(high or low) + 1)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--families", default="".join(FAMILIES))
    parser.add_argument("--seeds", type=seeds, default=range(1, 11))
    parser.add_argument("--roles", type=int, default=40)
    parser.add_argument("--windows", default="90:30,300:90")
    parser.add_argument("--methods", default=",".join(LEARNERS))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--examples", type=int, default=0)
    given = parser.parse_args(argv)
    methods = given.methods.split(",")
    for text in given.windows.split(","):
        days, ahead = map(int, text.split(":"))
        jobs = [(f, s, given.roles, days, ahead, methods) for f, s in product(given.families, given.seeds)]
        with ProcessPoolExecutor(given.jobs) as pool:
            done = list(pool.map(judge_one, jobs))
        print(f"\n{days} days of log, next {ahead}: {len(jobs)} organisations, families {given.families}")
        show([HEADER, *(row(method, [each[method] for _, each in done]) for method in methods)])
        for family in given.families if len(given.families) > 1 else "":
            mine = [each for name, each in done if name == family]
            for method in methods:
                if method not in ("literal", "prefix", "service*"):
                    show([row(f"  {family}: {method}", [each[method] for each in mine])])
        for method in methods:
            tallies = [each[method] for _, each in done]
            sizes = sorted(size for each in tallies for size in each.sizes)
            times = sorted(second for each in tallies for second in each.seconds)
            counts = sorted(count for each in tallies for count in each.statements)
            replay = sum(each.replay_denied for each in tallies)
            broken = sum(each.violations for each in tallies)
            open_ = sum(each.undecided for each in tallies)
            print(
                f"{method}: self-replay denials {replay}; containment violations {broken}, undecided {open_}; characters p50 {sizes[len(sizes) // 2]}"
                f" p95 {sizes[int(0.95 * len(sizes))]} max {sizes[-1]}; statements p50 {counts[len(counts) // 2]};"
                f" ms a role p50 {1000 * times[len(times) // 2]:.0f} p95 {1000 * times[int(0.95 * len(times))]:.0f}"
                f" max {1000 * times[-1]:.0f}"
            )
            if method.startswith("trailfit"):
                total = defaultdict(lambda: [0, 0, 0])
                for each in tallies:
                    for kind, counts_ in each.by_archetype.items():
                        total[kind] = [a + b for a, b in zip(total[kind], counts_, strict=True)]
                print(
                    "  roles denied (action, resource) of all: "
                    + ", ".join(
                        f"{kind} {by_action}+{by_resource}/{n}"
                        for kind, (n, by_action, by_resource) in sorted(total.items())
                    )
                )
                for line in [line for each in tallies for line in each.examples][: given.examples]:
                    print("   ", line)
    if "trailfit" in methods:
        from tests.bench import chances  # which takes its measures from here

        print("\nIs the chance to break, told with each proposal, true? (more: python -m tests.bench.chances)")
        chances.report(chances.gather(given.families, given.seeds, ((90, 0),), given.jobs))


if __name__ == "__main__":
    main()
