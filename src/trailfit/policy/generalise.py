"""From the resources that were used to the patterns that a policy should list, so that it fits next month too.

What is stable is listed exactly. What keeps coming (names with the day in them, identifiers, a growing set of
tenants) becomes a pattern, with the evidence as its reason. All of a role's actions are judged together: what
one action shows of a prefix holds for the others. The result depends on nothing but the observations: not on their
order, not on a clock. It is not bounded by any grant: `recommend.fit` does that.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from trailfit.catalog.naming import namings
from trailfit.policy.generalise_dates import lagging, mask
from trailfit.policy.generalise_shapes import shape
from trailfit.policy.generalise_shards import fold
from trailfit.policy.generalise_tree import CHURN, CLOSED, LEVELS, MARKS, OPEN, SUFFIX, Found, Level, Tree
from trailfit.policy.pattern import compiled, tokens

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import date

_MARK = {"open": OPEN, "churn": CHURN, "closed": CLOSED, "suffix": SUFFIX}
#: Names whose dates lag behind their calls count as dated when at least so many dates move on, and so steadily.
_LEAST_MOVING = 3
_DATED_SHARE = 0.9
_MOST_DAYS = 12
#: An action used on more days than this is known well enough.
_MOST_SPARSE = 40
#: Kinds of pattern that stand for one resource.
_LISTED = ("exact", "suffix", "type")
_SPECIAL = re.compile("[*?\ue000-\uf8ff]")


@dataclass(frozen=True, slots=True)
class Observation:
    """Calls of one action on one resource, all of them allowed: their number, and the days they came on, sorted."""

    action: str
    resource: str
    calls: int
    days: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a policy should list, and why it is wider than what was seen.

    `kind` is ``exact``, or what made it wider: ``dated``, ``growing``, ``many``, ``one-off``, ``type`` (the part that
    AWS draws at random), ``suffix``; ``shared`` is a resource that other actions of the role use.
    """

    resource: str
    kind: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Generalised:
    """Per action, the pattern that serves each observed resource, and those that were shared with it.

    `by_type` holds all patterns by type of resource. `seldom` names the actions that were used on few days: a role
    that has such does more than its routine, so that the log may not have seen all of it.
    """

    serving: Mapping[str, Mapping[str, Pattern]]
    shared: Mapping[str, tuple[Pattern, ...]]
    by_type: Mapping[tuple[str, str], tuple[Pattern, ...]]
    seldom: tuple[str, ...]

    def patterns(self, action: str) -> tuple[Pattern, ...]:
        """List the action's patterns, sorted, each once."""
        return _sorted((*self.shared.get(action, ()), *self.serving.get(action, {}).values()))

    def related(self, action: str) -> tuple[Pattern, ...]:
        """List the patterns of all the role's actions for the types of resource that `action` was seen on."""
        types = {type_of(*split(resource)) for resource in self.serving.get(action, {})}
        return _sorted([each for kind, found in self.by_type.items() if kind in types for each in found])


def _sorted(patterns: Iterable[Pattern]) -> tuple[Pattern, ...]:
    found = {each.resource: each for each in patterns}
    return tuple(found[resource] for resource in sorted(found))


def generalise(
    observations: Iterable[Observation],
    last_day: date,
    *,
    level: str = "balanced",
    by_service: Mapping[str, str] | None = None,
    no_sharing: frozenset[str] = frozenset(),
) -> Generalised:
    """Find the patterns for one role's observations in the window that ends with `last_day`.

    `level` is ``exact``, ``balanced`` or ``relaxed``, `by_service` another level for some services; `no_sharing`
    names the actions that are never given a resource they were not seen on (those that hand out rights). An ARN
    that is a pattern already, or ``*``, stays as it is.
    """
    how = LEVELS[level]
    seen: dict[str, dict[str, tuple[date, ...]]] = defaultdict(dict)
    days: dict[str, set[date]] = defaultdict(set)
    for each in observations:
        seen[each.action][each.resource] = tuple(sorted({*seen[each.action].get(each.resource, ()), *each.days}))
        days[each.resource].update(each.days)
    levels = {service: LEVELS[name] for service, name in (by_service or {}).items()}
    serving_all = _all_patterns(days, last_day, how, levels)
    serving = {
        action: _covered({resource: serving_all[resource] for resource in sorted(resources)})
        for action, resources in sorted(seen.items())
    }
    by_type: dict[tuple[str, str], list[Pattern]] = defaultdict(list)
    for patterns in serving.values():
        for resource, pattern in patterns.items():
            by_type[type_of(*split(resource))].append(pattern)
    known = {kind: _sorted(found) for kind, found in sorted(by_type.items())}
    seldom = tuple(
        action
        for action, resources in sorted(seen.items())
        if len({day for each in resources.values() for day in each}) < how.share
    )
    return Generalised(serving, _shared(serving, seen, known, how, no_sharing), known, seldom)


