"""The automaton's own promises: what a walk reads, what it costs, and what the quick looks see."""

import pytest

from tests.policy.conftest import policy, statement
from trailfit.policy import automaton, inclusion, pattern
from trailfit.policy.automaton import Automaton, Budget, Part, TooLargeError
from trailfit.policy.grant import EVERYTHING, PatternSet
from trailfit.policy.pattern import ANY_ONE, ANY_RUN, SEGMENT_ONE, SEGMENT_RUN, Variable

NAME, OTHER = Variable("aws:username"), Variable("aws:userid", "Ann")


def steps(*patterns):
    """The steps that a walk of these patterns takes."""
    budget = Budget(10**6)
    list(automaton.minterms([Part(each) for each in patterns], budget))
    return 10**6 - budget.left


def test_step_is_one_symbol_read_in_one_state():
    assert steps((ANY_RUN,)) == 1
    assert steps(("a",)) == 2 * 2
    assert steps(("a", "b")) == 3 * 3
    assert steps((ANY_ONE,), ("a",)) == 3 * 2


def test_step_costs_more_where_patterns_are_long():
    assert steps(("a",) * 1998) == 1999 * 2
    assert steps(("a",) * 2000) == 2001 * 2 * 2
    assert steps(("a",) * 4000) == 4001 * 2 * 3


def test_budget_is_spent_to_the_last_step():
    budget = Budget(4)
    list(automaton.minterms([Part(("a",))], budget))
    assert budget.left == 0
    with pytest.raises(TooLargeError):
        budget.spend(1)


def test_only_symbols_that_lead_elsewhere_are_read():
    machine = Automaton([Part((ANY_RUN,)), Part(("a", "b"))])

    assert [symbol for symbol, _ in machine.after(machine.start)] == ["x", "a"]
    machine = Automaton([Part((SEGMENT_RUN, "a"))])
    assert [symbol for symbol, _ in machine.after(machine.start)] == ["x", ":", "a"]


def test_variable_at_the_beginning_may_be_the_beginning_of_another():
    parts = [Part((NAME, "x")), Part(("a", "b", "x"), may=True), Part(("x",), may=True), Part(("a", "b"), may=True)]
    assert [found for found, _ in automaton.minterms(parts, Budget(1000))] == [frozenset({0, 1, 2})]


@pytest.mark.parametrize(
    ("alone", "text"), [((NAME,), NAME), ((ANY_ONE,), "x"), ((SEGMENT_ONE,), "x"), ((":",), ":"), (("a",), "a")]
)
def test_pattern_alone_is_walked_from_its_first_place(alone, text):
    assert list(automaton.minterms([Part(alone)], Budget(100))) == [(frozenset({0}), (text,))]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (("a", "b"), ("a", "c"), False), (("a", ANY_RUN), ("b", ANY_RUN), False), ((ANY_RUN, "a"), (ANY_RUN, "b"), False),
        (("a", ANY_ONE), ("a", "b"), True), (("a", "b"), ("a", ANY_ONE), True), ((NAME, "a"), ("b", "a"), True), ((), ("a",), True),
        (("a", ANY_ONE, "c"), ("a", "b", "d"), False), (("a", "c", "e"), ("a", ANY_ONE, "d"), False),
    ],
)  # fmt: skip
def test_literal_beginnings_and_ends_are_compared_up_to_the_first_wildcard(one, other, expected):
    assert automaton._prefixes_agree(one, other) is expected
    assert automaton._prefixes_agree(other, one) is expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((NAME, "a"), ("b", "a"), True), (("b", "a"), (NAME, "a"), True), (("a", NAME, "a"), ("a", OTHER, "a"), True),
        ((NAME,), (OTHER, "a"), True), (("a", NAME, "b"), ("a", "c"), False), ((ANY_ONE,), (ANY_ONE, ANY_ONE), False),
        (("a", ANY_RUN), ("a", "b"), True), ((SEGMENT_RUN, "a"), (":", ANY_RUN), False), ((SEGMENT_ONE,), (":",), False), ((SEGMENT_ONE,), ("a",), True),
        (("a", ANY_RUN, "b"), ("a", "b"), True), (("a", ANY_RUN, "b"), ("a",), False),
    ],
)  # fmt: skip
def test_patterns_overlap_where_a_string_could_match_both(one, other, expected):
    assert automaton.overlap(one, other) is expected
    assert automaton.overlap(other, one) is expected


def test_folding_leaves_wildcards_and_variables_as_they_are():
    folded = pattern.fold(("A", "b", ANY_RUN, SEGMENT_ONE, OTHER))

    assert folded == ("a", "b", ANY_RUN, SEGMENT_ONE, OTHER)
    assert isinstance(folded[-1], Variable)


# --- one pattern within another ---------------------------------------------------------------------------


def test_pattern_is_within_itself_and_within_all_whatever_its_characters():
    for inner in ((), ("a", ANY_ONE), ("\U000f0000",), ("\U000f0011", ANY_RUN, NAME)):
        assert inclusion.within(inner, inner)
        assert inclusion.within(inner, (ANY_RUN,))


def test_private_characters_on_either_side_are_never_taken_for_symbols():
    for character in (*inclusion._SYMBOLS.values(), "\U000f0010", "\U000f0500"):
        outer = (ANY_RUN, character, ANY_RUN)
        for wildcard in (ANY_RUN, SEGMENT_RUN, ANY_ONE, SEGMENT_ONE, NAME, OTHER):
            assert not inclusion.within(("a", wildcard, "a"), outer)
        assert not inclusion.within(("a", "b", "a"), outer)


