"""What a statement is about, in the form the proofs work on: sets of actions, of resources, and conditions.

`covers` is always right when it says yes and quick; what it cannot tell is left to `automaton`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from trailfit.policy import automaton, inclusion, pattern
from trailfit.policy.pattern import ANY_RUN, COLON, Tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from trailfit.policy.document import Document, Statement

EVERYTHING: Tokens = (ANY_RUN,)


@lru_cache(maxsize=8192)
def overlap(one: Tokens, other: Tokens) -> bool:
    """Tell whether two patterns may have a string in common."""
    return EVERYTHING in (one, other) or automaton.overlap(one, other)


class PatternSet:
    """The strings that match one of `patterns`, or (`negated`) that match none of them."""

    def __init__(self, patterns: Iterable[Tokens], negated: bool, colons: int) -> None:
        """Take the patterns; they are indexed by their text before the `colons`th colon, as far as it is plain."""
        self.patterns = tuple(dict.fromkeys(patterns))
        self.negated = negated
        self._colons = colons

    @cached_property
    def everything(self) -> bool:
        """Tell whether the set is plainly all strings."""
        return not self.negated and EVERYTHING in self.patterns

    @cached_property
    def _index(self) -> tuple[dict[str, list[Tokens]], list[Tokens]]:
        """Split the patterns into those by their plain beginning, and those without one."""
        heads: dict[str, list[Tokens]] = {}
        rest: list[Tokens] = []
        for each in self.patterns:
            head = _head(each, self._colons)
            (rest if head is None else heads.setdefault(head, [])).append(each)
        return heads, rest

    def _near(self, wanted: Tokens) -> Sequence[Tokens]:
        """List the patterns that do not plainly begin otherwise than `wanted`."""
        head = _head(wanted, self._colons)
        if head is None:
            return self.patterns
        heads, rest = self._index
        return (*heads.get(head, ()), *rest)

    def meeting(self, wanted: Tokens) -> list[Tokens]:
        """List the patterns that may have a string in common with `wanted`."""
        return [each for each in self._near(wanted) if overlap(each, wanted)]

    def covers(self, wanted: Tokens) -> bool:
        """Tell whether all of `wanted` is plainly in the set."""
        if self.negated:
            return not any(overlap(each, wanted) for each in self._near(wanted))
        return any(inclusion.within(wanted, each) for each in self._near(wanted))

    def covers_set(self, other: PatternSet) -> bool:
        """Tell whether all of `other` is plainly in the set."""
        if self.everything or (self.negated == other.negated and self.patterns == other.patterns):
            return True
        if not other.negated:
            return all(self.covers(each) for each in other.patterns)
        if not self.negated:
            return False
        positive = PatternSet(other.patterns, False, self._colons)
        return all(positive.covers(each) for each in self.patterns)

    def may_meet(self, other: PatternSet) -> bool:
        """Tell whether the sets may have a string in common (a yes may be wrong)."""
        if self.negated and other.negated:
            return True
        if self.negated:
            return other.may_meet(self)
        if other.negated:
            excluded = PatternSet(other.patterns, False, self._colons)
            return not all(excluded.covers(each) for each in self.patterns)
        return any(self.meeting(each) for each in other.patterns)


@lru_cache(maxsize=8192)
def _head(wanted: Tokens, colons: int) -> str | None:
    """Give the text before the colon of that number; None where it is not plain text."""
    for at, token in enumerate(wanted):
        if len(token) > 1:
            return None
        colons -= token == COLON
        if not colons:
            return "".join(wanted[:at])
    return None


#: An action's service stands before its first colon, an ARN's before its third.
_ACTION_COLONS = 1
_ARN_COLONS = 3


class Rule:
    """One statement as sets."""

    def __init__(self, statement: Statement) -> None:
        self.statement = statement
        self.allow = statement.effect == "Allow"
        self.actions = PatternSet(
            (pattern.fold(pattern.tokens(each, variables=False)) for each in statement.actions),
            statement.not_action,
            _ACTION_COLONS,
        )
        read = (pattern.arn(pattern.tokens(each, variables=statement.variables)) for each in statement.resources or ())
        if statement.resources is None:
            self.resources = PatternSet((EVERYTHING,), False, _ARN_COLONS)
        else:
            self.resources = PatternSet(
                (each for each in read if each is not None), statement.not_resource, _ARN_COLONS
            )
        self.conditions = frozenset(statement.conditions)
        self.principals = None if statement.principals is None else frozenset(statement.principals)


@dataclass(frozen=True, slots=True)
class Rules:
    """The statements of several documents."""

    allows: tuple[Rule, ...]
    denies: tuple[Rule, ...]


def rules(documents: Iterable[Document]) -> Rules:
    """Read the statements of documents as rules."""
    found = [rule for document in documents for rule in document.rules]
    return Rules(tuple(rule for rule in found if rule.allow), tuple(rule for rule in found if not rule.allow))
