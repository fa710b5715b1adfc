"""The ways to write a policy from a log: the product's own, and the four trivial ones."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from trailfit.demo.proving import window
from trailfit.model import AttachedPolicy, Permission, Usage, Window
from trailfit.policy.document import Document
from trailfit.recommend.classify import Judged
from trailfit.recommend.fit import Needs, fit
from trailfit.recommend.granted import granted, listed
from trailfit.recommend.learnt import keep_companions, learn
from trailfit.recommend.peers import Peers, keep_habits

LEARNERS = ("literal", "prefix", "actions*", "service*", "trailfit")


@dataclass
class Learnt:
    allowed: dict[str, tuple[str, ...]]
    size: int
    statements: int
    documents: list = field(default_factory=list)


def learn_by(method, role, seen, last, old, peers):
    name, _, level = method.partition(":")
    if name == "trailfit":
        return ours(role, seen, last, level or "balanced", peers)
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


def rows_of(role, seen):
    """A trace as the product's own nouns: uses by action, and the days of each use."""
    rows, days = defaultdict(list), {}
    for (action, resource), when in sorted(seen.items()):
        ordered = tuple(sorted(when))
        at = [datetime(d.year, d.month, d.day, 12) for d in (ordered[0], ordered[-1])]
        rows[action].append(
            Usage(
                role.arn, "role", action, resource, "required", "", sum(when.values()), 0, at[0], at[1], len(when), "e"
            )
        )
        days[action, resource] = ordered
    return rows, days


def peers_of(roles, first, last):
    """What all of an organisation's roles did in the window, as the product takes it."""
    return Peers(
        {
            role.arn: [use for uses in rows_of(role, window(role.log, first, last))[0].values() for use in uses]
            for role in roles
        }
    )


def ours(role, seen, last, level, peers):
    """What the product proposes: learnt patterns, what is kept unseen, today's policies refined, as documents."""
    rows, days = rows_of(role, seen)
    policies = [
        AttachedPolicy("inline", f"p{n}", None, Document.parse(document)) for n, document in enumerate(role.policies)
    ]
    grants = granted(policies)
    found = learn(rows, days, Window(last, last), level, {})
    # Nothing is kept of a service that was not used.
    services = {action.partition(":")[0] for action in rows}
    judged = {
        a: Judged(Permission(a, "used" if a in rows else "unused", ""), carried=a in rows)
        for a in grants
        if a.partition(":")[0] in services
    }
    judged, narrowed = keep_companions(judged, found, level)
    judged, narrowed = keep_habits(role.arn, judged, narrowed, found, peers, level)
    used = {a: sorted({row.resource for row in rows[a]}) for a in rows if a in grants}
    kept = {a: each.permission.reason for a, each in judged.items() if each.carried and a not in rows}
    fitted = fit(policies, Needs(used, kept, narrowed, found))
    documents = [{"Version": "2012-10-17", "Statement": list(each.statements)} for each in fitted if each.statements]
    allowed = defaultdict(set)
    for document in documents:
        for statement in document["Statement"]:
            if statement["Effect"] == "Allow":
                for action in listed(statement["Action"]):
                    allowed[action].update(listed(statement["Resource"]))
    text = json.dumps(documents, separators=(",", ":"))
    count = sum(len(document["Statement"]) for document in documents)
    return Learnt({a: tuple(sorted(found)) for a, found in allowed.items()}, len(text), count, documents)


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
