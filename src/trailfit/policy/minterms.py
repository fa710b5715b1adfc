"""The exact step of containment: the cases that differ in which statements they match, until one is open.

A case is an action, a resource, a principal and a context that the new documents allow and the old do not. A case
found is a fact about the statements' patterns and conditions as `automaton` and `values` read them; `witness`
puts it to the law.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from trailfit.policy import condition, principal
from trailfit.policy.automaton import Budget, Part, minterms
from trailfit.policy.grant import EVERYTHING, PatternSet, Rule, Rules
from trailfit.policy.pattern import ANY_ONE, ANY_RUN, SEGMENT_RUN, Tokens, Variable
from trailfit.policy.satisfy import Clause, Context, Search
from trailfit.policy.values import order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from trailfit.policy.condition import Condition

#: Every action is a service, a colon and a name; every resource an ARN, or `*` where an action has no resources.
ANY_ACTION: Tokens = (ANY_ONE, ANY_RUN, ":", ANY_ONE, ANY_RUN)
ANY_ARN: Tokens = ("a", "r", "n", ":", *(SEGMENT_RUN, ":") * 4, ANY_RUN)
NO_RESOURCE: Tokens = ("*",)
#: Values tried for a policy variable, beside those that the case itself suggests.
_WORDS_LIMIT = 20
#: Steps that one question may take; about a second.
STEPS_LIMIT = 6_000_000
#: What it takes to compare two rules or patterns by plain look, in steps of an automaton.
_PRICE = 20


@dataclass(frozen=True, slots=True)
class Case:
    """An open case. `action` and `resource` are strings of symbols (a policy variable is one symbol).

    `rival` is the old statement nearest to allowing it, if there is one.
    """

    rule: Rule
    action: tuple[str, ...]
    resource: tuple[str, ...]
    resource_pattern: Tokens
    principal: str | None
    context: Context
    rival: Rule | None
    question: Question


class Question:
    """New, old and boundary rules, less what plainly needs no look."""

    def __init__(self, new: Rules, old: Rules, boundary: Rules | None) -> None:
        self.new = new
        self.old_allows = old.allows
        # A Deny of the old documents that the new (or the boundary) still have takes nothing new away.
        kept = (*new.denies, *(boundary.denies if boundary else ()))
        self.lost_denies = tuple(deny for deny in old.denies if not any(plainly_within(deny, each) for each in kept))
        self.boundary = boundary
        self.budget = Budget(STEPS_LIMIT)

    @cached_property
    def everyone(self) -> tuple[Rule, ...]:
        """List all rules that bear on the answer."""
        limits = (*self.boundary.allows, *self.boundary.denies) if self.boundary else ()
        return (*self.new.allows, *self.new.denies, *self.old_allows, *self.lost_denies, *limits)

    @cached_property
    def multivalued(self) -> frozenset[str]:
        """List the keys that may have several values: those that some condition reads with a set operator."""
        return frozenset(each.key.lower() for rule in self.everyone for each in rule.conditions if each.qualifier)

    @cached_property
    def variables(self) -> tuple[Variable, ...]:
        """List the policy variables in resources and in values of conditions, one of each key."""
        patterns = (
            each
            for rule in self.everyone
            for each in (*rule.resources.patterns, *(value for one in rule.conditions for value in one.patterns))
        )
        found = (token for each in patterns for token in each if isinstance(token, Variable))
        return tuple({token.key.lower(): token for token in sorted(found)}.values())

    @cached_property
    def words(self) -> tuple[str, ...]:
        """List the plain ends of the statements' resources: values that a policy variable could have."""
        ends = (
            each.replace("/", ":").rpartition(":")[2]
            for rule in self.everyone
            for each in rule.statement.resources or ()
        )
        return tuple(dict.fromkeys(end for end in ends if end and not set(end) & set("*?$")))[:_WORDS_LIMIT]

    @cached_property
    def spellings(self) -> tuple[str, ...]:
        """List the actions as the statements write them, up to their first wildcard, the longest first."""
        plain = {each.replace("?", "*").partition("*")[0] for rule in self.everyone for each in rule.statement.actions}
        return tuple(sorted(plain, key=lambda each: (-len(each), each)))

    @cached_property
    def principals(self) -> tuple[str | None, ...]:
        """List principals that differ in which statements name them; one nameless where no statement names any."""
        return principal.candidates(each for rule in self.everyone for each in rule.principals or ())

    def open_rules(self) -> Iterator[Rule]:
        """Yield the new Allow rules that are not plainly within an old one."""
        for rule in self.new.allows:
            lost = any(_may_meet(rule, deny) for deny in self.lost_denies)
            if lost or not any(plainly_within(rule, each) for each in self.old_allows):
                yield rule

    def rival(self, rule: Rule) -> Rule | None:
        """Name the old statement that is likeliest to be compared with `rule`."""
        near = (each for each in (*self.old_allows, *self.lost_denies) if _may_meet(rule, each))
        return next(near, None)


