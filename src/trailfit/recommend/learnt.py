"""What a principal's log teaches beyond its calls: names that keep growing, and what goes with what was used."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING

from trailfit.catalog.actions import access_level, resource_types
from trailfit.catalog.companions import companions_of
from trailfit.catalog.weights import weight
from trailfit.model import Permission
from trailfit.policy.generalise import Generalised, Observation, generalise
from trailfit.recommend.classify import Judged

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trailfit.model import Usage, Window

#: Actions of this weight or more are never given a resource on which they were not seen.
_GRAVE = 10.0
_ARN_PARTS = 6
_HOLE = re.compile(r"\$\{\w+\}")


@dataclass(frozen=True, slots=True)
class Levels:
    """How readily resources are generalised: ``exact``, ``balanced`` or ``relaxed``.

    `principals` are rules (a glob over the ARN, so accounts too, and a level), the first that matches holds;
    `services` are levels for the ARNs of one service, whoever uses them.
    """

    default: str = "balanced"
    principals: tuple[tuple[str, str], ...] = ()
    services: Mapping[str, str] = field(default_factory=dict)

    def of(self, arn: str) -> str:
        """Give the level of one principal."""
        return next((level for glob, level in self.principals if fnmatchcase(arn, glob)), self.default)


def learn(
    uses: Mapping[str, Sequence[Usage]],
    days: Mapping[tuple[str, str], tuple[date, ...]],
    window: Window,
    level: str,
    by_service: Mapping[str, str],
) -> Generalised:
    """Generalise one principal's counted uses; `days` are their days, where they are known."""
    observations = [
        Observation(action, row.resource, row.calls, days.get((action, row.resource)) or _spread(row, window))
        for action, rows in uses.items()
        for row in rows
    ]
    grave = frozenset(
        action for action in uses if weight(action) >= _GRAVE or access_level(action) == "Permissions management"
    )
    return generalise(observations, window.last, level=level, by_service=by_service, no_sharing=grave)


def _spread(row: Usage, window: Window) -> tuple[date, ...]:
    """Place a number of days evenly between the first and the last, where only these are known."""
    first = (row.first_used.date() if row.first_used else window.first).toordinal()
    last = (row.last_used.date() if row.last_used else window.last).toordinal()
    count = max(1, row.days)
    steps = {first + (last - first) * at // max(1, count - 1) for at in range(count)} | {last}
    return tuple(date.fromordinal(step) for step in sorted(steps))


def keep_companions(
    judged: Mapping[str, Judged], learnt: Generalised, level: str
) -> tuple[dict[str, Judged], dict[str, tuple[str, ...]]]:
    """Keep the unused companions of used actions, for a principal that does more than its routine.

    Gives all permissions as judged, the kept ones among them, and the resources that each kept one is narrowed to. A
    principal whose every action recurs on many days has shown all that it does: it gets what it used and no more.
    """
    if level == "exact" or not learnt.seldom:
        return dict(judged), {}
    kept = dict(judged)
    narrowed: dict[str, set[str]] = {}
    for action in learnt.serving:
        for companion in companions_of(action):
            known = judged.get(companion.action)
            if known is None or known.carried or companion.action in learnt.serving:
                continue
            resources = fitting(companion.action, [each.resource for each in learnt.related(action)])
            if not resources:
                continue
            narrowed.setdefault(companion.action, set()).update(resources)
            if kept[companion.action] is known:
                reason = f"kept although no call was seen: it goes with {action} ({companion.reason})"
                kept[companion.action] = Judged(Permission(companion.action, "kept", reason), carried=True)
    return kept, {action: tuple(sorted(resources)) for action, resources in narrowed.items()}


def fitting(action: str, patterns: Sequence[str]) -> list[str]:
    """Give those of `patterns` that are of a resource type that `action` takes; ``*`` where it takes none."""
    types = resource_types(action)
    if not types:
        return ["*"]
    starts = [each.arn.split(":", 5) for each in types]
    return [
        pattern
        for pattern in patterns
        if any(_is_of(pattern.split(":", 5), start) for start in starts if len(start) == _ARN_PARTS)
    ]


def _is_of(pattern: Sequence[str], template: Sequence[str]) -> bool:
    """Tell whether an ARN is of the type of a template: by its service and the form of its resource part."""
    return len(pattern) == _ARN_PARTS and pattern[2] == template[2] and bool(_form(template[5]).match(pattern[5]))


@cache
def _form(template: str) -> re.Pattern[str]:
    """Make an expression of a template's resource part.

    A hole ends where what follows it begins, the last one takes a path; a name that stands alone (a bucket, a queue)
    is no path.
    """
    first, *pieces = _HOLE.split(template)
    text = re.escape(first)
    for at, piece in enumerate(pieces, 1):
        if at < len(pieces):
            text += "[^:]*" if piece.startswith(":") else "[^:/]*"
        else:
            before = pieces[at - 2] if at > 1 else first
            text += ".*" if before.endswith("/") else "[^:]*" if before else "[^:/]*"
        text += re.escape(piece)
    return re.compile(text + r"\Z", re.DOTALL)
