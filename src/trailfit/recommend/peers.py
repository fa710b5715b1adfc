"""What a principal has not shown, others like it have: what their use tells of what it will need.

A log of 90 days does not show each role's every error path, repair or rare job, but it shows those of many roles. What
several others do to the same type of resource, in the same way as this one, it may need as well, and so the lists of
what it uses. It is kept only where it is granted today, where it gives no new kind of access (no writing where only
reading was seen, no data where only settings were), on the resources that were used in that way, and never what hands
out rights, shows secrets, leaks data or runs code (`catalog.grave`); what loses data only at level ``relaxed``.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from trailfit.catalog.actions import access_level, resource_types
from trailfit.catalog.grave import grave
from trailfit.catalog.observability import observability
from trailfit.model import Permission
from trailfit.policy.generalise import split, type_of
from trailfit.recommend.classify import Judged
from trailfit.recommend.learnt import fitting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from trailfit.model import Usage
    from trailfit.policy.generalise import Generalised, Pattern

#: A service and a type of its resources: ``("s3", "object")``.
Kind = tuple[str, str]
#: The ways of access: the names of things and their settings, contents read, settings or data written.
Way = Literal["look", "read", "set", "write"]


@dataclass(frozen=True, slots=True)
class Habit:
    """How many of the others must do the same: so many of them, and such a share, for looking and for writing.

    The share is of the others plus `doubt`: of few others little follows. `loss`: what loses data too.
    """

    reading: tuple[int, float]
    writing: tuple[int, float]
    loss: bool = False
    doubt: int = 5

    def asks(self, way: Way, count: int, others: int) -> bool:
        """Tell whether `count` of `others` are enough."""
        least, share = self.writing if way in _WRITING else self.reading
        return count >= least and count >= share * (others + self.doubt)


HABITS = {
    "balanced": Habit(reading=(1, 0.02), writing=(2, 0.08)),
    "relaxed": Habit(reading=(1, 0.01), writing=(1, 0.02), loss=True),
}
_WRITING = ("set", "write")
_LOOKING = ("Describe", "List")


class Peers:
    """Who uses which action on which type of resource: sets of principals, as bits of a number."""

    def __init__(self, usage: Mapping[str, Iterable[Usage]]) -> None:
        """Take every principal's uses; what was denied tells nothing."""
        self._bit = {who: 1 << at for at, who in enumerate(sorted(usage))}
        self._users: dict[Kind, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for who, rows in usage.items():
            for kind, action in {(kind_of(row.resource), row.action) for row in rows if row.calls}:
                if kind is not None:
                    self._users[kind][action] |= self._bit[who]

    def doing(self, who: str, kind: Kind, own: Iterable[str], action: str) -> tuple[int, int]:
        """Count the others that do one of `own` to `kind` too, and how many of these use `action` on it."""
        users = self._users.get(kind, {})
        alike = 0
        for each in own:
            alike |= users.get(each, 0)
        alike &= ~self._bit.get(who, 0)
        return alike.bit_count(), (users.get(action, 0) & alike).bit_count()


@lru_cache(maxsize=65536)
def kind_of(resource: str) -> Kind | None:
    """Give the type of an ARN whatever its account and region; None for ``*`` and what is no ARN."""
    head, word = type_of(*split(resource))
    return (head.split(":")[2], word) if head else None


@lru_cache(maxsize=65536)
def way_of(action: str) -> Way | None:
    """Tell the way of access of an action; None where its level says neither reading nor writing."""
    level, is_data = access_level(action) or "", observability(action).kind == "data"
    if level == "List":
        return "look"
    if level == "Read":
        # A Get may show contents though no data event tells of it: log lines, results, code.
        return "look" if action.partition(":")[2].startswith(_LOOKING) and not is_data else "read"
    if level in ("Write", "Tagging"):
        return "write" if is_data else "set"
    return None


def keep_habits(
    who: str,
    judged: Mapping[str, Judged],
    narrowed: Mapping[str, Sequence[str]],
    learnt: Generalised,
    peers: Peers,
    level: str,
) -> tuple[dict[str, Judged], dict[str, tuple[str, ...]]]:
    """Keep what others like `who` also do, for a principal that does more than its routine.

    Takes and gives all permissions as judged, and the resources that each kept one is narrowed to.
    """
    kept, found = dict(judged), {action: set(resources) for action, resources in narrowed.items()}
    habit = HABITS.get(level)
    own = _own(learnt) if habit and learnt.seldom else {}
    by_service: dict[str, list[Kind]] = defaultdict(list)
    for kind in sorted(own):
        by_service[kind[0]].append(kind)
    for action, known in judged.items():
        service = action.partition(":")[0]
        if service not in by_service or known.carried or action in learnt.serving or way_of(action) is None:
            continue
        for kind in by_service[service]:
            reason = _reason(who, action, kind, own[kind], peers, habit)
            resources = fitting(action, _used_that_way(action, own[kind])) if reason else []
            if reason and resources and resources != ["*"]:
                found.setdefault(action, set()).update(resources)
                kept[action] = Judged(Permission(action, "kept", f"kept although no call was seen: {reason}"), True)
    return kept, {action: tuple(sorted(resources)) for action, resources in found.items()}


def _own(learnt: Generalised) -> dict[Kind, dict[str, list[Pattern]]]:
    """Give by type of resource what the principal itself does, and the patterns that serve it."""
    found: dict[Kind, dict[str, list[Pattern]]] = defaultdict(lambda: defaultdict(list))
    for action, serving in learnt.serving.items():
        for resource, pattern in serving.items():
            kind = kind_of(resource)
            if kind is not None:
                found[kind][action].append(pattern)
    return found


def _used_that_way(action: str, own: Mapping[str, Sequence[Pattern]]) -> list[str]:
    """List the patterns that the principal uses that way already; what may be looked at is whatever it uses.

    Settings are written only where data or settings were; data only where data of that direction was.
    """
    way = way_of(action)
    known = {"look": ("look", "read", *_WRITING, None), "set": _WRITING}.get(way or "", (way,))
    return sorted({each.resource for other, found in own.items() if way_of(other) in known for each in found})


def _reason(
    who: str, action: str, kind: Kind, own: Mapping[str, Sequence[Pattern]], peers: Peers, habit: Habit | None
) -> str:
    """Say why an action is kept for resources of `kind`; empty where nothing speaks for it."""
    way = way_of(action)
    if habit is None or way is None or not _is_harmless(action, way, habit):
        return ""
    service, word = kind
    others, count = peers.doing(who, kind, own, action)
    if habit.asks(way, count, others):
        of = f"{service} {word}".strip()
        return f"{count} of the {others} others that use {of} in the same ways use it too"
    if access_level(action) == "List" and resource_types(action):
        return "it lists what belongs to resources in use, and this principal does more than its routine"
    return ""


def _is_harmless(action: str, way: Way, habit: Habit) -> bool:
    harm = grave(action)
    if way in _WRITING:
        return harm is None or (habit.loss and harm.kind == "loss")
    return harm is None or harm.only_by_writing
