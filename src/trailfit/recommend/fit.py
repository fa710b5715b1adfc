"""Refine a principal's policies to what it needs: nothing new by construction.

Every Allow statement written here refines exactly one Allow statement of today: its actions are among that
one's, its resources lie within that one's, its Condition is copied, and every Deny stays. The gate proves it
again afterwards.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from trailfit.catalog.actions import resource_types
from trailfit.policy.grant import overlap
from trailfit.policy.pattern import tokens
from trailfit.recommend.granted import actions_of, beyond, listed, statements
from trailfit.recommend.resources import MOST_LISTED, arn_includes, summarise

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from trailfit.model import AttachedPolicy
    from trailfit.policy.generalise import Generalised

#: The order in which policies are asked to serve a use: what the team wrote itself first, so that AWS's can go.
_PREFERENCE = {"inline": 0, "customer_managed": 1, "aws_managed": 2}


@dataclass(frozen=True)
class Needs:
    """What must stay allowed: observed resources by action, and actions kept with whatever they have today.

    `narrowed` gives, for a kept action, the resources it can only need (a function's own log group); without
    them it keeps its statement's resources. `learnt` says which patterns stand for the observed resources. `spared`
    are statements that stay as they are, by the policy's ARN or name and their place in it.
    """

    used: Mapping[str, Sequence[str]]
    kept: Mapping[str, str]
    narrowed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    learnt: Generalised | None = None
    spared: Container[tuple[str, int]] = frozenset()
    most: int = MOST_LISTED

    @cached_property
    def unlisted(self) -> tuple[str, ...]:
        """List the actions that must stay and that the catalogue lacks."""
        return beyond((*self.used, *self.kept))


@dataclass(frozen=True, slots=True)
class Fitted:
    """One policy, fitted: its new statements, and the reason for each resource that is wider than what was seen."""

    policy: AttachedPolicy
    statements: tuple[dict[str, Any], ...]
    explanations: tuple[tuple[str, str], ...]


def fit(policies: Sequence[AttachedPolicy], needs: Needs) -> list[Fitted]:
    """Refine each of `policies` to `needs`; the same order as given."""
    served: set[tuple[str, str]] = set()
    fitted: dict[int, Fitted] = {}
    for index in sorted(range(len(policies)), key=lambda each: (_PREFERENCE.get(policies[each].kind, 3), each)):
        fitted[index] = _fit_policy(policies[index], needs, served)
    return [fitted[index] for index in range(len(policies))]


def _fit_policy(policy: AttachedPolicy, needs: Needs, served: set[tuple[str, str]]) -> Fitted:
    written: list[dict[str, Any]] = []
    why: list[tuple[str, str]] = []
    for index, statement in enumerate(statements(policy)):
        if statement["Effect"] == "Deny" or (policy.arn or policy.name, index) in needs.spared:
            written.append(statement)
            continue
        pieces = _refine(statement, needs, served, why)
        if _same_meaning(statement, pieces):
            written.append(statement)
        else:
            written.extend(_named(statement, pieces))
    return Fitted(policy, tuple(written), tuple(dict.fromkeys(why)))


def _refine(
    statement: dict[str, Any], needs: Needs, served: set[tuple[str, str]], why: list[tuple[str, str]]
) -> list[dict[str, Any]]:
    """Write the statements that this Allow becomes: actions with the same resources share one."""
    groups: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for action, _pattern in actions_of(statement, needs.unlisted):
        if action in needs.used:
            found = _within(statement, action, needs.used[action], served)
            if found:
                patterns = _generalised(statement, action, found, needs, why)
                groups["Resource", tuple(patterns)].append(action)
        elif action in needs.kept:
            kept = _kept(statement, action, needs.narrowed.get(action), served)
            if kept:
                groups[kept].append(action)
    return [
        {
            "Effect": "Allow",
            "Action": _one_or_list(sorted(actions)),
            element: _one_or_list(sorted(resources, key=_specific_first)),
            **({"Condition": statement["Condition"]} if "Condition" in statement else {}),
        }
        for (element, resources), actions in sorted(groups.items(), key=_reading_order)
    ]


def _specific_first(resource: str) -> tuple[bool, str]:
    return "*" in resource or "?" in resource, resource


def _reading_order(item: tuple[tuple[str, tuple[str, ...]], list[str]]) -> tuple[str, bool, str, object]:
    """Order by service, then what names its resources before what does not, then by action."""
    (element, resources), actions = item
    first = min(actions)
    return first.partition(":")[0], element != "Resource" or any("*" in each for each in resources), first, resources


def _kept(
    statement: dict[str, Any], action: str, narrowed: Sequence[str] | None, served: set[tuple[str, str]]
) -> tuple[str, tuple[str, ...]] | None:
    """Give the element and what it lists for a kept action; None where this statement need not grant it.

    Where nobody says what the action can only need, it keeps all that the statement has and no earlier one kept; so it
    does where the statement grants a part of the need that cannot be written as a pattern.
    """
    whole = ("Resource" if "Resource" in statement else "NotResource", tuple(_listed_resources(statement)))
    if narrowed is None:
        if (action, "*") in served:
            return None
        if whole[0] == "NotResource":
            return whole
        fresh = tuple(pattern for pattern in whole[1] if (action, pattern) not in served)
        if "Condition" not in statement:
            served.update((action, pattern) for pattern in fresh)
        return ("Resource", fresh) if fresh else None
    wanted = [resource for resource in narrowed if (action, resource) not in served]
    found = _within(statement, action, wanted, served)
    if found:
        return "Resource", tuple(found)
    return whole if wanted and _may_serve(statement, wanted) else None


def _listed_resources(statement: dict[str, Any]) -> list[str]:
    return listed(statement["Resource"] if "Resource" in statement else statement["NotResource"])


def _generalised(
    statement: dict[str, Any], action: str, found: Sequence[str], needs: Needs, why: list[tuple[str, str]]
) -> list[str]:
    """Put the learnt patterns for what was found, as far as the statement grants them; say why each is wider."""
    learnt = needs.learnt
    if learnt is None:
        return sorted(found)
    serving = learnt.serving.get(action, {})
    taken: dict[str, str] = {}
    for resource in found:
        each = serving.get(resource)
        bounded = _bounded(statement, each.resource, resource) if each else resource
        taken[bounded] = "" if each is None or bounded == resource else each.reason
    for each in learnt.shared.get(action, ()):
        if each.resource not in taken and _bounded(statement, each.resource, "") == each.resource:
            taken[each.resource] = f"for {action}: {each.reason}"
    wide = [pattern for pattern in taken if "*" in pattern or "?" in pattern]
    for pattern in list(taken):
        if any(pattern != other and arn_includes(other, pattern) for other in wide):
            del taken[pattern]
    patterns, reasons = summarise(action, sorted(taken), _patterns(statement), needs.most)
    why.extend((pattern, taken[pattern]) for pattern in patterns if taken.get(pattern))
    why.extend(reasons)
    return patterns


def _bounded(statement: dict[str, Any], pattern: str, resource: str) -> str:
    """Cut a learnt pattern down to what the statement grants of it around `resource`: itself, or a granted pattern."""
    if "NotResource" in statement:
        apart = not any(_overlap(each, pattern) for each in listed(statement["NotResource"]))
        return pattern if apart else resource
    granted = [each for each in _patterns(statement) if "${" not in each]
    if any(arn_includes(each, pattern) for each in granted):
        return pattern
    return next((each for each in granted if arn_includes(pattern, each) and arn_includes(each, resource)), resource)


def _within(
    statement: dict[str, Any], action: str, resources: Sequence[str], served: set[tuple[str, str]]
) -> list[str]:
    """Give the part of `resources` that this statement covers and no earlier one serves.

    A statement with a Condition may or may not have been the one that allowed a call, so what it covers is
    not taken from those that follow; nor is what it covers only in part.
    """
    taken: set[str] = set()
    for resource in resources:
        if (action, resource) in served:
            continue
        covered = _intersect(statement, action, resource)
        if resource in covered and "Condition" not in statement:
            served.add((action, resource))
        taken.update(covered)
    return sorted(taken)


def _intersect(statement: dict[str, Any], action: str, resource: str) -> list[str]:
    """Give the patterns for `resource` that lie within the statement's resources: none when it is not covered."""
    if resource == "*" and not resource_types(action):
        return ["*"] if "*" in _patterns(statement) or "NotResource" in statement else []
    if "NotResource" in statement:
        excluded = listed(statement["NotResource"])
        apart = not any(_overlap(pattern, resource) for pattern in excluded)
        return [resource] if apart and "*" not in resource else []
    found = []
    for pattern in _patterns(statement):
        if "${" in pattern:
            found.append(pattern)  # what a policy variable stands for is not in the log: keep it as written
        elif arn_includes(pattern, resource):
            return [resource]
        elif arn_includes(resource, pattern):
            found.append(pattern)
    return found


def _may_serve(statement: dict[str, Any], resources: Sequence[str]) -> bool:
    """Tell whether the statement may grant any of `resources`, though it plainly includes none."""
    if "NotResource" in statement:
        return True
    return any(
        "*" in (pattern, resource) or overlap(tokens(pattern), tokens(resource))
        for pattern in _patterns(statement)
        for resource in resources
    )


def _overlap(pattern: str, resource: str) -> bool:
    return "${" in pattern or arn_includes(pattern, resource) or arn_includes(resource, pattern)


def _patterns(statement: dict[str, Any]) -> list[str]:
    return listed(statement.get("Resource"))


def _same_meaning(statement: dict[str, Any], pieces: list[dict[str, Any]]) -> bool:
    """Tell whether nothing was tightened: then the team's own statement stays, byte for byte."""
    if len(pieces) != 1 or "NotAction" in statement:
        return False
    piece = pieces[0]
    same_actions = {each.lower() for each in listed(statement["Action"])} == {
        each.lower() for each in listed(piece["Action"])
    }
    return same_actions and all(
        set(listed(statement.get(element))) == set(listed(piece.get(element)))
        for element in ("Resource", "NotResource")
    )


def _named(statement: dict[str, Any], pieces: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the pieces their statement's Sid: numbered where it became several, since a Sid is unique."""
    sid = statement.get("Sid")
    if not sid:
        return pieces
    names = [sid] if len(pieces) == 1 else [f"{sid}{number}" for number in range(1, len(pieces) + 1)]
    return [{"Sid": name, **piece} for name, piece in zip(names, pieces, strict=True)]


def _one_or_list(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values


def merge(fitted: Sequence[Fitted]) -> list[dict[str, Any]]:
    """Join the statements of several policies into one list, for the one inline policy that replaces them.

    Statements with equal resources and conditions become one; Sids are dropped where they would repeat.
    """
    joined: dict[str, dict[str, Any]] = {}
    for statement in (each for policy in fitted for each in policy.statements):
        same = {key: value for key, value in statement.items() if key not in ("Sid", "Action")}
        if "Action" not in statement:
            same = statement
        key = json.dumps(same, sort_keys=True)
        if key in joined and "Action" in statement:
            actions = sorted({*listed(joined[key]["Action"]), *listed(statement["Action"])})
            joined[key] = {**joined[key], "Action": _one_or_list(actions)}
        else:
            joined[key] = dict(statement)
    sids = [statement.get("Sid") for statement in joined.values()]
    return [
        {name: value for name, value in statement.items() if name != "Sid" or sids.count(value) == 1}
        for statement in joined.values()
    ]
