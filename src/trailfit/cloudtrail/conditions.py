"""Compile the `when` of a rule: a condition on what a request holds.

``path`` is present · ``!path`` is absent · ``path=a|b`` one value is a or b · ``path!=a|b`` none is ·
``path~regex`` one value matches from its start (case ignored) · ``path!~regex`` none does; joined by `` and ``.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from trailfit.cloudtrail.paths import nodes, values

if TYPE_CHECKING:
    from collections.abc import Callable

    Condition = Callable[[object], bool]

_TERM = re.compile(r"(?P<not>!)?(?P<path>[^\s=!~]+)(?:(?P<op>!?[=~])(?P<value>.*))?", re.DOTALL)


@cache
def condition(text: str) -> Condition | None:
    """Compile a condition; None for the empty one, which always holds."""
    terms = [_term(part.strip()) for part in text.split(" and ") if part.strip()]
    if not terms:
        return None
    if len(terms) == 1:
        return terms[0]
    return lambda parameters: all(term(parameters) for term in terms)


def _term(text: str) -> Condition:
    found = _TERM.fullmatch(text)
    if not found:
        raise ValueError(f"not a condition: `{text}`")
    path, value = tuple(found["path"].split(".")), found["value"]
    match found["op"]:
        case None:
            absent = bool(found["not"])
            return lambda parameters: bool(nodes(parameters, path)) != absent
        case "=" | "!=" as op:
            wanted = frozenset(value.lower().split("|"))
            return lambda parameters: any(one.lower() in wanted for one in values(parameters, path)) == (op == "=")
        case op:
            regex = re.compile(value, re.IGNORECASE)
            return lambda parameters: any(regex.match(one) for one in values(parameters, path)) == (op == "~")
