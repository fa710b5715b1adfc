"""Compile the `when` of a rule: a condition on what a request holds.

``path`` is present · ``!path`` is absent · ``path=a|b`` one value is a or b · ``path!=a|b`` none is ·
``path~regex`` one value matches from its start (case ignored) · ``path!~regex`` none does; joined by `` and ``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from trailfit.cloudtrail.paths import nodes, values

if TYPE_CHECKING:
    from collections.abc import Callable

_TERM = re.compile(r"(?P<not>!)?(?P<path>[^\s=!~]+)(?:(?P<op>!?[=~])(?P<value>.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Term:
    """One term: its test, the lower-case keys of its path, and what it gives where the first of them is absent."""

    test: Callable[[object], bool]
    keys: tuple[str, ...]
    absent: bool


@dataclass(frozen=True, slots=True)
class Condition:
    """Terms that must all hold."""

    terms: tuple[Term, ...]

    def __call__(self, parameters: object) -> bool:
        """Tell whether the request holds what is asked."""
        return all(term.test(parameters) for term in self.terms)

    @property
    def reads(self) -> frozenset[str]:
        """The lower-case keys that it looks for."""
        return frozenset(key for term in self.terms for key in term.keys)

    def given(self, keys: frozenset[str]) -> Condition | None:
        """Give what is left to test of a request that has only these keys (lower-case); None where it cannot hold."""
        left = []
        for term in self.terms:
            if term.keys[0] in keys or term.keys[0].startswith("@"):
                left.append(term)
            elif not term.absent:
                return None
        return Condition(tuple(left))


@cache
def condition(text: str) -> Condition | None:
    """Compile a condition; None for the empty one, which always holds."""
    terms = tuple(_term(part.strip()) for part in text.split(" and ") if part.strip())
    return Condition(terms) if terms else None


def _term(text: str) -> Term:
    found = _TERM.fullmatch(text)
    if not found:
        raise ValueError(f"not a condition: `{text}`")
    path, value = tuple(found["path"].split(".")), found["value"]
    keys = tuple(key.lower() for key in path)
    match found["op"]:
        case None:
            absent = bool(found["not"])
            return Term(lambda parameters: bool(nodes(parameters, path)) != absent, keys, absent)
        case "=" | "!=" as op:
            wanted = frozenset(value.lower().split("|"))
            positive = op == "="
            return Term(
                lambda parameters: any(one.lower() in wanted for one in values(parameters, path)) == positive,
                keys,
                not positive,
            )
        case op:
            regex = re.compile(value, re.IGNORECASE)
            positive = op == "~"
            return Term(
                lambda parameters: any(regex.match(one) for one in values(parameters, path)) == positive,
                keys,
                not positive,
            )
