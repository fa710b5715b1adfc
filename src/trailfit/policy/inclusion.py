"""One pattern within one other: a quick test that is right whenever it says yes.

The inner pattern is written as a string in which its wildcards are symbols of their own; the outer one becomes a
regular expression whose runs take those symbols, and whose `?` takes no run. Where the inner pattern has no
wildcard the answer is exact; else a no means only "not by this pattern alone".
"""

from __future__ import annotations

import re
from functools import lru_cache

from trailfit.policy.pattern import ANY_ONE, ANY_RUN, SEGMENT_ONE, SEGMENT_RUN, Tokens, Variable

#: Private symbols (Unicode noncharacters and a private plane) that stand for the inner pattern's wildcards.
_SYMBOLS = {ANY_RUN: "\U000f0000", SEGMENT_RUN: "\U000f0001", ANY_ONE: "\U000f0002", SEGMENT_ONE: "\U000f0003"}
_FIRST_VARIABLE = 0xF0010
_LAST_VARIABLE = 0xFFFFD
_RUNS = _SYMBOLS[ANY_RUN] + _SYMBOLS[SEGMENT_RUN]
_VARIABLES = f"{chr(_FIRST_VARIABLE)}-{chr(_LAST_VARIABLE)}"
_OUTER = {
    ANY_RUN: ".*",
    SEGMENT_RUN: f"[^:{_SYMBOLS[ANY_RUN]}{_SYMBOLS[ANY_ONE]}{_VARIABLES}]*",
    ANY_ONE: f"[^{_RUNS}{_VARIABLES}]",
    SEGMENT_ONE: f"[^:{_RUNS}{_SYMBOLS[ANY_ONE]}{_VARIABLES}]",
}
_variables: dict[str, str] = {}


def _variable(token: str) -> str | None:
    """Give the symbol of a policy variable, always the same for the same one; None when there are no more symbols."""
    symbol = _variables.get(token)
    if symbol is None and len(_variables) <= _LAST_VARIABLE - _FIRST_VARIABLE:
        symbol = _variables[token] = chr(_FIRST_VARIABLE + len(_variables))
    return symbol


def _is_taken(pattern: Tokens) -> bool:
    """Tell whether the pattern itself holds a character that would be taken for a symbol."""
    return any(token >= _SYMBOLS[ANY_RUN] for token in pattern)


@lru_cache(maxsize=8192)
def _inner(pattern: Tokens) -> str | None:
    """Write the inner pattern with its symbols; None when it holds characters that are taken for symbols."""
    written = [_variable(token) if isinstance(token, Variable) else _SYMBOLS.get(token, token) for token in pattern]
    if None in written or _is_taken(pattern):
        return None
    return "".join(symbol for symbol in written if symbol)


@lru_cache(maxsize=8192)
def _outer(pattern: Tokens) -> re.Pattern[str] | None:
    """Compile the outer pattern; runs take the shortest stretch, atomically, as in `pattern.compiled`.

    None when it holds characters that are taken for symbols.
    """
    if _is_taken(pattern):
        return None
    pieces: list[str] = []
    run = ""
    fixed: list[str] = []
    for token in pattern:
        if token in (ANY_RUN, SEGMENT_RUN):
            pieces.append(f"(?>{run}?{''.join(fixed)})" if run else "".join(fixed))
            run, fixed = _OUTER[token], []
            continue
        symbol = _variable(token) if isinstance(token, Variable) else token
        if symbol is None:
            return None
        fixed.append(_OUTER.get(symbol) or re.escape(symbol))
    return re.compile("(?s:" + "".join(pieces) + run + "".join(fixed) + r")\Z")


def _begins(inner: Tokens, outer: Tokens) -> bool:
    """Tell whether the plain text that `outer` begins with is what `inner` begins with: a look before compiling."""
    for mine, wanted in zip(inner, outer, strict=False):
        if len(wanted) > 1:
            return True
        if mine != wanted:
            return False
    return True


def within(inner: Tokens, outer: Tokens) -> bool:
    """Tell whether every string of `inner` is one of `outer`; a no may be wrong when `inner` has wildcards.

    >>> within(("a", "<run>"), ("<run>",)), within(("<run>",), ("<one>",))
    (True, False)
    """
    if outer == (ANY_RUN,) or inner == outer:
        return True
    if not (_begins(inner, outer) and _begins(inner[::-1], outer[::-1])):
        return False
    written, wanted = _inner(inner), _outer(outer)
    return written is not None and wanted is not None and wanted.match(written) is not None
