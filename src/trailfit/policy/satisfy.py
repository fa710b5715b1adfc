"""Is there a context that makes these conditions true and those false? A small search over alternatives.

A question is a list of clauses; a clause is a list of options, one of which must hold; an option is a set of
literals (a condition, true or false). Keys are independent, so that an option is tried key by key (`values`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trailfit.policy import values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trailfit.policy.automaton import Budget
    from trailfit.policy.condition import Condition

Literal = tuple["Condition", bool]
Option = frozenset[Literal]
Clause = tuple[Option, ...]

#: What it takes to try an option, in steps of an automaton.
_PRICE = 100

#: A context: key → values; None where the key must be absent.
Context = dict[str, values.Value | None]


class Search:
    """One search; `multivalued` are the keys (in lower case) that may have several values."""

    def __init__(self, multivalued: frozenset[str], budget: Budget) -> None:
        self._multivalued = multivalued
        self._budget = budget

    def solve(self, clauses: Sequence[Clause]) -> Context | None:
        """Find a context; None is the proof that there is none. Raises `TooLargeError` when the budget is spent."""
        return self._extend({}, [tuple(clause) for clause in clauses])

    def _extend(self, chosen: dict[str, values.Literals], clauses: list[Clause]) -> Context | None:
        """Satisfy the clauses, given the literals already chosen (by key)."""
        left: list[Clause] = []
        for clause in clauses:
            options: list[Option] = []
            for option in clause:
                if all((each, wanted) in chosen.get(each.key.lower(), ()) for each, wanted in option):
                    break
                if not any((each, not wanted) in chosen.get(each.key.lower(), ()) for each, wanted in option):
                    options.append(option)
            else:
                if not options:
                    return None
                left.append(tuple(options))
        if not left:
            return self._context(chosen)
        left.sort(key=len)
        for option in left[0]:
            self._budget.spend(_PRICE)
            grown = self._choose(chosen, option)
            if grown is not None:
                found = self._extend(grown, left[1:])
                if found is not None:
                    return found
        return None

    def _choose(self, chosen: dict[str, values.Literals], option: Option) -> dict[str, values.Literals] | None:
        """Add the option's literals; None when a key then has no value left."""
        grown = dict(chosen)
        touched: set[str] = set()
        for each, wanted in option:
            key = each.key.lower()
            grown[key] = grown.get(key, frozenset()) | {(each, wanted)}
            touched.add(key)
        if all(values.assign(grown[key], key in self._multivalued) is not None for key in touched):
            return grown
        return None

    def _context(self, chosen: Mapping[str, values.Literals]) -> Context:
        found: Context = {}
        for key in sorted(chosen):
            assignment = values.assign(chosen[key], key in self._multivalued)
            assert assignment is not None, "each choice was tried when it was made"
            written = min(each.key for each, _ in chosen[key])
            found[written] = assignment.value
        return found
