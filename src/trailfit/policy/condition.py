"""Condition operators: a table, and the one rule that applies them.

Every operator compares one value of the request with one value of the policy (`matches`); what several values,
a missing key, `…IfExists`, `ForAllValues` and `ForAnyValue` make of that is said once, in `holds`.

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html,
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import operator as compare
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from trailfit.policy import pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Kind = Literal["string", "arn", "number", "date", "bool", "binary", "ip", "null"]
Qualifier = Literal["", "ForAllValues", "ForAnyValue"]


@dataclass(frozen=True, slots=True)
class Operator:
    """One condition operator: what it compares, and whether it is negated, folds case, takes wildcards or variables."""

    name: str
    kind: Kind
    negated: bool = False
    ignore_case: bool = False
    wildcards: bool = False
    variables: bool = False
    comparison: str = "eq"


def _table() -> dict[str, Operator]:
    rows = [
        Operator("StringEquals", "string", variables=True),
        Operator("StringNotEquals", "string", negated=True, variables=True),
        Operator("StringEqualsIgnoreCase", "string", ignore_case=True, variables=True),
        Operator("StringNotEqualsIgnoreCase", "string", negated=True, ignore_case=True, variables=True),
        Operator("StringLike", "string", wildcards=True, variables=True),
        Operator("StringNotLike", "string", negated=True, wildcards=True, variables=True),
        Operator("ArnEquals", "arn", wildcards=True, variables=True),
        Operator("ArnLike", "arn", wildcards=True, variables=True),
        Operator("ArnNotEquals", "arn", negated=True, wildcards=True, variables=True),
        Operator("ArnNotLike", "arn", negated=True, wildcards=True, variables=True),
        Operator("Bool", "bool", ignore_case=True, variables=True),
        Operator("BinaryEquals", "binary"),
        Operator("IpAddress", "ip"),
        Operator("NotIpAddress", "ip", negated=True),
        Operator("Null", "null"),
    ]
    kinds: tuple[tuple[str, Kind], ...] = (("Numeric", "number"), ("Date", "date"))
    for prefix, kind in kinds:
        rows += [
            Operator(f"{prefix}Equals", kind),
            Operator(f"{prefix}NotEquals", kind, negated=True),
            Operator(f"{prefix}LessThan", kind, comparison="lt"),
            Operator(f"{prefix}LessThanEquals", kind, comparison="le"),
            Operator(f"{prefix}GreaterThan", kind, comparison="gt"),
            Operator(f"{prefix}GreaterThanEquals", kind, comparison="ge"),
        ]
    return {row.name.lower(): row for row in rows}


#: name in lower case → operator. AWS does not say that case matters in operators' names, and IAM accepts any.
OPERATORS = _table()

_WRITTEN = re.compile(r"(?:(forallvalues|foranyvalue):)?([a-z]+?)(ifexists)?\Z")
_QUALIFIERS: dict[str | None, Qualifier] = {
    None: "", "forallvalues": "ForAllValues", "foranyvalue": "ForAnyValue",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Condition:
    """One line of a Condition block: operator, key, values; the lines of a block are joined by AND."""

    operator: Operator
    qualifier: Qualifier
    if_exists: bool
    key: str
    values: tuple[str, ...]
    variables: bool

    @property
    def patterns(self) -> tuple[pattern.Tokens, ...]:
        """Read the values as patterns, policy variables still in them."""
        return _patterns(self)


def read(name: str, key: str, values: tuple[str, ...], *, variables: bool = True) -> Condition | None:
    """Read one line of a Condition block; None when IAM has no such operator.

    >>> read("ForAnyValue:StringLikeIfExists", "aws:TagKeys", ("a*",)).qualifier
    'ForAnyValue'
    """
    written = _WRITTEN.match(name.lower())
    if not written or written[2] not in OPERATORS:
        return None
    found = OPERATORS[written[2]]
    if found.kind == "null" and (written[3] or written[1]):
        return None
    return Condition(found, _QUALIFIERS[written[1]], bool(written[3]), key, values, variables)


@lru_cache(maxsize=8192)
def _patterns(condition: Condition) -> tuple[pattern.Tokens, ...]:
    operator = condition.operator
    return tuple(
        pattern.tokens(value, wildcards=operator.wildcards, variables=operator.variables and condition.variables)
        for value in condition.values
    )


def holds(
    condition: Condition,
    context: Mapping[str, tuple[str, ...]],
    *,
    complete: bool = True,
    value_of: Callable[[pattern.Variable], str | None] | None = None,
) -> bool | None:
    """Tell whether the condition holds in `context` (keys in lower case → values); None when that is not known.

    It is not known when the key is absent from a context that is not `complete`. `value_of` gives policy variables
    their values; it raises `LookupError` where a value is not known.
    """
    operator = condition.operator
    found = context.get(condition.key.lower())
    if found is None and not complete:
        return None
    if operator.kind == "null":
        # "either true (the key doesn't exist — it is null) or false (the key exists and its value is not null)"
        return ("true" if found is None else "false") in {value.lower() for value in condition.values}
    if found is None:
        # "If the key that you specify in a policy condition is not present in the request context, the values do not
        # match and the condition is false. If the policy condition requires that the key is not matched […] true."
        if condition.if_exists or condition.qualifier == "ForAllValues":
            return True
        return operator.negated and condition.qualifier != "ForAnyValue"
    try:
        wanted = [pattern.resolve(each, value_of or _no_value) for each in condition.patterns]
    except LookupError:
        return None

    def satisfied(value: str) -> bool:
        # "If a single condition operator includes multiple values for one key, that condition operator is
        # evaluated using a logical OR"; negated: "the effective permissions work like a logical AND".
        # A variable without value: "There is no equal or like value"; "inverted condition operators […] do match".
        if operator.negated:
            return all(each is None or matches(operator, value, each) is False for each in wanted)
        return any(each is not None and matches(operator, value, each) for each in wanted)

    if condition.qualifier == "ForAllValues":
        return all(satisfied(value) for value in found)
    if condition.qualifier == "ForAnyValue":
        return any(satisfied(value) for value in found)
    return _plain(found, satisfied)


def _plain(found: tuple[str, ...], satisfied: Callable[[str], bool]) -> bool:
    """Apply an operator without a set qualifier: it is made for single-valued keys.

    AWS: "You must use set operators with multivalued condition keys"; without one, several values match nothing.
    """
    return len(found) == 1 and satisfied(found[0])


def _no_value(variable: pattern.Variable) -> str | None:
    return variable.default


def matches(operator: Operator, value: str, wanted: pattern.Tokens) -> bool | None:
    """Compare one value of the request with one of the policy, by the operator before its negation.

    None where one of them is not of the operator's type: then neither the operator nor its negation is met.
    """
    kind = operator.kind
    if operator.ignore_case:
        wanted, value = pattern.fold(wanted), value.lower()
    if kind == "string":
        return pattern.matches(wanted, value)
    if kind == "bool":
        return pattern.matches(wanted, value) if value in ("true", "false") else None
    if kind == "arn":
        # "Each of the six colon-delimited components of the ARN is checked separately": a pattern that has fewer is
        # like no ARN, and a value that has fewer is none.
        if value.count(":") < _ARN_COLONS:
            return None
        read = pattern.arn(wanted) if wanted.count(":") >= _ARN_COLONS else None
        return read is not None and pattern.matches(read, value)
    text = "".join(wanted)
    if kind == "ip":
        return _in_network(value, text)
    if kind == "binary":
        bytes_of = _bytes(value)
        return None if bytes_of is None else bytes_of == _bytes(text)
    left, right = (number(value), number(text)) if kind == "number" else (instant(value), instant(text))
    if left is None or right is None:
        return None
    return bool(getattr(compare, operator.comparison)(left, right))


_ARN_COLONS = 5


_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?\Z", re.ASCII)


@lru_cache(maxsize=4096)
def number(text: str) -> Decimal | None:
    """Read an integer or decimal; None when it is none."""
    return Decimal(text) if _NUMBER.match(text) else None


_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[Tt](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?([Zz]|[+-]\d\d:?\d\d)?)?)?)?\Z"
)
_EPOCH = re.compile(r"\d{5,}(?:\.\d+)?\Z")


@lru_cache(maxsize=4096)
def instant(text: str) -> Decimal | None:
    """Read a date as seconds since 1970: W3C's ISO 8601 formats, or epoch time; None when it is neither."""
    if _EPOCH.match(text):
        return Decimal(text)
    read = _DATE.match(text)
    if not read:
        return None
    year, month, day, hour, minute, second = (int(part or default) for part, default in zip(
        read.groups()[:6], (1970, 1, 1, 0, 0, 0), strict=True
    ))  # fmt: skip
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    seconds = Decimal(int(moment.timestamp())) + Decimal(f"0.{read[7] or 0}")
    zone = read[8]
    if zone and zone not in "Zz":
        sign = -1 if zone[0] == "+" else 1
        seconds += sign * (int(zone[1:3]) * 3600 + int(zone[-2:]) * 60)
    return seconds


@lru_cache(maxsize=4096)
def network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """Read an address or CIDR range; None when it is neither."""
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _in_network(value: str, wanted: str) -> bool | None:
    inner, outer = network(value), network(wanted)
    if inner is None or outer is None:
        return None
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]  # the same version, tested above


def _bytes(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
