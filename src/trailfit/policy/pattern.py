"""The glob patterns of IAM: `*`, `?`, ARN segments, and policy variables, as one small language of tokens.

A pattern is a tuple of tokens. A token of one character is that character; the others are named below. With this
one language, a single matcher (here) and a single automaton (`automaton`) serve actions, resources, principals
and condition values.

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html (wildcards),
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html (variables).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

Tokens = tuple[str, ...]

COLON = ":"

#: `*`: any run of characters, the empty one included; `?`: exactly one character.
ANY_RUN = "<run>"
ANY_ONE = "<one>"
#: The same inside one of the first five segments of an ARN, where they do not match a colon.
SEGMENT_RUN = "<segment-run>"
SEGMENT_ONE = "<segment-one>"

#: `${key}` or `${key, 'default'}`; `${*}`, `${?}` and `${$}` stand for the character itself.
_VARIABLE = re.compile(r"\$\{(?:(?P<literal>[*?$])|(?P<key>[^${}',]+?)\s*(?:,\s*'(?P<default>[^']*)')?)\}")
_WILDCARDS = {"*": ANY_RUN, "?": ANY_ONE}
_WITHIN_SEGMENT = {ANY_RUN: SEGMENT_RUN, ANY_ONE: SEGMENT_ONE}
_ARN_SEGMENTS = 6


class Variable(str):
    """The token of a policy variable whose value is not known here; equal only to the same variable."""

    __slots__ = ("default", "key")
    key: str
    default: str | None

    def __new__(cls, key: str, default: str | None = None) -> Variable:
        """Make the token of `key` (case-insensitive) with its default."""
        token = super().__new__(cls, f"${{{key.lower()}}}" if default is None else f"${{{key.lower()}, '{default}'}}")
        token.key = key
        token.default = default
        return token


def tokens(text: str, *, wildcards: bool = True, variables: bool = True) -> Tokens:
    """Read `text` as a pattern.

    `variables` is False for documents of Version 2008-10-17, where `${aws:username}` is plain text
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html).

    >>> tokens("a*${*}")
    ('a', '<run>', '*')
    """
    found: list[str] = []
    at = 0
    if variables and "${" in text:
        for match in _VARIABLE.finditer(text):
            found.extend(_plain(text[at : match.start()], wildcards))
            if match["literal"]:
                found.append(match["literal"])
            else:
                found.append(Variable(match["key"].strip(), match["default"]))
            at = match.end()
    found.extend(_plain(text[at:], wildcards))
    return tuple(found)


def _plain(text: str, wildcards: bool) -> list[str]:
    return [_WILDCARDS.get(c, c) for c in text] if wildcards else list(text)


def has_variables(pattern: Tokens) -> bool:
    """Tell whether a policy variable is left in the pattern."""
    return any(isinstance(token, Variable) for token in pattern)


def resolve(pattern: Tokens, value_of: Callable[[Variable], str | None]) -> Tokens | None:
    """Put the values of variables in their place; None when one has no value, for then nothing matches.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-no-value
    """
    resolved: list[str] = []
    for token in pattern:
        if isinstance(token, Variable):
            value = value_of(token)
            if value is None:
                return None
            resolved.extend(value)
        else:
            resolved.append(token)
    return tuple(resolved)


def arn(pattern: Tokens, *, complete: bool = True) -> Tokens | None:
    """Read a pattern as an ARN's: wildcards of the first five segments do not match a colon.

    A lone `*` is every resource. A pattern with fewer than six segments is completed with `*` when
    `complete` (IAM does so in identity-based policies), else it is no ARN and None. None also where a
    variable stands before the fifth colon, for there IAM does not put its value:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-resourceelement

    >>> arn(tokens("a:*:c"))[2]
    '<segment-run>'
    """
    if pattern and all(token == ANY_RUN for token in pattern):
        return (ANY_RUN,)
    read: list[str] = []
    segment = 1
    for at, token in enumerate(pattern):
        if segment == _ARN_SEGMENTS:
            return tuple(read) + pattern[at:]
        if isinstance(token, Variable):
            return None
        segment += token == COLON
        read.append(_WITHIN_SEGMENT.get(token, token))
    if segment < _ARN_SEGMENTS:
        if not complete:
            return None
        for number in range(segment + 1, _ARN_SEGMENTS + 1):
            read += [":", ANY_RUN if number == _ARN_SEGMENTS else SEGMENT_RUN]
    return tuple(read)


def fold(pattern: Tokens) -> Tokens:
    """Put the pattern's characters in lower case (actions and IgnoreCase operators ignore case)."""
    return tuple(token.lower() if len(token) == 1 else token for token in pattern)


def matches(pattern: Tokens, text: str) -> bool:
    """Tell whether `text` is one of the strings that the pattern (without variables) stands for.

    >>> matches(tokens("b*/?"), "bucket/k")
    True
    """
    return compiled(pattern).match(text) is not None


@lru_cache(maxsize=8192)
def compiled(pattern: Tokens) -> re.Pattern[str]:
    """Compile the pattern into a regular expression that never backtracks over more than one run.

    Every run but the last takes the shortest stretch up to the fixed text after it, atomically: a longer stretch
    could only leave less for what follows.
    """
    pieces: list[str] = []
    run = ""  # the expression of the run before the fixed text now being read
    fixed: list[str] = []
    for token in _collapsed(pattern):
        if token in (ANY_RUN, SEGMENT_RUN):
            pieces.append(f"(?>{run}?{''.join(fixed)})" if run else "".join(fixed))
            run, fixed = (".*" if token == ANY_RUN else "[^:]*"), []
        elif token in (ANY_ONE, SEGMENT_ONE):
            fixed.append("." if token == ANY_ONE else "[^:]")
        else:
            fixed.append(re.escape(token))
    pieces.append(run + "".join(fixed))
    return re.compile("(?s:" + "".join(pieces) + r")\Z")


def _collapsed(pattern: Tokens) -> Tokens:
    """Make one run of several that follow each other."""
    return tuple(
        token
        for at, token in enumerate(pattern)
        if not (at and token == pattern[at - 1] and token in (ANY_RUN, SEGMENT_RUN))
    )
