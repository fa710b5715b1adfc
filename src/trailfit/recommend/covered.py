"""What a statement really covers: its actions, how grave they are, and what of it was used."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from trailfit.catalog.actions import every, is_action, resource_types
from trailfit.catalog.weights import weight
from trailfit.recommend.granted import actions_of, listed

if TYPE_CHECKING:
    from trailfit.recommend.case import Case

_READING = 1.0


@dataclass(frozen=True, slots=True)
class Covered:
    """The catalogue's actions that a statement allows, those that could be limited to some resources, the gravest."""

    actions: frozenset[str]
    limitable: frozenset[str]
    heaviest: float

    @property
    def is_everything(self) -> bool:
        """Tell whether it is every action of AWS."""
        return len(self.actions) == len(every())

    def shift(self, statement: dict[str, Any]) -> int:
        """Shift a severity by what is covered: up for all of AWS on all there is, down for reading and listing."""
        if self.is_everything and "*" in listed(statement.get("Resource")):
            return 1
        return -1 if self.heaviest <= _READING else 0


def covered(statement: dict[str, Any]) -> Covered:
    """Work out what an Allow statement covers; statements with the same Action or NotAction share the answer."""
    element = "NotAction" if "NotAction" in statement else "Action"
    return _covered(element, tuple(listed(statement[element])))


@lru_cache(maxsize=4096)
def _covered(element: str, patterns: tuple[str, ...]) -> Covered:
    actions = frozenset(action for action, _ in actions_of({element: list(patterns)}) if is_action(action))
    return Covered(
        actions,
        frozenset(action for action in actions if resource_types(action)),
        max((weight(action) for action in actions), default=0.0),
    )


def used_on(case: Case, actions: frozenset[str]) -> tuple[list[str], list[str]]:
    """List which of `actions` the principal used, and on which resources."""
    used = sorted(action for action in case.uses if action in actions)
    return used, sorted({row.resource for action in used for row in case.uses[action]})
