"""Turn an open case into a request that a person can read, and have the law confirm it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trailfit.policy import values
from trailfit.policy.evaluate import Request, grants
from trailfit.policy.pattern import ANY_ONE, ANY_RUN, COLON, SEGMENT_ONE, SEGMENT_RUN, Variable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from trailfit.policy.document import Document
    from trailfit.policy.minterms import Case

_ACCOUNT = "123456789012"
#: What stands for a wildcard in each of the six segments of an ARN.
_SEGMENTS = ("arn", "aws", None, "us-east-1", _ACCOUNT, "x")


def confirmed(
    case: Case, new: Sequence[Document], old: Sequence[Document], boundary: Sequence[Document] | None
) -> Request | None:
    """Write the case as a request that `new` allows and `old` does not; None when the law does not confirm it."""
    return next(
        (request for request in _requests(case) if is_new(request, new, old, boundary)), None
    )  # fmt: skip


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
        other = Request(request.principal, name, request.resource, request.context)
        if is_new(other, new, old, boundary):
            return other
    return request


def _requests(case: Case) -> Iterator[Request]:
    context = {key: value for key, value in case.context.values.items() if value is not None}
    named = {key.lower(): value for key, value in context.items()}
    for symbol in case.resource:
        if isinstance(symbol, Variable) and symbol.key.lower() not in named:
            context[symbol.key] = named[symbol.key.lower()] = (values.placeholder(symbol),)
    for condition_key in _variables(case):
        if condition_key.key.lower() not in named:
            context[condition_key.key] = named[condition_key.key.lower()] = (values.placeholder(condition_key),)

    def filled(symbols: Iterable[str]) -> str:
        return "".join(named[s.key.lower()][0] if isinstance(s, Variable) else s for s in symbols)

    action = _cased(filled(case.action), case)
    written = {key: value[0] if len(value) == 1 else value for key, value in context.items()}
    for resource in (*_plausible(case, action.partition(":")[0]), filled(case.resource)):
        yield Request(case.principal, action, resource, written)


def _variables(case: Case) -> list[Variable]:
    """List the variables in the values of the rule's own conditions."""
    return [
        token
        for each in case.rule.conditions
        for value in each.patterns
        for token in value
        if isinstance(token, Variable)
    ]


def _cased(action: str, case: Case) -> str:
    """Write the action as the statement writes it, where it names it."""
    return next((each for each in case.rule.statement.actions if each.lower() == action), action)


def _plausible(case: Case, service: str) -> Iterator[str]:
    """Fill the wildcards of the statement's own resource pattern with plain words."""
    pattern = case.resource_pattern
    if pattern is None or pattern == (ANY_RUN,):
        if case.resource != ("*",):
            yield f"arn:aws:{service}:us-east-1:{_ACCOUNT}:x"
        return
    segment = 0
    found: list[str] = []
    for token in pattern:
        segment += token == COLON and segment < len(_SEGMENTS) - 1
        if isinstance(token, Variable):
            found.append(values.placeholder(token))
        elif token in (ANY_RUN, SEGMENT_RUN):
            found.append(_SEGMENTS[segment] or service)
        else:
            found.append("x" if token in (ANY_ONE, SEGMENT_ONE) else token)
    yield "".join(found)
