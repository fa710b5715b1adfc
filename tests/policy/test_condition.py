"""Condition operators, one by one: what each compares, and what missing and several values mean."""

import pytest

from trailfit.policy import condition
from trailfit.policy.condition import holds, read

TABLE = [
    # operator, policy values, request values (None: absent), expected
    ("StringEquals", ["a", "b"], ["b"], True), ("StringEquals", ["a"], ["A"], False), ("StringEquals", ["a*"], ["ab"], False),
    ("StringEquals", ["a"], None, False), ("StringEquals", [""], [""], True), ("StringEquals", [], ["a"], False),
    ("StringNotEquals", ["a", "b"], ["b"], False), ("StringNotEquals", ["a"], ["c"], True), ("StringNotEquals", ["a"], None, True),
    ("StringEqualsIgnoreCase", ["aB"], ["Ab"], True), ("StringEqualsIgnoreCase", ["a"], ["b"], False),
    ("StringNotEqualsIgnoreCase", ["aB"], ["Ab"], False), ("StringNotEqualsIgnoreCase", ["aB"], ["c"], True),
    ("StringLike", ["a*c"], ["abc"], True), ("StringLike", ["a?c"], ["ac"], False), ("StringLike", ["A*"], ["ab"], False),
    ("StringLike", ["arn:*:x"], ["arn:a:b:x"], True), ("StringNotLike", ["a*"], ["ab"], False), ("StringNotLike", ["a*"], ["b"], True),
    ("StringEqualsIfExists", ["a"], None, True), ("StringEqualsIfExists", ["a"], ["b"], False), ("StringNotEqualsIfExists", ["a"], None, True),
    ("ArnLike", ["arn:aws:sns:*:1:a*"], ["arn:aws:sns:x:1:a:b"], True), ("ArnLike", ["arn:aws:sns:*:q"], ["arn:aws:sns:r:1:q"], False),
    ("ArnLike", ["*"], ["arn:aws:s3:::b"], False),
    ("ArnNotLike", ["arn:aws:s3:b"], ["arn:aws:s3:::b"], True), ("ArnLike", ["arn:aws:s3:::*"], ["no arn"], False),
    ("ArnEquals", ["arn:aws:s3:::*"], ["arn:aws:s3:::b"], True), ("ArnNotLike", ["arn:aws:s3:::a"], ["arn:aws:s3:::b"], True),
    ("ArnNotEquals", ["arn:aws:s3:::a*"], ["arn:aws:s3:::ab"], False), ("ArnNotLike", ["arn:aws:s3:::a"], ["no arn"], False),
    ("ArnNotLike", ["arn:aws:s3:::a*"], ["arn:aws:s3:::ab"], False), ("ArnNotLike", ["arn:aws:*:::a"], ["arn:aws:s3:::b"], True),
    ("ArnNotLike", ["arn:aws:s3:::a"], ["a:b:c:d:e:f"], True), ("ArnLike", ["a:b:c:d:e"], ["a:b:c:d:e"], False),
    ("Bool", ["true"], ["TRUE"], True), ("Bool", ["True"], ["true"], True), ("Bool", ["false"], ["true"], False), ("Bool", ["x"], ["x"], False),
    ("Bool", ["true"], None, False), ("BoolIfExists", ["true"], None, True), ("BoolIfExists", ["true"], ["false"], False),
    ("BinaryEquals", ["QUI="], ["QUI="], True), ("BinaryEquals", ["QUI="], ["QUM="], False), ("BinaryEquals", ["?"], ["?"], False),
    ("BinaryEquals", ["QUI="], ["QUJ="], True),
    ("IpAddress", ["10.0.0.0/8"], ["10.1.2.3"], True), ("IpAddress", ["10.0.0.0/8"], ["11.0.0.0"], False), ("IpAddress", ["10.0.0.1"], ["10.0.0.1"], True),
    ("IpAddress", ["2001:db8::/32"], ["2001:db8::1"], True), ("IpAddress", ["0.0.0.0/0"], ["::1"], False), ("IpAddress", ["10.0.0.0/8"], ["x"], False),
    ("IpAddress", ["x"], ["10.0.0.1"], False), ("IpAddress", ["10.1.2.3/8"], ["10.9.9.9"], True),
    ("NotIpAddress", ["10.0.0.0/8"], ["10.0.0.1"], False), ("NotIpAddress", ["10.0.0.0/8"], ["11.0.0.1"], True), ("NotIpAddress", ["10.0.0.0/8"], ["x"], False),
    ("NotIpAddress", ["10.0.0.0/8"], None, True), ("NotIpAddress", ["10.0.0.0/8"], ["::1"], True),
    ("NumericEquals", ["10"], ["10.0"], True), ("NumericEquals", ["1e1"], ["10"], False), ("NumericEquals", ["-1.5"], ["-1.5"], True),
    ("NumericNotEquals", ["10"], ["9"], True), ("NumericNotEquals", ["10", "9"], ["9"], False), ("NumericNotEquals", ["10"], ["x"], False),
    ("NumericLessThan", ["10"], ["9"], True), ("NumericLessThan", ["10"], ["10"], False), ("NumericLessThan", ["5", "20"], ["10"], True),
    ("NumericLessThanEquals", ["10"], ["10"], True), ("NumericLessThanEquals", ["10"], ["11"], False),
    ("NumericGreaterThan", ["10"], ["11"], True), ("NumericGreaterThan", ["10"], ["10"], False), ("NumericGreaterThan", ["9"], ["10"], True),
    ("NumericGreaterThanEquals", ["10"], ["10"], True), ("NumericGreaterThanEquals", ["10"], ["9"], False), ("NumericLessThan", ["10"], ["x"], False),
    ("DateEquals", ["2020-05-01T00:00:00Z"], ["1588291200"], True), ("DateEquals", ["2020-05-01"], ["2020-05-01T02:00:00+02:00"], True),
    ("DateEquals", ["2020-05-01T00:00:00-01:30"], ["2020-05-01T01:30:00Z"], True), ("DateEquals", ["2020-05"], ["2020-05-01T00:00Z"], True), ("DateEquals", ["2020"], ["2020-01-01"], True),
    ("DateEquals", ["2020-05-01T00:00:00.5Z"], ["2020-05-01T00:00:00Z"], False), ("DateEquals", ["2020-05-01T00:00:00.50Z"], ["2020-05-01T00:00:00.5Z"], True),
    ("DateNotEquals", ["2020-05-01"], ["2020-05-02"], True), ("DateNotEquals", ["2020-05-01"], ["junk"], False), ("DateLessThan", ["2020-05-01"], ["2020-04-30"], True),
    ("DateLessThan", ["2020-05-01"], ["2020-05-01"], False), ("DateLessThanEquals", ["2020-05-01"], ["2020-05-01"], True), ("DateLessThanEquals", ["2020-05-01"], ["2020-05-01T00:00:01Z"], False),
    ("DateGreaterThan", ["2020-05-01"], ["2020-05-02"], True), ("DateGreaterThan", ["2020-05-01"], ["2020-05-01"], False), ("DateGreaterThanEquals", ["2020-05-01"], ["2020-05-01"], True),
    ("DateGreaterThanEquals", ["2020-05-01"], ["2020-04-30"], False), ("DateGreaterThan", ["2020-02-31"], ["2020-05-01"], False), ("DateEquals", ["2020-05-01T00:00:07"], ["2020-05-01T00:00:07Z"], True),
    ("Null", ["true"], None, True), ("Null", ["true"], ["a"], False), ("Null", ["false"], ["a"], True), ("Null", ["false"], None, False), ("Null", ["True"], None, True),
    ("Null", ["true"], [], False), ("StringEquals", ["a"], [], False), ("StringNotEquals", ["a"], [], False),
    ("StringEquals", ["a"], ["a", "a"], False), ("StringNotEquals", ["z"], ["a", "b"], False),
    ("ForAllValues:StringEquals", ["a", "b"], ["a", "b", "a"], True), ("ForAllValues:StringEquals", ["a"], ["a", "b"], False), ("ForAllValues:StringEquals", ["a"], None, True),
    ("ForAllValues:StringEquals", ["a"], [], True), ("ForAllValues:StringNotEquals", ["a", "b"], ["c", "a"], False), ("ForAllValues:StringNotEquals", ["a"], ["c", "d"], True),
    ("ForAnyValue:StringEquals", ["a"], ["b", "a"], True), ("ForAnyValue:StringEquals", ["a"], ["b"], False), ("ForAnyValue:StringEquals", ["a"], None, False),
    ("ForAnyValue:StringEquals", ["a"], [], False), ("ForAnyValue:StringNotEquals", ["a"], None, False), ("ForAnyValue:StringNotEquals", ["a"], ["a", "c"], True),
    ("ForAnyValue:StringNotEquals", ["a"], ["a", "a"], False), ("ForAnyValue:StringEqualsIfExists", ["a"], None, True), ("ForAllValues:StringEqualsIfExists", ["a"], ["b"], False),
    ("ForAllValues:NumericLessThan", ["5"], ["1", "6"], False), ("forallvalues:stringequals", ["a"], ["a"], True),
]  # fmt: skip