def implies(inner: Rule, outer: Rule) -> bool:
    """Tell whether the conditions of `inner` plainly imply those of `outer`: all of these are among those."""
    return all(any(_implied(other, each) for other in inner.conditions) for each in outer.conditions)


def _implied(stronger: Condition, weaker: Condition) -> bool:
    """Tell whether a condition plainly implies another: the same operator on the same key with other values."""
    if (stronger.operator, stronger.qualifier, stronger.key.lower()) != (
        weaker.operator, weaker.qualifier, weaker.key.lower(),
    ):  # fmt: skip
        return False
    if (stronger.if_exists and not weaker.if_exists) or stronger.variables != weaker.variables:
        return False
    small, large = (weaker, stronger) if stronger.operator.negated else (stronger, weaker)
    return set(small.values) <= set(large.values)


def plainly_within(inner: Rule, outer: Rule) -> bool:
    """Tell whether all that `inner` is about is plainly what `outer` is about; a no may be wrong."""
    return (
        implies(inner, outer)
        and (outer.principals is None or _same_principals(inner, outer))
        and outer.actions.covers_set(inner.actions)
        and outer.resources.covers_set(inner.resources)
    )


def _same_principals(inner: Rule, outer: Rule) -> bool:
    return inner.principals == outer.principals and inner.statement.not_principal == outer.statement.not_principal


def _may_meet(one: Rule, other: Rule) -> bool:
    return one.actions.may_meet(other.actions) and one.resources.may_meet(other.resources)


# --- the cases of one rule --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Side:
    """A rule and how it must be read for the proof to be sound: `widened` when its matching speaks against the proof.

    A policy variable is then taken to match whatever it could; else only what it matches for certain.
    """

    rule: Rule
    widened: bool


def open_cases(question: Question, rule: Rule) -> Iterator[Case]:
    """Yield the cases in which `rule` allows what the old documents do not.

    Raises `TooLargeError` when there are too many to tell apart.
    """
    return _Cases(question, rule).actions()


