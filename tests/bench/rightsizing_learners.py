"""The ways to write a policy from a log: the product's own, and the four trivial ones."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass

from trailfit.catalog.actions import access_level
from trailfit.catalog.companions import companions_of
from trailfit.catalog.weights import weight
from trailfit.policy.generalise import Observation, generalise

LEARNERS = ("literal", "prefix", "actions*", "service*", "trailfit")


@dataclass
class Learnt:
    allowed: dict[str, tuple[str, ...]]
    size: int
    statements: int


def learn(method, role, seen, last, old):
    name, _, level = method.partition(":")
    if name == "trailfit":
        return ours(seen, last, old, level or "balanced")
    by_action = defaultdict(set)
    for action, resource in seen:
        by_action[action].add(resource)
    if method == "literal":
        allowed = {action: tuple(sorted(found)) for action, found in by_action.items()}
    elif method == "prefix":
        allowed = {action: tuple(prefixes(found)) for action, found in by_action.items()}
    elif method == "actions*":
        allowed = dict.fromkeys(by_action, ("*",))
    else:
        services = {action.partition(":")[0] for action in by_action}
        allowed = {action: ("*",) for action in old if action.partition(":")[0] in services}
    return Learnt(bounded(allowed, old), *measured(allowed))


def prefixes(found):
    """The longest common prefix of the ARNs of each service, account, region and type, and ``*``."""
    groups = defaultdict(list)
    for resource in found:
        head = resource.split("/")[0]
        groups[":".join(head.split(":")[:5]), head.split(":")[-1] if "/" in resource else ""].append(resource)
    for members in groups.values():
        low, high = min(members), max(members)
        at = next((i for i, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), len(low))
        yield low if len(members) == 1 else low[:at] + "*"


def ours(seen, last, old, level):
    observations = [
        Observation(action, resource, sum(days.values()), tuple(sorted(days)))
        for (action, resource), days in sorted(seen.items())
    ]
    closed = frozenset(a for a, _ in seen if weight(a) >= 10 or access_level(a) == "Permissions management")
    found = generalise(observations, last, level=level, no_sharing=closed)
    allowed = {action: {each.resource for each in found.patterns(action)} for action in found.serving}
    if found.seldom:
        for action in list(allowed):
            for each in companions_of(action):
                if each.action in old:
                    allowed.setdefault(each.action, set()).update(each.resource for each in found.related(action))
    allowed = {action: tuple(sorted(patterns)) for action, patterns in allowed.items()}
    return Learnt(bounded(allowed, old), *measured(allowed))


def bounded(allowed, old):
    return {action: patterns for action, patterns in allowed.items() if action in old}


def measured(allowed):
    groups = defaultdict(list)
    for action, patterns in allowed.items():
        groups[patterns].append(action)
    text = json.dumps(
        [{"Effect": "Allow", "Action": a, "Resource": p} for p, a in groups.items()], separators=(",", ":")
    )
    return len(text), len(groups)