def _all_patterns(
    days: Mapping[str, set[date]], last_day: date, level: Level, levels: Mapping[str, Level]
) -> dict[str, Pattern]:
    """Map every resource to its pattern, type by type."""
    found: dict[str, Pattern] = {}
    groups: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for resource in sorted(days):
        head, name = split(resource)
        if head is None or _SPECIAL.search(resource) or "${" in resource:
            found[resource] = Pattern(_plain(resource), "exact")
        else:
            groups[head, _word(head, name)].append((resource, name))
    for (head, _), members in sorted(groups.items()):
        found.update(_of_type(head, members, days, last_day, levels.get(head.split(":")[2], level)))
    return found


def _plain(resource: str) -> str:
    """Write a resource so that its own text is no policy variable: ``${`` stands for itself as ``${$}{``."""
    return resource.replace("${", "${$}{")


@lru_cache(maxsize=65536)
def split(resource: str) -> tuple[str | None, str]:
    """Split an ARN into its first five parts (with their colons) and its resource part; (None, text) if it is none."""
    parts = resource.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn" or not parts[5]:
        return None, resource
    return ":".join(parts[:5]) + ":", parts[5]


def _word(head: str, name: str) -> str:
    """Give the word that begins a resource part and names its type: ``table``; empty where a name stands there."""
    mark = re.search("[/:]", name)
    return name[: mark.start()] if mark and not head.startswith("arn:aws:s3:") else ""


def _of_type(
    head: str, members: Sequence[tuple[str, str]], days: Mapping[str, set[date]], last_day: date, level: Level
) -> dict[str, Pattern]:
    service = head.split(":")[2]
    typed = {resource: _typed(service, name) for resource, name in members}
    names = {resource: (typed[resource][0], sorted(days[resource])[:_MOST_DAYS]) for resource, _ in members}
    masked = _dated(names) if level.dates else {resource: (name, "") for resource, (name, _) in names.items()}
    folded = fold(name for name, _ in masked.values() if not MARKS & set(name))
    tree = Tree(level, last_day.toordinal(), named=not _word(head, members[0][1]))
    for resource, _ in members:
        name, ordered = masked[resource][0], days[resource]
        tree.add(folded.get(name, name), resource, min(ordered).toordinal(), max(ordered).toordinal())
    found: dict[str, Pattern] = {}
    for each in tree.patterns():
        reason = each.reason or _reason(each, typed, masked, days, last_day)
        for resource in each.arns:
            found[resource] = Pattern(head + each.pattern, each.kind, reason)
    return found


def _reason(
    found: Found,
    typed: Mapping[str, tuple[str, str]],
    masked: Mapping[str, tuple[str, str]],
    days: Mapping[str, set[date]],
    last_day: date,
) -> str:
    if found.kind in ("type", "suffix"):
        return typed[found.arns[0]][1]
    if found.kind == "dated":
        first = min(min(days[arn]) for arn in found.arns)
        new = len({min(days[arn]) for arn in found.arns})
        span = (last_day - first).days + 1
        named = f"the {masked[found.arns[0]][1]} stands in the name"
        return f"{len(found.arns)} names, new ones on {new} of {span} days: {named}"
    return ""


@lru_cache(maxsize=65536)
def _typed(service: str, name: str) -> tuple[str, str]:
    """Mark the parts of a name that its type speaks about; and the reason that the type's row gives."""
    for naming in namings(service):
        match = naming.form.match(name)
        if match:
            pieces, at = [], 0
            for number, hole in enumerate(naming.holes, 1):
                start, end = match.span(number)
                pieces.append(name[at:start])
                text = name[start:end]
                if hole == "closed":
                    text = re.sub("[/:]", lambda mark: mark[0] + CLOSED, text)
                pieces.append(_MARK.get(hole, "") + ("" if hole in ("open", "suffix") else text))
                at = end
            return "".join([*pieces, name[at:]]), naming.reason
    return name, ""


