"""Pattern algebra held against its definition: on every small pattern, and on random ones."""

import itertools
import json
import random

import pytest

from trailfit.policy import automaton, inclusion, pattern
from trailfit.policy.automaton import Automaton, Budget, Part, TooLargeError
from trailfit.policy.grant import PatternSet, overlap
from trailfit.policy.pattern import ANY_ONE, ANY_RUN, SEGMENT_ONE, SEGMENT_RUN, Variable

SYMBOLS = ("a", "b", ANY_RUN, ANY_ONE)
#: Long enough to tell all patterns of three tokens apart; those of four need two letters more.
STRINGS = ["".join(letters) for n in range(6) for letters in itertools.product("abc", repeat=n)]


def patterns(longest):
    return [tokens for n in range(longest + 1) for tokens in itertools.product(SYMBOLS, repeat=n)]


def language(tokens, texts=STRINGS):
    """The strings that a pattern matches, as bits of one number."""
    regex = pattern.compiled(tokens)
    return sum(1 << n for n, text in enumerate(texts) if regex.match(text))


def outside(subject, others):
    """A shortest string that `subject` matches and none of `others` does, by the automaton; None where there is none."""
    found = dict(automaton.minterms([Part(subject), *map(Part, others)], Budget(10**9)))
    return "".join(found[frozenset({0})]) if frozenset({0}) in found else None


def relations_hold(longest):
    """Compare inclusion and overlap of all pairs with their definitions; return how many pairs."""
    texts = (
        STRINGS
        if longest < 4
        else ["".join(letters) for n in range(8) for letters in itertools.product("abc", repeat=n)]
    )
    every = [(tokens, language(tokens, texts)) for tokens in patterns(longest)]
    for (inner, smaller), (outer, larger) in itertools.product(every, every):
        witness = outside(inner, [outer])
        assert (witness is None) == (smaller & ~larger == 0), (inner, outer)
        if witness is not None:
            assert pattern.matches(inner, witness)
            assert not pattern.matches(outer, witness)
        if inclusion.within(inner, outer):
            assert witness is None, (inner, outer)
        elif all(len(token) == 1 for token in inner):
            assert witness is not None, (inner, outer)
        assert automaton.overlap(inner, outer) == bool(smaller & larger), (inner, outer)
    return len(every) ** 2


def test_inclusion_and_overlap_are_their_definitions_on_all_small_patterns():
    assert relations_hold(3) == 7_225


@pytest.mark.slow
def test_inclusion_and_overlap_are_their_definitions_on_all_patterns_of_four():
    assert relations_hold(4) == 116_281


def test_inclusion_in_several_patterns_is_its_definition():
    rng = random.Random(5)
    every = [(tokens, language(tokens)) for tokens in patterns(3)]
    for _ in range(3_000):
        (inner, smaller), *outers = rng.choices(every, k=rng.choice((3, 4)))
        union = 0
        for _, larger in outers:
            union |= larger
        assert (outside(inner, [tokens for tokens, _ in outers]) is None) == (smaller & ~union == 0)


def test_minterms_are_all_the_sets_that_strings_match():
    rng = random.Random(6)
    every = patterns(3)
    for _ in range(500):
        several = [(ANY_RUN,), *rng.choices(every, k=3)]
        found = {}
        for numbers, text in automaton.minterms([Part(tokens) for tokens in several], Budget(10**6)):
            assert numbers not in found
            found[numbers] = "".join(text)
        for text in (*STRINGS, *found.values()):
            numbers = frozenset(n for n, tokens in enumerate(several) if pattern.matches(tokens, text))
            assert numbers in found
            assert len(found[numbers]) <= len(text)


def test_glob_questions(reference):
    asked = 0
    for line in (reference / "policy-cases" / "own" / "glob_inclusion.jsonl").read_text().splitlines():
        question = json.loads(line)

        def read(text, mode=question["mode"]):
            tokens = pattern.tokens(text, variables=False)
            return pattern.arn(tokens, complete=False) if mode == "arn" else tokens

        inner, outers = read(question["p"]), [read(text) for text in question["q"]]
        witness = outside(inner, outers)
        assert (witness is None) == question["subset"], question
        if witness is not None:
            assert pattern.matches(inner, witness)
            assert not any(pattern.matches(outer, witness) for outer in outers)
        assert question["subset"] or not any(inclusion.within(inner, outer) for outer in outers)
        asked += 1
    assert asked == 600


def test_segments_of_arns_hold_their_wildcards():
    def arn(text):
        return pattern.arn(pattern.tokens(text))

    assert outside(arn("arn:aws:s3:*:*:b"), [arn("arn:aws:s3:*")]) is None
    assert outside(arn("arn:aws:s3:*"), [arn("arn:aws:s3:*:*:b")]) is not None
    assert outside(arn("*"), [arn("arn:*")]) is not None
    assert inclusion.within(arn("arn:aws:s3:r:*:b"), arn("arn:aws:s3:?:*:b*"))
    assert not inclusion.within(arn("arn:aws:s3:*:*:b"), arn("arn:aws:s3:?:*:b"))
    assert not inclusion.within(arn("arn:aws:s3:::?"), arn("arn:aws:s3:::::?"))
    assert not automaton.overlap(arn("arn:aws:s3:::b"), arn("arn:aws:s3:*:b"))
    assert not automaton.overlap(arn("arn:aws:s3:?:1:b"), arn("arn:aws:s3::1:b"))


NAME, OTHER = Variable("aws:username"), Variable("aws:userid")