class _Cases:
    """Walks action, resource, principal and conditions of one new Allow rule."""

    def __init__(self, question: Question, rule: Rule) -> None:
        self.question = question
        self.rule = rule
        boundary = question.boundary
        helping = (*question.old_allows, *question.new.denies, *(boundary.denies if boundary else ()))
        hurting = (*question.lost_denies, *(boundary.allows if boundary else ()))
        self.sides = [*(_Side(each, False) for each in helping), *(_Side(each, True) for each in hurting)]
        self.seen: set[frozenset[Rule]] = set()
        self.settled: set[tuple[frozenset[Rule], tuple[Variable, ...]]] = set()

    def actions(self) -> Iterator[Case]:
        patterns = (ANY_ACTION,) if self.rule.actions.negated else self.rule.actions.patterns
        for wanted in patterns:
            subject = _as_action(wanted)
            if self.plainly_closed(subject):
                continue
            for live, text in self.split(subject, self.sides, lambda rule: rule.actions):
                key = frozenset(side.rule for side in live)
                if key not in self.seen:
                    self.seen.add(key)
                    yield from self.resources(live, text)

    def plainly_closed(self, subject: Tokens) -> bool:
        """Tell whether old Allow rules plainly cover the action on every resource of the rule, and no Deny was lost."""
        if self.rule.resources.negated or any(
            each.actions.negated or each.actions.meeting(subject) for each in self.question.lost_denies
        ):
            return False
        near = [
            each for each in self.question.old_allows
            if implies(self.rule, each)
            and (each.principals is None or _same_principals(self.rule, each))
            and each.actions.covers(subject)
        ]  # fmt: skip
        return all(any(each.resources.covers(wanted) for each in near) for wanted in self.rule.resources.patterns)

    def resources(self, live: Sequence[_Side], action: tuple[str, ...]) -> Iterator[Case]:
        mine = self.rule.resources
        for wanted in (EVERYTHING,) if mine.negated else mine.patterns:
            for subject in (NO_RESOURCE, ANY_ARN) if wanted == EVERYTHING else (wanted,):
                for there, text in self.split(subject, live, lambda rule: rule.resources):
                    yield from self.principals(there, action, text, wanted)

    def principals(
        self, live: Sequence[_Side], action: tuple[str, ...], resource: tuple[str, ...], wanted: Tokens
    ) -> Iterator[Case]:
        # A resource with a policy variable in it is there only where the variable has a value.
        bound = tuple(each for each in resource if isinstance(each, Variable) and each.default is None)
        for who in self.question.principals:
            if not principal.match(self.rule.statement, who).value:
                continue
            here = frozenset(side.rule for side in live if principal.match(side.rule.statement, who).value)
            if (here, bound) in self.settled:
                continue
            self.settled.add((here, bound))
            context = self.context(here, bound)
            if context is not None:
                rival = next((each for each in self.sides if each.rule in here), None)
                nearest = rival.rule if rival else self.question.rival(self.rule)
                yield Case(
                    self.rule, action, resource, wanted, who, context, nearest, self.question
                )  # fmt: skip

    def context(self, live: frozenset[Rule], bound: tuple[Variable, ...]) -> Context | None:
        """Find a context in which the rule and the boundary allow, no new Deny applies, and the old do not allow."""
        question = self.question
        present = (condition.read("Null", each.key, ("false",)) for each in bound)
        base: list[Clause] = [_all_hold(self.rule), *((frozenset({(each, True)}),) for each in present if each)]
        base += [_fails(each) for each in question.new.denies if each in live]
        if question.boundary:
            base.append(
                tuple(option for each in question.boundary.allows if each in live for option in _all_hold(each))
            )
            base += [_fails(each) for each in question.boundary.denies if each in live]
        allows = [each for each in question.old_allows if each in live]
        lost = tuple(option for each in question.lost_denies if each in live for option in _all_hold(each))
        if not any(implies(self.rule, each) for each in allows):
            found = Search(question.multivalued, question.budget).solve([*base, *(_fails(each) for each in allows)])
            if found is not None:
                return found
        return Search(question.multivalued, question.budget).solve([*base, lost])

    def split(
        self, subject: Tokens, sides: Sequence[_Side], of: Callable[[Rule], PatternSet]
    ) -> Iterator[tuple[list[_Side], tuple[str, ...]]]:
        """Yield the sides that match together some string of `subject`, with such a string, each group once."""
        self.question.budget.spend(_PRICE * len(sides))
        always: list[_Side] = []
        varying: list[tuple[_Side, list[Tokens]]] = []
        for side in sides:
            patterns = of(side.rule)
            meeting = patterns.meeting(subject)
            if patterns.covers(subject):
                always.append(side)
            elif meeting:
                varying.append((side, meeting))
        mine = of(self.rule)
        own = mine.meeting(subject) if mine.negated else []
        if own:
            varying.append((_Side(self.rule, True), own))
        parts: dict[Part, int] = {Part(subject): 0}
        groups = [
            (side, frozenset(parts.setdefault(Part(each, may=side.widened != of(side.rule).negated), len(parts))
                             for each in patterns))
            for side, patterns in varying
        ]  # fmt: skip
        for accepted, text in minterms(list(parts), self.question.budget):
            self.question.budget.spend(_PRICE * (1 + len(groups)))
            live = [side for side, numbers in groups if bool(numbers & accepted) != of(side.rule).negated]
            if own and not (live and live[-1].rule is self.rule):
                continue
            yield [*always, *(side for side in live if side.rule is not self.rule)], text


def _as_action(wanted: Tokens) -> Tokens:
    """Narrow a pattern to strings that are actions: neither service nor name is empty."""
    if wanted == EVERYTHING:
        return ANY_ACTION
    if wanted[:2] == (ANY_RUN, ":"):
        wanted = (ANY_ONE, *wanted)
    return (*wanted[:-1], ANY_ONE, ANY_RUN) if wanted[-2:] == (":", ANY_RUN) else wanted


def _all_hold(rule: Rule) -> Clause:
    return (frozenset((each, True) for each in rule.conditions),)


def _fails(rule: Rule) -> Clause:
    return tuple(frozenset({(each, False)}) for each in sorted(rule.conditions, key=order))
