"""Condition keys: find a value (or none at all) that makes these conditions true and those false.

For each key, enough values are worked out to tell apart all that its conditions can tell apart: for strings and ARNs
by `automaton`, for numbers, dates and addresses from the ends of the intervals. The law itself (`condition.holds`)
then says which conditions each value meets. Conditions on different keys are independent of each other, and a
condition whose values hold policy variables is taken to be true or false at will: that can only make a proof fail.
"""

from __future__ import annotations

import ipaddress
import itertools
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from trailfit.policy import automaton, condition, pattern
from trailfit.policy.automaton import Budget, Part
from trailfit.policy.pattern import ANY_ONE, ANY_RUN, SEGMENT_RUN, Variable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from decimal import Decimal

    from trailfit.policy.condition import Condition

#: A condition asserted to be true or false.
Literals = frozenset[tuple["Condition", bool]]
Value = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Assignment:
    """A value of one key that meets the literals; None: the key is absent."""

    value: Value | None


def placeholder(variable: Variable) -> str:
    """Give the value that a policy variable has in counterexamples: its own name."""
    return variable.key.replace("/", ":").rpartition(":")[2]


@lru_cache(maxsize=8192)
def assign(literals: Literals, multivalued: bool) -> Assignment | None:
    """Find a value of the key that the literals are all about; None when there is none.

    `multivalued`: the key may have several values, as keys used with ForAllValues or ForAnyValue do.
    """
    families = {_family(each) for each, _ in literals} - {""}
    opaque = {each for each, _ in literals if _has_variables(each)}
    if len(families) > 1:
        opaque |= {each for each, _ in literals if _family(each) != "text"}
    found = _find(literals, multivalued)
    if found is None and opaque:
        # What is taken at will may fail only by contradicting itself, and a literal set never does.
        found = _find(frozenset(each for each in literals if each[0] not in opaque), multivalued)
    return found


def _find(literals: Literals, multivalued: bool) -> Assignment | None:
    """Try no value, each single value that can make a difference, and sets of those."""
    if _met(literals, None):
        return Assignment(None)
    values = candidates(frozenset(each for each, _ in literals))
    for value in values:
        if _met(literals, (value,)):
            return Assignment((value,))
    return _several(literals, values) if multivalued else None


def _met(literals: Iterable[tuple[Condition, bool]], value: Value | None) -> bool:
    return all(_truth(each, value) == wanted for each, wanted in literals)


@lru_cache(maxsize=8192)
def _truth(each: Condition, value: Value | None) -> bool:
    context = {} if value is None else {each.key.lower(): value}
    return condition.holds(each, context, value_of=placeholder) is True


def _several(literals: Literals, values: Iterable[str]) -> Assignment | None:
    """Find a set of values: all within what ForAllValues and denied ForAnyValue ask, one for each of the others."""
    every: list[tuple[Condition, bool]] = []
    some: list[tuple[Condition, bool]] = []
    for each, wanted in sorted(literals, key=lambda literal: order(literal[0])):
        if each.qualifier == "ForAllValues":
            (every if wanted else some).append((each, wanted))
        elif each.qualifier == "ForAnyValue":
            (some if wanted else every).append((each, wanted))
        elif _truth(each, ("x", "x")) != wanted:
            return None
    within = [value for value in values if _met(every, (value,))]
    chosen = [next((value for value in within if _met([each], (value,))), None) for each in some]
    if not within:
        return None
    picked = list(dict.fromkeys(value for value in chosen if value is not None)) or within[:1]
    if len(picked) == 1:
        picked.append(next((value for value in within if value not in picked), picked[0]))
    return Assignment(tuple(picked)) if _met(literals, tuple(picked)) else None


# --- the values that can make a difference ----------------------------------------------------------------


def _family(each: Condition) -> str:
    """Name the kinds of values that are worked out together."""
    kind = each.operator.kind
    return "text" if kind in ("string", "arn", "bool") else "" if kind == "null" else kind


def _has_variables(each: Condition) -> bool:
    return any(pattern.has_variables(value) for value in each.patterns)


@lru_cache(maxsize=8192)
def candidates(conditions: frozenset[Condition]) -> tuple[str, ...]:
    """List single values, the plainest first, that between them meet every reachable set of the conditions.

    Raises `TooLargeError` when there are too many.
    """
    found: list[str] = []
    ordered = sorted(conditions, key=order)
    if any(_family(each) == "text" for each in ordered):
        found += _texts(ordered)
    for family, ends in (("number", _numbers), ("date", _dates), ("ip", _addresses), ("binary", _binaries)):
        wanted = [value for each in ordered if _family(each) == family for value in each.values]
        if wanted:
            found += ends(wanted)
    return tuple(dict.fromkeys(found or ["x"]))


def order(each: Condition) -> tuple[str, str, str, bool, tuple[str, ...]]:
    """Give conditions an order of their own, so that equal questions have equal answers."""
    return each.key.lower(), each.operator.name, each.qualifier, each.if_exists, each.values


def _texts(conditions: Iterable[Condition]) -> Iterator[str]:
    parts = {Part((ANY_ONE, ANY_RUN)): None}
    for each in conditions:
        operator = each.operator
        if operator.kind == "arn":
            parts[Part(_ANY_ARN)] = None
        elif _family(each) != "text":
            continue
        for wanted in each.patterns:
            filled = pattern.resolve(wanted, placeholder)
            assert filled is not None, "every variable has a placeholder"
            read = pattern.arn(filled) if operator.kind == "arn" else filled
            assert read is not None, "no variable is left"
            parts[Part(read, folded=operator.ignore_case)] = None
    for _, text in automaton.minterms(list(parts), Budget(_STEPS_LIMIT)):
        yield "".join(text)
    yield ""


_ANY_ARN: pattern.Tokens = (SEGMENT_RUN, ":") * 5 + (ANY_RUN,)
_STEPS_LIMIT = 200_000


def _between(points: Iterable[Decimal]) -> list[Decimal]:
    """Give each point, one value between each two neighbours, and one beyond either end."""
    ends = sorted(set(points))
    middles = [(low + high) / 2 for low, high in itertools.pairwise(ends)]
    return [*ends, *middles, ends[0] - 1, ends[-1] + 1] if ends else []


def _numbers(wanted: Iterable[str]) -> list[str]:
    known = [number for number in map(condition.number, wanted) if number is not None]
    return [f"{point.normalize():f}" for point in _between(known)] + ["x"]


def _dates(wanted: Iterable[str]) -> list[str]:
    known = [instant for instant in map(condition.instant, wanted) if instant is not None]
    return [_written(point) for point in _between(known)] + ["x"]


def _written(seconds: Decimal) -> str:
    """Write a date as IAM reads it; as epoch time where the calendar does not reach or the fraction is long."""
    try:
        text = datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return f"{seconds:f}"
    return text if condition.instant(text) == seconds else f"{seconds:f}"


def _addresses(wanted: Iterable[str]) -> list[str]:
    """Give the first address of every range, the first beyond it, and the first of all, in both versions."""
    found: list[ipaddress.IPv4Address | ipaddress.IPv6Address] = [
        ipaddress.IPv4Address(0), ipaddress.IPv6Address(0)
    ]  # fmt: skip
    for network in map(condition.network, wanted):
        if network is not None:
            found.append(network.network_address)
            if int(network.broadcast_address) < (1 << network.max_prefixlen) - 1:
                found.append(network.broadcast_address + 1)
    return [str(address) for address in found] + ["x"]


def _binaries(wanted: Iterable[str]) -> list[str]:
    return [*wanted, "AA==", "AAA=", "x"]