@pytest.fixture
def symbols(monkeypatch):
    """The symbols of variables given so far: none."""
    given: dict[str, str] = {}
    monkeypatch.setattr(inclusion, "_variables", given)
    for remembered in (inclusion._inner, inclusion._outer):
        remembered.cache_clear()
    yield given
    for remembered in (inclusion._inner, inclusion._outer):
        remembered.cache_clear()


def test_each_variable_has_a_symbol_of_its_own(symbols):
    names = [Variable(f"aws:name{number}") for number in range(40)]

    for name in names:
        assert inclusion.within(("a", name), ("a", name, ANY_RUN))
        assert not any(inclusion.within(("a", name), ("a", one)) for one in (ANY_ONE, SEGMENT_ONE, SEGMENT_RUN))
    found = list(symbols.values())
    assert found == sorted(set(found))
    assert found[0] == chr(inclusion._FIRST_VARIABLE)
    assert max(inclusion._SYMBOLS.values()) < found[0]
    assert found[-1] < chr(inclusion._LAST_VARIABLE)


# --- sets of patterns -------------------------------------------------------------------------------------


def of(*texts, negated=False, colons=1):
    return PatternSet((pattern.tokens(text) for text in texts), negated, colons)


#: one set, another, whether the first plainly covers the second, whether they may meet.
SETS = [
    (of("*"), of("a:*"), True, True), (of("*"), of("a:*", negated=True), True, True), (of("*"), of("*"), True, True), (of("a:*"), of("*"), False, True),
    (of("a:*", "b:*"), of("b:x", "a:y"), True, True), (of("a:*", "b:*"), of("b:x", "c:y"), False, True), (of("a:*"), of("b:*"), False, False),
    (of("a:*", "b:*"), of("a:*", "b:*"), True, True), (of("a:*"), of("a:*", negated=True), False, False), (of("a:*", negated=True), of("a:*"), False, False),
    (of("a:*", negated=True), of("a:*", negated=True), True, True), (of("a:*", negated=True), of("b:*", "c:*"), True, True),
    (of("a:*", negated=True), of("a:x"), False, False), (of("a:*", negated=True), of("a:x", "b:x"), False, True),
    (of("a:x", negated=True), of("a:*", negated=True), True, True), (of("a:*", negated=True), of("a:x", negated=True), False, True),
    (of("a:x", "b:x", negated=True), of("*:x", negated=True), True, True), (of("*", negated=True), of("a:x"), False, False),
    (of("a:*x"), of("a:?x"), True, True), (of("?:x"), of("a:x"), True, True), (of("a:x"), of("?:x"), False, True), (of("a*:x"), of("ab:x"), True, True),
    (of(), of("a:x"), False, False), (of("a:x"), of(), True, False), (of("*", "a:*"), of("b:*", negated=True), True, True),
    (of("*", negated=True), of("a:*", negated=True), False, True), (of("a:*"), of("*", negated=True), False, False),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other", "covers", "meets"), SETS)
def test_sets_cover_and_meet(one, other, covers, meets):
    assert one.covers_set(other) is covers
    assert one.may_meet(other) is meets
    assert other.may_meet(one) is meets


def test_only_a_set_that_holds_the_lone_wildcard_is_everything():
    assert of("a:*", "*").everything
    assert not of("a:*").everything
    assert not of("*", negated=True).everything


def test_only_patterns_of_the_same_beginning_are_looked_at():
    actions = of("s3:get*", "s3:put*", "sqs:*", "*", "s?:x", "iam:*")
    arns = of("arn:aws:s3:::a", "arn:aws:s3:r::b", "arn:aws:sqs:r:1:q", "arn:aws:*:::x", "*", colons=3)

    def near(patterns, text):
        return ["".join("*" if token == ANY_RUN else "?" if token == ANY_ONE else token for token in each)
                for each in patterns._near(pattern.tokens(text))]  # fmt: skip

    assert near(actions, "s3:getobject") == ["s3:get*", "s3:put*", "*", "s?:x"]
    assert near(actions, "ec2:x") == ["*", "s?:x"]
    assert near(actions, "s*:x") == ["s3:get*", "s3:put*", "sqs:*", "*", "s?:x", "iam:*"]
    assert near(arns, "arn:aws:s3:::z") == ["arn:aws:s3:::a", "arn:aws:s3:r::b", "arn:aws:*:::x", "*"]
    for shorter in ("arn:aws:s3", "*", "arn:*:s3:::z"):
        assert len(near(arns, shorter)) == 5


def test_patterns_that_meet_are_listed():
    assert of("a:x", "a:*", "b:*").meeting(pattern.tokens("a:x")) == [pattern.tokens("a:x"), pattern.tokens("a:*")]
    assert of("*", "b:*").meeting(pattern.tokens("a:x")) == [EVERYTHING]


def test_statement_looks_at_actions_of_the_same_service_and_arns_of_the_same_service():
    rule = policy(
        statement(["s3:Get*", "sqs:Send*", "*"], ["arn:aws:s3:::a", "arn:aws:sqs:r:1:q", "arn:aws:s3:r:1:b"])
    ).rules[0]

    assert [each[0] for each in rule.actions._near(pattern.tokens("s3:putobject"))] == ["s", ANY_RUN]
    assert len(rule.resources._near(pattern.arn(pattern.tokens("arn:aws:s3:::x")))) == 2
    assert len(rule.resources._near(pattern.arn(pattern.tokens("arn:aws:sqs:::x")))) == 1
