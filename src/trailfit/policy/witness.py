"""Turn an open case into a request that a person can read, and have the law confirm it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trailfit.policy import values
from trailfit.policy.evaluate import Request, grants
from trailfit.policy.pattern import ANY_ONE, ANY_RUN, COLON, SEGMENT_ONE, SEGMENT_RUN, Variable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from trailfit.policy.document import Document
    from trailfit.policy.minterms import Case

_ACCOUNT = "123456789012"
#: What stands for a wildcard in each of the six segments of an ARN.
_SEGMENTS = ("arn", "aws", None, "us-east-1", _ACCOUNT, "x")

#: What it takes to put a request to one statement of the law, in steps of an automaton.
_PRICE = 20


def confirmed(
    case: Case, new: Sequence[Document], old: Sequence[Document], boundary: Sequence[Document] | None
) -> Request | None:
    """Write the case as a request that `new` allows and `old` does not; None when the law does not confirm it.

    Raises `TooLargeError` when the question's budget is spent.
    """
    price = _PRICE * len(case.question.everyone)
    for request in _requests(case):
        case.question.budget.spend(price)
        if is_new(request, new, old, boundary):
            return _shortest(request, new, old, boundary)
    return None


def _shortest(
    request: Request, new: Sequence[Document], old: Sequence[Document], boundary: Sequence[Document] | None
) -> Request:
    """Leave out the context keys without which the request still shows the same."""
    for key in request.context:
        less = replace(request, context={other: value for other, value in request.context.items() if other != key})
        if is_new(less, new, old, boundary):
            request = less
    return request


def is_new(
    request: Request, new: Sequence[Document], old: Sequence[Document], boundary: Sequence[Document] | None
) -> bool:
    """Ask the law whether `new` allows the request and `old` does not."""
    return grants(request, new, boundary) is True and grants(request, old, boundary) is False


def readable(
    request: Request,
    names: Iterable[str],
    new: Sequence[Document],
    old: Sequence[Document],
    boundary: Sequence[Document] | None = None,
) -> Request:
    """Put a known action in the place of a made-up one, where the request still shows the same.

    `names` are actions to try, such as a catalogue's of the service.
    """
    for name in names:
        other = replace(request, action=name)
        if is_new(other, new, old, boundary):
            return other
    return request


def _requests(case: Case) -> Iterator[Request]:
    """Write the case with several values for its policy variables, the most telling first."""
    context = {key: value for key, value in case.context.items() if value is not None}
    absent = {key.lower() for key, value in case.context.items() if value is None}
    given = {key.lower(): value for key, value in context.items()}
    free = [each for each in case.question.variables if each.key.lower() not in absent]
    names = {each.key.lower() for each in free}
    others = {key: value for key, value in context.items() if key.lower() not in names}
    first = {each.key: given.get(each.key.lower(), (values.placeholder(each),)) for each in free}
    yield from _written(case, {**others, **first})
    if not free:
        return
    ends = ["".join(case.resource).rpartition(mark)[2] for mark in (":", "/")]
    for value in dict.fromkeys([*ends, *(value[0] for value in context.values()), *case.question.words, ""]):
        yield from _written(case, {**others, **{each.key: (value,) for each in free}})
    yield from _written(case, context)


def _written(case: Case, context: Mapping[str, values.Value]) -> Iterator[Request]:
    """Write the case in this context, with a plain resource before the shortest one."""
    known = {key.lower(): value[0] for key, value in context.items()}

    def filled(symbols: Iterable[str]) -> str:
        return "".join(_value(s, known) if isinstance(s, Variable) else s for s in symbols)

    action = _cased(filled(case.action), case)
    written = {key: value[0] if len(value) == 1 else value for key, value in context.items()}
    for resource in (*_plausible(case, action.partition(":")[0], known), filled(case.resource)):
        yield Request(case.principal, action, resource, written)


def _value(variable: Variable, known: Mapping[str, str]) -> str:
    """Give what stands in a variable's place: its value, or its default."""
    return known.get(variable.key.lower(), variable.default or "")


def _cased(action: str, case: Case) -> str:
    """Write the action as the statements write it, as far as one of them names it."""
    for each in (*case.rule.statement.actions, *case.question.spellings):
        if action == each.lower():
            return each
    start = next((each for each in case.question.spellings if action.startswith(each.lower())), "")
    return start + action[len(start) :]


def _plausible(case: Case, service: str, known: Mapping[str, str]) -> Iterator[str]:
    """Fill the wildcards of the statement's own resource pattern with plain words."""
    pattern = case.resource_pattern
    if pattern == (ANY_RUN,):
        if case.resource != ("*",):
            yield f"arn:aws:{service}:us-east-1:{_ACCOUNT}:x"
        return
    segment = 0
    found: list[str] = []
    for token in pattern:
        segment += token == COLON and segment < len(_SEGMENTS) - 1
        if isinstance(token, Variable):
            found.append(_value(token, known))
        elif token in (ANY_RUN, SEGMENT_RUN):
            found.append(_SEGMENTS[segment] or service)
        else:
            found.append("x" if token in (ANY_ONE, SEGMENT_ONE) else token)
    yield "".join(found)