@pytest.mark.parametrize(
    ("inner", "outer", "expected"),
    [
        (("h", NAME), ("h", NAME), True), (("h", NAME), ("h", ANY_RUN), True), (("h", NAME), ("h", ANY_ONE), False),
        (("h", NAME), ("h", OTHER), False), (("h", ANY_RUN), ("h", NAME), False), (("h", "a"), ("h", NAME), False),
        (("h", NAME, "x"), ("h", NAME), False), ((NAME, NAME), (NAME, ANY_RUN), True),
    ],
)  # fmt: skip
def test_variable_is_within_itself_and_any_run_only(inner, outer, expected):
    assert inclusion.within(inner, outer) is expected
    assert (outside(inner, [outer]) is None) is expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (("h", NAME), ("h", "a"), True),
        (("h", NAME), ("k",), False),
        (("h", NAME, "x"), ("h", "a", "x"), True),
        ((NAME,), (), True),
    ],
)
def test_variable_may_be_any_string(one, other, expected):
    assert automaton.overlap(one, other) is expected


def test_pattern_read_as_may_matches_whatever_a_variable_could_be():
    numbers = [
        found for found, _ in automaton.minterms([Part(("h", NAME)), Part(("h", "a", "b"), may=True)], Budget(10**6))
    ]
    assert numbers == [frozenset({0, 1})]
    numbers = [found for found, _ in automaton.minterms([Part(("h", NAME)), Part(("h", "a", "b"))], Budget(10**6))]
    assert numbers == [frozenset({0})]
    numbers = [found for found, _ in automaton.minterms([Part(("a",)), Part((NAME,), may=True)], Budget(10**6))]
    assert numbers == [frozenset({0, 1})]


def test_variables_past_the_number_of_symbols_are_not_confused(monkeypatch):
    monkeypatch.setattr(inclusion, "_variables", {f"v{n}": "x" for n in range(70_000)})
    fresh, another = Variable("fresh:one"), Variable("fresh:another")

    assert not inclusion.within((fresh,), (another,))
    assert not inclusion.within((fresh,), ("a", ANY_RUN))


def test_private_characters_are_not_taken_for_wildcards():
    assert not inclusion.within(("\U000f0000",), ("a", ANY_RUN))
    assert not inclusion.within(("a", "\U000f0000"), ("a", ANY_RUN, "b"))
    assert not inclusion.within(("\U000f0000",), (ANY_ONE, ANY_RUN))
    assert not outside(("\U000f0000",), [(ANY_ONE,)])


def test_private_character_is_no_wildcard_and_no_variable_of_the_other_side():
    symbol = inclusion._variable(NAME)
    for wildcard, character in (*inclusion._SYMBOLS.items(), (NAME, symbol)):
        assert not inclusion.within(("a", wildcard), ("a", character))
        assert not inclusion.within(("a", character), ("a", NAME))


def test_folded_pattern_takes_both_cases():
    found = dict(automaton.minterms([Part((ANY_RUN,)), Part(("a", "b"), folded=True), Part(("a", "B"))], Budget(10**6)))
    assert "".join(found[frozenset({0, 1, 2})]) == "aB"
    assert len("".join(found[frozenset({0, 1})])) == 2


def test_variable_may_be_empty():
    parts = [Part(("h", NAME, "x")), Part(("h", "x"), may=True)]
    assert [found for found, _ in automaton.minterms(parts, Budget(1000))] == [frozenset({0, 1})]


def test_variable_moves_no_other_pattern():
    parts = [Part(("h", NAME)), Part(("k", "a"), may=True), Part(("h", "a"), may=True), Part(("a", "h"))]
    assert [found for found, _ in automaton.minterms(parts, Budget(1000))] == [frozenset({0, 2})]
    parts = [Part(("h", NAME, "q")), Part(("h", "a"), may=True), Part(("q",))]
    assert [found for found, _ in automaton.minterms(parts, Budget(1000))] == [frozenset({0})]


def test_colon_is_tried_where_only_a_segments_wildcard_tells_it():
    for token in (SEGMENT_RUN, SEGMENT_ONE):
        found = dict(automaton.minterms([Part((ANY_ONE,)), Part((token,))], Budget(100)))
        assert {numbers: "".join(text) for numbers, text in found.items()} == {
            frozenset({0}): ":",
            frozenset({0, 1}): "x",
        }


def test_variable_without_a_symbol_is_within_nothing(monkeypatch):
    monkeypatch.setattr(inclusion, "_variables", {})
    monkeypatch.setattr(inclusion, "_LAST_VARIABLE", inclusion._FIRST_VARIABLE)
    first, second = Variable("aws:first"), Variable("aws:second")

    assert inclusion.within(("a", first), ("a", first, ANY_RUN))
    assert not inclusion.within(("b", second), ("b", second, ANY_RUN))


def test_sets_of_patterns_meet_where_one_pair_does():
    one, other = (PatternSet([("a", ANY_RUN), ("b",)], negated, 1) for negated in (False, True))

    assert overlap((ANY_RUN,), ("a",))
    assert not overlap(("a", ANY_RUN), ("b",))
    assert one.may_meet(PatternSet([("c",), ("b",)], False, 1))
    assert not one.may_meet(PatternSet([("c",), ("d",)], False, 1))
    assert other.may_meet(PatternSet([("a",), ("c",)], False, 1))
    assert not PatternSet([("a", "x")], False, 1).may_meet(other)
    assert other.may_meet(other)


def test_too_many_states_are_given_up():
    parts = [Part((ANY_RUN,)), *(Part((ANY_RUN, "a", *(ANY_ONE,) * n)) for n in range(14))]
    with pytest.raises(TooLargeError):
        list(automaton.minterms(parts, Budget(20_000)))


def test_fresh_character_is_one_that_no_pattern_names():
    named = tuple(automaton._FRESH)
    witness = outside((ANY_ONE,), [(character,) for character in named])
    assert witness
    assert witness not in named
    assert Automaton([Part(("a",))]).symbols[0] == "x"