@pytest.mark.parametrize(("name", "wanted", "given", "expected"), TABLE)
def test_operator(name, wanted, given, expected):
    one = read(name, "K", tuple(wanted))
    context = {} if given is None else {"k": tuple(given)}

    assert holds(one, context) is expected
    if given is None:
        assert holds(one, context, complete=False) is None
    else:
        assert holds(one, context, complete=False) is expected


@pytest.mark.parametrize(
    "name",
    [
        "StringIs",
        "ForEach:StringEquals",
        "NullIfExists",
        "ForAllValues:Null",
        "",
        "IfExists",
        "xStringEquals",
        "StringEqualsX",
    ],
)
def test_what_is_no_operator_is_not_read(name):
    assert read(name, "k", ("a",)) is None


def test_operator_is_read_in_its_parts():
    found = read("ForAnyValue:ArnNotLikeIfExists", "aws:SourceArn", ("a", "b"))

    assert (found.operator.name, found.qualifier, found.if_exists, found.key, found.values) == (
        "ArnNotLike", "ForAnyValue", True, "aws:SourceArn", ("a", "b"),
    )  # fmt: skip


VARIABLES = [
    # operator, policy value, value of the variable, request value, expected
    ("StringEquals", "${aws:username}", "bob", "bob", True), ("StringEquals", "${aws:username}", "bob", "Bob", False), ("StringLike", "${aws:username}/*", "bob", "bob/x", True),
    ("StringLike", "${aws:username}/*", "*", "bob/x", False), ("StringLike", "${aws:username}", "b?b", "bob", False),
    ("StringEqualsIgnoreCase", "${aws:username}", "bob", "BOB", True),
    ("StringEquals", "${aws:username}", None, "bob", False), ("StringNotEquals", "${aws:username}", None, "bob", True), ("StringNotEquals", "${aws:username}", "bob", "bob", False),
    ("ArnLike", "arn:aws:iam::1:user/${aws:username}", "bob", "arn:aws:iam::1:user/bob", True), ("StringEquals", "${*}", None, "*", True),
    ("StringEquals", "${aws:username, 'eve'}", None, "eve", False), ("NumericEquals", "${aws:username}", "1", "1", False),
    ("Bool", "${aws:username}", "true", "true", True), ("ArnEquals", "arn:aws:iam::1:user/${aws:username}", "bob", "arn:aws:iam::1:user/bob", True),
    ("ArnNotEquals", "arn:aws:iam::1:user/${aws:username}", "bob", "arn:aws:iam::1:user/bob", False),
    ("ArnNotLike", "arn:aws:iam::1:user/${aws:username}", "bob", "arn:aws:iam::1:user/bob", False), ("StringNotLike", "${aws:username}*", "bob", "bob/x", False),
    ("StringNotEqualsIgnoreCase", "${aws:username}", "bob", "BOB", False),
]  # fmt: skip


