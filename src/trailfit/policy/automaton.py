"""Many patterns run at once over the same string: the sets of them that a string can match, and such a string.

All patterns are one nondeterministic automaton whose state is one integer, a bit for each place in each pattern, so
that a step costs a few operations on integers however many patterns there are. Walking its reachable states breadth
first gives every set of patterns that some string matches exactly (a *minterm*), with a shortest such string.

Policy variables are symbols of the strings: a string with the symbol stands for all its instances. A pattern read
as `must` matches it when every instance matches; one read as `may`, when some instance might.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trailfit.policy.pattern import ANY_ONE, ANY_RUN, SEGMENT_ONE, SEGMENT_RUN, Tokens, Variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Characters tried, in this order, for "any character that no pattern names".
_FRESH = "xyzwvutsrqponmlkjihgfedcba0123456789XYZWVUTSRQPONMLKJIHGFEDCBA-_/.~!@%^&()=+"
#: States visited before a question is given up as too large.
STATE_LIMIT = 50_000


class TooLargeError(Exception):
    """The question has more states than the limit; the answer is then `undecided`. Never leaves this package."""


@dataclass(frozen=True, slots=True)
class Part:
    """One pattern of an automaton: `may` as in the module's text, `folded` when it ignores case."""

    pattern: Tokens
    may: bool = False
    folded: bool = False


class Automaton:
    """The patterns `parts[0]` (the subject), `parts[1]`, …; a walk visits only strings that the subject matches."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._advance: dict[str, int] = {}  # symbol → places left by reading it
        self._any_one = self._segment_one = self._any_run = self._segment_run = 0
        self._may_ranges: list[tuple[int, int]] = []  # (first bit, last bit) of the patterns read as `may`
        self.start = 0
        self.accept: list[int] = []
        bit = 0
        for part in parts:
            first = bit
            self.start |= 1 << first
            for token in part.pattern:
                bit += self._place(token, 1 << bit, part)
            self.accept.append(1 << bit)
            if part.may:
                self._may_ranges.append((first, bit))
            bit += 1
        self.subject = (self.accept[0] << 1) - 1
        self._symbols = self._alphabet()
        self._steps = {symbol: self._masks(symbol) for symbol in self._symbols}

    def _place(self, token: str, mask: int, part: Part) -> int:
        """Enter one token at the place `mask`; return 1 when it takes up the place, 0 for a run, which loops there."""
        if token == ANY_RUN or (part.may and isinstance(token, Variable)):
            self._any_run |= mask
            return 0
        if token == SEGMENT_RUN:
            self._segment_run |= mask
            return 0
        if token == ANY_ONE:
            self._any_one |= mask
        elif token == SEGMENT_ONE:
            self._segment_one |= mask
        else:
            for symbol in {token.lower(), token.upper()} if part.folded and len(token) == 1 else {token}:
                self._advance[symbol] = self._advance.get(symbol, 0) | mask
        return 1

    def _alphabet(self) -> list[str]:
        """List the symbols worth trying: those that patterns name, a colon, and one that no pattern names."""
        named = set(self._advance) | ({":"} if self._segment_run | self._segment_one else set())
        fresh = next((c for c in _FRESH if c not in named), None)
        if fresh is None:
            fresh = next(chr(code) for code in range(0x100, 0x10FFFF) if chr(code) not in named)
        return [fresh, *sorted(named)]

    def _masks(self, symbol: str) -> tuple[int, int]:
        """Give the places that reading `symbol` leaves, and those where it stays."""
        if isinstance(symbol, Variable):
            return self._advance[symbol], self._any_run
        advance = self._advance.get(symbol, 0) | self._any_one
        if symbol == ":":
            return advance, self._any_run
        return advance | self._segment_one, self._any_run | self._segment_run

    def step(self, state: int, symbol: str) -> int:
        """Read one symbol of the alphabet."""
        advance, stay = self._steps[symbol]
        after = ((state & advance) << 1) | (state & stay)
        if isinstance(symbol, Variable):
            for first, last in self._may_ranges:
                places = (state >> first) & ((1 << (last - first + 1)) - 1)
                if places:
                    lowest = (places & -places).bit_length() - 1
                    after |= ((1 << (last - first + 1)) - (1 << lowest)) << first
        return after

    def walk(self, limit: int = STATE_LIMIT) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Yield (accepting places, shortest string as symbols) for every state in which the subject accepts.

        Raises `TooLargeError` past `limit` states.
        """
        accepting = 0
        for mask in self.accept:
            accepting |= mask
        subject, subject_accepts = self.subject, self.accept[0]
        seen = {self.start}
        queue: deque[tuple[int, tuple[str, ...]]] = deque([(self.start, ())])
        while queue:
            state, text = queue.popleft()
            if state & subject_accepts:
                yield state & accepting, text
            for symbol in self._symbols:
                after = self.step(state, symbol)
                if after & subject and after not in seen:
                    if len(seen) >= limit:
                        raise TooLargeError
                    seen.add(after)
                    queue.append((after, (*text, symbol)))


def minterms(parts: Sequence[Part], limit: int = STATE_LIMIT) -> Iterator[tuple[frozenset[int], tuple[str, ...]]]:
    """Yield each set of `parts` (by number, the subject's 0 among them) that a string matches, with such a string.

    >>> [sorted(found) for found, _ in minterms([Part(("<run>",)), Part(("a",))])]
    [[0], [0, 1]]
    """
    automaton = Automaton(parts)
    seen: set[int] = set()
    for accepted, text in automaton.walk(limit):
        if accepted not in seen:
            seen.add(accepted)
            yield frozenset(n for n, mask in enumerate(automaton.accept) if accepted & mask), text


def outside(subject: Tokens, others: Sequence[Tokens], limit: int = STATE_LIMIT) -> str | None:
    """Give a shortest string that `subject` matches and none of `others` does; None is the proof that there is none.

    >>> outside(("a", "<run>"), [("a",), ("a", "<one>", "<run>")]) is None
    True
    """
    automaton = Automaton([Part(subject), *(Part(each) for each in others)])
    for accepted, text in automaton.walk(limit):
        if accepted == automaton.accept[0]:
            return "".join(text)
    return None


def overlap(one: Tokens, other: Tokens) -> bool:
    """Tell whether some string may match both (a variable may be any string)."""
    if not _prefixes_agree(one, other):
        return False
    automaton = Automaton([Part(one, may=True), Part(other, may=True)])
    both = automaton.accept[0] | automaton.accept[1]
    rest = ~automaton.subject
    seen = {automaton.start}
    stack = [automaton.start]
    while stack:
        state = stack.pop()
        if state & both == both:
            return True
        for symbol in automaton._symbols:
            after = automaton.step(state, symbol)
            if after & automaton.subject and after & rest and after not in seen:
                seen.add(after)
                stack.append(after)
    return False


def _prefixes_agree(one: Tokens, other: Tokens) -> bool:
    """Compare the literal beginnings, and the literal ends: a quick way to see that two patterns never meet."""
    for pairs in (zip(one, other, strict=False), zip(reversed(one), reversed(other), strict=False)):
        for left, right in pairs:
            if len(left) > 1 or len(right) > 1:
                break
            if left != right:
                return False
    return True
