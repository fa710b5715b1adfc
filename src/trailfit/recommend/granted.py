"""What a principal is granted today, action by action, and through which statement of which policy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from trailfit.catalog.actions import every, expand, is_action
from trailfit.policy.pattern import fold, matches, tokens

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from trailfit.model import AttachedPolicy


@dataclass(frozen=True, slots=True)
class Via:
    """One way by which an action is granted: a policy, a statement of it, and the pattern that matched.

    `is_broad` tells whether the policy is AWS's own and grants a whole service: then what else it names is
    there for its many readers, not for this principal.
    """

    policy: AttachedPolicy
    statement: int
    pattern: str
    is_broad: bool = False

    @property
    def is_named(self) -> bool:
        """Tell whether somebody wrote this action's own name for a purpose: an intention, which a wildcard is not."""
        return "*" not in self.pattern and "?" not in self.pattern and not self.is_broad

    @property
    def is_sweeping(self) -> bool:
        """Tell whether the grant says nothing of what is needed here: AWS's own wildcard, or a bare ``*``."""
        service = self.pattern.partition(":")[0]
        return not self.is_named and (self.policy.kind == "aws_managed" or "*" in service)


def listed(value: object) -> list[Any]:
    """Give an element that IAM lets be one value or a list, as a list.

    >>> listed("s3:GetObject"), listed(["a", "b"]), listed(None)
    (['s3:GetObject'], ['a', 'b'], [])
    """
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def statements(policy: AttachedPolicy) -> list[dict[str, Any]]:
    """List the statements of a policy as written; an unreadable document has none."""
    return listed(policy.document.raw["Statement"]) if policy.document else []


def actions_of(statement: dict[str, Any], unlisted: Collection[str] = ()) -> Iterator[tuple[str, str]]:
    """Give each action that a statement's Action or NotAction covers, with the pattern that does it.

    Of several patterns that match one action, its own name comes first, so that intention is seen. The catalogue is
    never quite as new as AWS: `unlisted` are actions that it lacks and that were called, and a pattern that matches
    nothing in it stands for itself, as an action that it lacks.
    """
    element = "NotAction" if "NotAction" in statement else "Action"
    return iter(_covered(element, tuple(listed(statement[element])), tuple(unlisted)))


@lru_cache(maxsize=32)
def _covered(element: str, patterns: tuple[str, ...], unlisted: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Do the work of `actions_of`, once for a statement: a principal's are asked for several times."""
    if element == "NotAction":
        excluded = {action for pattern in patterns for action in expand(pattern)}
        others = (action for action in unlisted if not any(_names(pattern, action) for pattern in patterns))
        return tuple((action, "*") for action in (*every(), *others) if action not in excluded)
    found: dict[str, str] = {}
    for pattern in sorted(patterns, key=lambda text: ("*" in text or "?" in text, text)):
        actions = (*expand(pattern), *(each for each in unlisted if _names(pattern, each))) or (pattern,)
        for action in actions:
            found.setdefault(action, pattern)
    return tuple(found.items())


def _names(pattern: str, action: str) -> bool:
    return matches(fold(tokens(pattern, variables=False)), action.lower())


def beyond(actions: Iterable[str]) -> tuple[str, ...]:
    """List those of `actions` that the catalogue lacks."""
    return tuple(sorted(action for action in actions if not is_action(action)))


def granted(policies: Sequence[AttachedPolicy], used: Iterable[str] = ()) -> dict[str, Sequence[Via]]:
    """List every action that some Allow of `policies` covers, with the ways by which it is granted.

    `used` are the actions that were called: of those that the catalogue lacks it knows nothing else.
    """
    unlisted = beyond(used)
    found: dict[str, tuple[Via, ...]] = {}
    for policy in policies:
        broad = _is_broad(policy)
        for index, statement in enumerate(statements(policy)):
            if statement["Effect"] != "Allow":
                continue
            # One way for each pattern, not for each action: a bare star alone grants 20,000 of them.
            ways: dict[str, tuple[Via, ...]] = {}
            for action, pattern in actions_of(statement, unlisted):
                way = ways.get(pattern) or ways.setdefault(pattern, (Via(policy, index, pattern, broad),))
                found[action] = found[action] + way if action in found else way
    return dict(sorted(found.items()))


def _is_broad(policy: AttachedPolicy) -> bool:
    return policy.kind == "aws_managed" and any(
        pattern.endswith(":*") or pattern == "*"
        for statement in statements(policy)
        if statement["Effect"] == "Allow"
        for pattern in listed(statement.get("Action", "*"))
    )