@pytest.mark.parametrize(("name", "wanted", "value", "given", "expected"), VARIABLES)
def test_policy_variables_in_values(name, wanted, value, given, expected):
    assert holds(read(name, "k", (wanted,)), {"k": (given,)}, value_of=lambda variable: value) is expected


def test_default_of_a_variable_is_used_where_nobody_knows_its_value():
    assert holds(read("StringEquals", "k", ("${aws:username, 'eve'}",)), {"k": ("eve",)}) is True


def test_variables_are_plain_text_in_the_old_version():
    old = read("StringEquals", "k", ("${aws:username}",), variables=False)

    assert holds(old, {"k": ("${aws:username}",)}) is True
    assert holds(old, {"k": ("bob",)}, value_of=lambda variable: "bob") is False


def test_unknown_variable_makes_the_condition_unknown():
    def unknown(variable):
        raise LookupError

    assert holds(read("StringEquals", "k", ("${aws:username}",)), {"k": ("a",)}, value_of=unknown) is None


def test_case_is_folded_in_values_of_variables_too():
    assert (
        holds(read("StringEqualsIgnoreCase", "k", ("${aws:username}",)), {"k": ("BOB",)}, value_of=lambda _: "Bob")
        is True
    )


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970", 0),
        ("1970-01-02", 86400),
        ("12345", 12345),
        ("123", None),
        ("x", None),
        ("2020-13", None),
        ("99999.5", 99999.5),
        ("1970-01-01T00:01Z", 60),
        ("1970-01-01T00:00:00.25Z", 0.25),
        ("1970-01-01T00:00:00+0100", -3600),
        ("1970-01-01T00:00:00-01:00", 3600),
        ("1970-01-01T00:00:00+11:45", -42300),
        ("1970-01-01T00:00:00-1145", 42300),
        ("1970-01-01T00:00:00z", 0),
        ("1971-02-03T04:05:06Z", 34401906),
    ],
)
def test_dates(text, seconds):
    found = condition.instant(text)

    assert found is None if seconds is None else float(found) == seconds