def _dated(names: Mapping[str, tuple[str, list[date]]]) -> dict[str, tuple[str, str]]:
    """Mask the dates that names carry: the day of their own calls, or one that moves on as the calls do."""
    found: dict[str, tuple[str, str]] = {}
    late: dict[str, list[tuple[date, date, str, str]]] = defaultdict(list)
    for resource, (name, days) in names.items():
        own = None if CLOSED in name else mask(name, days)
        found[resource] = own or (name, "")
        other = None if own or CLOSED in name else lagging(name)
        if other:
            late[_kind(other[0])].append((days[0], other[1], resource, other[0]))
    carried = {_kind(masked) for masked, unit in found.values() if unit}
    for kind, members in late.items():
        members.sort()
        if kind in carried or _moves(members):
            found.update({resource: (masked, "day") for _, _, resource, masked in members})
    return found


def _moves(members: Sequence[tuple[date, date, str, str]]) -> bool:
    """Tell whether the dates in names go on as the calls do: later calls name later dates."""
    first: dict[date, date] = {}
    for used, read, _, _ in members:
        first.setdefault(read, used)
    if len(first) < _LEAST_MOVING:
        return False
    uses = [first[read] for read in sorted(first)]
    forward = sum(one <= two for one, two in pairwise(uses))
    return uses[0] < uses[-1] and forward >= _DATED_SHARE * (len(uses) - 1)


def _kind(name: str) -> str:
    return "/".join(shape(segment) if not MARKS & set(segment) else segment for segment in name.split("/"))


def _covered(serving: Mapping[str, Pattern]) -> dict[str, Pattern]:
    """Let a wider pattern of the same action serve what it covers anyway, so that nothing is listed twice."""
    wide = sorted({each.resource: each for each in serving.values() if each.kind != "exact"}.items())
    forms = [(compiled(tokens(pattern)), each) for pattern, each in wide]
    chosen: dict[str, Pattern] = {}
    for resource, own in serving.items():
        chosen[resource] = next(
            (
                each
                for form, each in forms
                if each.resource != own.resource and form.match(own.resource) and _wider(each, own)
            ),
            own,
        )
    return chosen


def _wider(each: Pattern, own: Pattern) -> bool:
    return own.kind == "exact" or not compiled(tokens(own.resource)).match(each.resource)


def _shared(
    serving: Mapping[str, Mapping[str, Pattern]],
    seen: Mapping[str, Mapping[str, tuple[date, ...]]],
    known: Mapping[tuple[str, str], tuple[Pattern, ...]],
    level: Level,
    no_sharing: frozenset[str],
) -> dict[str, tuple[Pattern, ...]]:
    """Give an action that was seen too seldom to know all it is used on what its role's other actions use."""
    shared: dict[str, tuple[Pattern, ...]] = {}
    for action, resources in sorted(seen.items()):
        days = len({day for each in resources.values() for day in each})
        sparse = _is_sparse(resources.values(), days, level)
        if action in no_sharing or not (sparse or days < level.share_listed):
            continue
        own = {each.resource for each in serving[action].values()}
        types = {type_of(*split(resource)) for resource in resources}
        others = {
            each.resource: Pattern(
                each.resource, "shared", "seen too seldom to know all: the role's other actions use it"
            )
            for kind in types
            for each in known[kind]
            if each.resource not in own and (sparse or each.kind in _LISTED)
        }
        if others:
            shared[action] = tuple(others[resource] for resource in sorted(others))
    return shared


def _is_sparse(uses: Collection[tuple[date, ...]], days: int, level: Level) -> bool:
    """Tell whether there is more to come: few days, or (Good and Turing) many resources that were seen only once.

    The share of what was seen exactly once estimates the probability that the next use is of something unseen.
    """
    total = sum(len(each) for each in uses)
    once = sum(len(each) == 1 for each in uses)
    return days < level.share or (days < _MOST_SPARSE and once > level.novelty / 2 * total)


def type_of(head: str | None, name: str) -> tuple[str, str]:
    """Give the type of an ARN: its first five parts and type word; S3 tells objects from buckets."""
    if head is None:
        return "", name
    if head.split(":")[2] == "s3":
        return head, "object" if "/" in name else "bucket"
    return head, _word(head, name)
