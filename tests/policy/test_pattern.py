"""Patterns: wildcards, ARN segments and policy variables, as IAM matches them."""

import itertools

import pytest

from trailfit.policy import pattern
from trailfit.policy.pattern import ANY_ONE, ANY_RUN, SEGMENT_ONE, SEGMENT_RUN, Variable


def slow(tokens, text):
    """The definition: each token, one after the other."""
    if not tokens:
        return not text
    first, rest = tokens[0], tokens[1:]
    if first == ANY_RUN:
        return any(slow(rest, text[n:]) for n in range(len(text) + 1))
    if first == SEGMENT_RUN:
        return any(slow(rest, text[n:]) for n in range(len(text) + 1) if ":" not in text[:n])
    if not text or (first == SEGMENT_ONE and text[0] == ":"):
        return False
    return (first in (ANY_ONE, SEGMENT_ONE) or first == text[0]) and slow(rest, text[1:])


def _is_written_by_iam(tokens):
    """Wildcards of segments stand before all others: the first five segments come before the rest."""
    others = [token for token in tokens if len(token) > 1]
    return others == sorted(others, key=lambda token: token in (ANY_RUN, ANY_ONE))


def test_matching_is_its_definition_on_all_small_patterns():
    alphabet = ("a", ":", ANY_RUN, ANY_ONE, SEGMENT_RUN, SEGMENT_ONE)
    texts = ["".join(letters) for n in range(5) for letters in itertools.product("ab:", repeat=n)]
    for length in range(5):
        for tokens in itertools.product(alphabet, repeat=length):
            if not _is_written_by_iam(tokens) or (length == 4 and len(set(tokens)) < 3):
                continue
            regex = pattern.compiled(tokens)
            for text in texts:
                assert (regex.match(text) is not None) == slow(tokens, text), (tokens, text)


@pytest.mark.parametrize(
    ("written", "text", "expected"),
    [
        ("a*", "a\nb", True), ("a?c", "a\nc", True), ("a.c", "abc", False), ("a+", "aa", False), ("*", "", True),
        ("a*b*c", "abbbc", True), ("a*b*c", "acb", False), ("**a", "xa", True), ("a$", "a", False), ("?", "", False),
        ("a", "a\n", False),
    ],
)  # fmt: skip
def test_wildcards(written, text, expected):
    assert pattern.matches(pattern.tokens(written), text) is expected


@pytest.mark.parametrize(
    ("written", "arn", "expected"),
    [
        ("*", "anything", True), ("**", "x", True),
        ("arn:aws:s3:::b/*", "arn:aws:s3:::b/x:y/z", True),
        ("arn:aws:sqs:*:q", "arn:aws:sqs:eu-west-1:1:q", False),
        ("arn:aws:sqs:*:*:q", "arn:aws:sqs:eu-west-1:1:q", True),
        ("arn:aws:sqs:?:1:q", "arn:aws:sqs:::1:q", False),
        ("arn:aws:s3", "arn:aws:s3:::b", True), ("arn:aws:s3", "arn:aws:s3control:::b", False),
        ("arn:aws:s3*", "arn:aws:s3control:r:1:b:c", True), ("arn:aws:s3:*", "arn:aws:s3:::b:c", True),
        ("arn:*", "arn:aws:s3:::b", True), ("arn:*", "arn:aws", False),
        ("arn:aws:s3:::B", "arn:aws:s3:::b", False), ("arn:aws:s3:::?", "arn:aws:s3::::", True),
    ],
)  # fmt: skip
def test_arn_wildcards_stay_within_their_segment(written, arn, expected):
    read = pattern.arn(pattern.tokens(written))

    assert pattern.matches(read, arn) is expected


def test_short_arn_is_no_arn_unless_completed():
    assert pattern.arn(pattern.tokens("arn:aws:s3"), complete=False) is None
    assert pattern.arn(pattern.tokens("arn:aws:s3:::b"), complete=False) is not None
    assert pattern.arn(pattern.tokens("*"), complete=False) == (ANY_RUN,)
    assert pattern.arn((), complete=False) is None


def test_variable_before_the_fifth_colon_is_no_pattern():
    assert pattern.arn(pattern.tokens("arn:aws:sqs:r:${aws:PrincipalAccount}:q")) is None
    assert pattern.arn(pattern.tokens("arn:aws:sqs:r:1:${aws:username}")) is not None


def test_variables_are_read_with_their_defaults():
    read = pattern.tokens("a${aws:username}b${aws:PrincipalTag/team, 'none'}*")

    assert [token for token in read if isinstance(token, Variable)] == [
        "${aws:username}",
        "${aws:principaltag/team, 'none'}",
    ]
    assert (read[1].key, read[1].default, read[3].key, read[3].default) == (
        "aws:username", None, "aws:PrincipalTag/team", "none",
    )  # fmt: skip
    assert read[0] == "a"
    assert read[-1] == ANY_RUN
    assert pattern.has_variables(read)
    assert not pattern.has_variables(pattern.tokens("a${aws:username}", variables=False))
    assert pattern.tokens("${", variables=True) == ("$", "{")


def test_special_characters_stand_for_themselves():
    assert pattern.tokens("${*}${?}${$}") == ("*", "?", "$")
    assert pattern.tokens("*?", wildcards=False) == ("*", "?")
    assert not pattern.matches(pattern.tokens("a${*}"), "ab")


def test_value_of_a_variable_is_no_pattern():
    resolved = pattern.resolve(pattern.tokens("h/${aws:username}"), lambda variable: "*")

    assert resolved == ("h", "/", "*")
    assert not pattern.matches(resolved, "h/x")
    assert pattern.resolve(pattern.tokens("h/${aws:username}"), lambda variable: None) is None


def test_fold_leaves_wildcards_and_variables():
    variable = Variable("aws:UserName")

    assert pattern.fold(("A", ANY_RUN, variable)) == ("a", ANY_RUN, variable)
    assert Variable("AWS:username") == variable


def test_many_wildcards_do_not_take_exponential_time():
    assert not pattern.matches(pattern.tokens("*a" * 60 + "b"), "a" * 4000)


def test_short_arn_is_completed_segment_by_segment():
    segment = (":", SEGMENT_RUN)

    assert pattern.arn(("a", ":", "b")) == ("a", ":", "b", *segment, *segment, *segment, ":", ANY_RUN)
    assert pattern.arn(("a", ":", "b"), complete=False) is None


def test_arn_whose_resource_is_empty_is_whole():
    whole = pattern.tokens("a:b:c:d:e:")

    assert pattern.arn(whole, complete=False) == pattern.arn(whole) == whole
