"""Many patterns run at once over the same string: the sets of them that a string can match, and such a string.

All patterns are one nondeterministic automaton whose state is one integer, a bit for each place in each pattern, so
that a step costs a few operations on integers however many patterns there are. Walking its reachable states breadth
first gives every set of patterns that some string matches exactly (a *minterm*), with a shortest such string.

Policy variables are symbols of the strings: a string with the symbol stands for all its instances. A pattern read
as `must` matches it when every instance matches; one read as `may`, when some instance might.
"""

from __future__ import annotations

import itertools
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trailfit.policy.pattern import ANY_ONE, ANY_RUN, COLON, SEGMENT_ONE, SEGMENT_RUN, Tokens, Variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

#: Characters tried, in this order, for "any character that no pattern names".
_FRESH = "xyzwvutsrqponmlkjihgfedcba0123456789XYZWVUTSRQPONMLKJIHGFEDCBA-_/.~!@%^&()=+"
#: Places up to which reading a symbol takes one step.
_PLACES_LIMIT = 2000


class TooLargeError(Exception):
    """The question takes more steps than there are; the answer is then `undecided`. Never leaves this package."""


class Budget:
    """The steps left for one question: counted, not timed, so that equal questions have equal answers anywhere.

    A step is about the work of reading one symbol in one state of an automaton.
    """

    def __init__(self, steps: int) -> None:
        self.left = steps

    def spend(self, steps: int) -> None:
        """Take steps; raise `TooLargeError` when there are no more."""
        self.left -= steps
        if self.left < 0:
            raise TooLargeError


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
        self.symbols = self._alphabet()
        self._steps = [self._step(symbol) for symbol in self.symbols]
        self._number = {mask: number for number, mask in enumerate(self.accept)}

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
            for symbol in {token.lower(), token.upper()} if part.folded else {token}:
                self._advance[symbol] = self._advance.get(symbol, 0) | mask
        return 1

    def _alphabet(self) -> list[str]:
        """List the symbols worth trying: those that patterns name, a colon, and one that no pattern names."""
        named = set(self._advance) | ({":"} if self._segment_run | self._segment_one else set())
        fresh = (c for c in itertools.chain(_FRESH, map(chr, itertools.count(ord("\xa1")))) if c not in named)
        return [next(fresh), *sorted(named)]

    def _step(self, symbol: str) -> tuple[str, int, int, int]:
        """Give (symbol, places where it does other than a symbol that no pattern names, places left, places kept)."""
        named = self._advance.get(symbol, 0)
        if isinstance(symbol, Variable):
            return symbol, -1, named, self._any_run
        advance = named | self._any_one
        if symbol == COLON:
            return symbol, named | self._segment_one | self._segment_run, advance, self._any_run
        fresh = symbol == self.symbols[0]
        return symbol, -1 if fresh else named, advance | self._segment_one, self._any_run | self._segment_run

    def after(self, state: int) -> Iterator[tuple[str, int]]:
        """Yield (symbol, state) for each symbol that leads elsewhere than the first, which no pattern names."""
        for symbol, other, advance, stay in self._steps:
            if state & other:
                after = ((state & advance) << 1) | (state & stay)
                if isinstance(symbol, Variable):
                    after |= self._anywhere(state)
                yield symbol, after

    def _anywhere(self, state: int) -> int:
        """Let each pattern read as `may` take any string for a variable: all of its places from the first on."""
        reached = 0
        for first, last in self._may_ranges:
            places = (state >> first) & ((1 << (last - first + 1)) - 1)
            if places:
                lowest = (places & -places).bit_length() - 1
                reached |= ((1 << (last - first + 1)) - (1 << lowest)) << first
        return reached

    def walk(self, budget: Budget) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Yield (accepting places, shortest string as symbols) for each set of them in which the subject accepts.

        Raises `TooLargeError` when the budget is spent.
        """
        accepting = sum(self.accept)
        subject, subject_accepts = self.subject, self.accept[0]
        # Integers of many places take longer to read.
        price = len(self._steps) * (1 + self.accept[-1].bit_length() // _PLACES_LIMIT)
        came: dict[int, tuple[int, str] | None] = {self.start: None}
        queue = deque([self.start])
        found: set[int] = set()
        while queue:
            state = queue.popleft()
            accepted = state & accepting
            if state & subject_accepts and accepted not in found:
                found.add(accepted)
                yield accepted, _text(came, state)
            budget.spend(price)
            for symbol, after in self.after(state):
                if after & subject and after not in came:
                    came[after] = (state, symbol)
                    queue.append(after)

    def numbers(self, accepted: int) -> frozenset[int]:
        """Give the numbers of the patterns whose accepting places these are."""
        found: list[int] = []
        while accepted:
            lowest = accepted & -accepted
            found.append(self._number[lowest])
            accepted ^= lowest
        return frozenset(found)


def _text(came: Mapping[int, tuple[int, str] | None], state: int) -> tuple[str, ...]:
    """Follow the way back to the start."""
    symbols: list[str] = []
    while step := came[state]:
        state, symbol = step
        symbols.append(symbol)
    return tuple(reversed(symbols))


def minterms(parts: Sequence[Part], budget: Budget) -> Iterator[tuple[frozenset[int], tuple[str, ...]]]:
    """Yield each set of `parts` (by number, the subject's 0 among them) that a string matches, with such a string.

    >>> [sorted(found) for found, _ in minterms([Part(("<run>",)), Part(("a",))], Budget(100))]
    [[0], [0, 1]]
    """
    automaton = Automaton(parts)
    for accepted, text in automaton.walk(budget):
        yield automaton.numbers(accepted), text


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
        for _, after in automaton.after(state):
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
