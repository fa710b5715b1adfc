"""Values of condition keys: one is found wherever the law has one, and none where it has none."""

import pytest

from trailfit.policy import condition, satisfy, values
from trailfit.policy.automaton import Budget, TooLargeError
from trailfit.policy.satisfy import Search


def literal(name, wanted, is_true=True, key="k"):
    return condition.read(name, key, tuple(wanted)), is_true


def assigned(*literals, multivalued=False):
    """The value found for the literals, held to the law; None where none is found."""
    found = values.assign(frozenset(literals), multivalued)
    if found is None:
        return None
    context = {} if found.value is None else {"k": found.value}
    for each, is_true in literals:
        if not any("$" in value for value in each.values):
            assert condition.holds(each, context) is is_true
    return (None,) if found.value is None else found.value


#: literals, the value found: None in its place for "absent", None for "there is none".
FOUND = [
    ([("StringEquals", ["a"], True)], ("a",)), ([("StringEquals", ["a"], False)], (None,)), ([("StringEquals", ["a"], True), ("StringLike", ["b*"], True)], None),
    ([("StringLike", ["a*"], True), ("StringEquals", ["a"], False)], ("ax",)), ([("StringEqualsIgnoreCase", ["a"], True), ("StringEquals", ["a"], False)], ("A",)),
    ([("StringLike", ["*"], True), ("StringLike", ["?*"], False)], ("",)), ([("StringLike", ["arn:*:s3:::b"], True), ("ArnLike", ["arn:*:s3:::b"], True)], ("arn::s3:::b",)),
    ([("StringLike", ["arn:*:s3:::b"], False), ("ArnLike", ["arn:*:s3:::b"], True)], None),
    ([("ArnLike", ["arn:aws:s3:::*"], True), ("ArnLike", ["arn:aws:s3:::a*"], False)], ("arn:aws:s3:::",)), ([("ArnLike", ["*"], True)], None), ([("ArnLike", [""], True)], None),
    ([("ArnNotLike", ["arn:aws:s3:::a"], True), ("Null", ["false"], True)], (":::::",)),
    ([("Bool", ["true"], False), ("Null", ["false"], True)], ("x",)), ([("Bool", ["true"], True), ("Bool", ["false"], True)], None),
    ([("Bool", ["true"], True), ("StringEquals", ["true"], False)], ("TRUE",)),
    ([("NumericLessThan", ["5"], True), ("NumericGreaterThan", ["4"], True)], ("4.5",)), ([("NumericLessThan", ["5"], True), ("NumericGreaterThan", ["5"], True)], None),
    ([("NumericLessThan", ["5"], False), ("NumericGreaterThan", ["5"], False), ("NumericEquals", ["5"], False), ("Null", ["false"], True)], ("x",)),
    ([("NumericLessThan", ["100"], True)], ("99",)), ([("NumericGreaterThan", ["100"], True)], ("101",)), ([("NumericEquals", ["0.50"], True)], ("0.5",)),
    ([("NumericLessThan", ["x"], True)], None), ([("NumericGreaterThanEquals", ["1", "9"], True)], ("1",)),
    ([("DateGreaterThan", ["2020-01-01"], True), ("DateLessThan", ["2020-01-03"], True)], ("2020-01-02T00:00:00Z",)),
    ([("DateGreaterThan", ["2020-01-01T00:00:00Z"], True), ("DateLessThan", ["2020-01-01T00:00:01Z"], True)], ("1577836800.5",)),
    ([("DateGreaterThan", ["9999-12-31T23:59:59Z"], True)], ("253402300800.0",)), ([("DateLessThan", ["12345678901234567890"], True)], ("12345678901234567889",)),
    ([("DateEquals", ["x"], True)], None), ([("DateLessThan", ["2020-01-01"], True)], ("2019-12-31T23:59:59Z",)),
    ([("DateEquals", ["2020-01-01"], False), ("Null", ["false"], True)], ("2019-12-31T23:59:59Z",)),
    ([("IpAddress", ["10.0.0.0/8"], True), ("IpAddress", ["10.0.0.0/9"], False)], ("10.128.0.0",)), ([("IpAddress", ["10.0.0.0/8"], True), ("IpAddress", ["10.0.0.0/7"], False)], None),
    ([("IpAddress", ["10.0.0.0/8"], False), ("Null", ["false"], True)], ("0.0.0.0",)), ([("NotIpAddress", ["0.0.0.0/0"], True), ("Null", ["false"], True)], ("::",)),
    ([("NotIpAddress", ["0.0.0.0/1", "::/0"], True), ("Null", ["false"], True)], ("128.0.0.0",)), ([("IpAddress", ["255.255.255.255"], True)], ("255.255.255.255",)),
    ([("NotIpAddress", ["0.0.0.0/0", "::/0"], True), ("Null", ["false"], True)], None), ([("IpAddress", ["0.0.0.0/0", "::/0"], False), ("Null", ["false"], True)], ("x",)),
    ([("NotIpAddress", ["0.0.0.0/0", "::/1"], True), ("Null", ["false"], True)], ("8000::",)), ([("IpAddress", ["ffff::/16"], True)], ("ffff::",)),
    ([("IpAddress", ["255.255.255.254/31"], True), ("IpAddress", ["255.255.255.254"], False)], ("255.255.255.255",)),
    ([("BinaryEquals", ["QUI="], True)], ("QUI=",)), ([("BinaryEquals", ["QUI="], True), ("BinaryEquals", ["QUJ="], False)], None),
    ([("BinaryEquals", ["QUI="], False), ("Null", ["false"], True)], ("AA==",)), ([("BinaryEquals", ["QUI="], False), ("BinaryEquals", ["AA=="], False), ("Null", ["false"], True)], ("AAA=",)),
    ([("BinaryEquals", ["AA==", "AAA="], False), ("Null", ["false"], True)], ("x",)),
    ([("Null", ["true"], True)], (None,)), ([("Null", ["false"], True)], ("x",)), ([("Null", ["true"], True), ("Null", ["false"], True)], None),
    ([("Null", ["true"], True), ("StringEquals", ["a"], True)], None), ([("Null", ["true"], False), ("StringEquals", ["a"], True)], ("a",)),
    ([("StringEqualsIfExists", ["a"], False)], ("x",)), ([("StringNotEquals", ["a"], False)], ("a",)), ([("NumericNotEquals", ["4"], False)], ("4",)),
]  # fmt: skip


@pytest.mark.parametrize(("literals", "expected"), FOUND)
def test_value_is_found_where_the_law_has_one(literals, expected):
    assert assigned(*(literal(*each) for each in literals)) == expected


#: The same for a key that may have several values.
SEVERAL = [
    ([("ForAnyValue:StringEquals", ["a"], True), ("ForAllValues:StringEquals", ["a"], False)], {"a", "x"}),
    ([("ForAnyValue:StringEquals", ["a"], True), ("ForAnyValue:StringEquals", ["b"], True)], {"a", "b"}),
    ([("ForAllValues:StringEquals", ["a"], True), ("ForAnyValue:StringEquals", ["b"], True)], None),
    ([("ForAllValues:StringEquals", ["a", "b"], True), ("ForAnyValue:StringEquals", ["b"], True), ("ForAnyValue:StringEquals", ["a"], True)], {"a", "b"}),
    ([("ForAnyValue:StringEquals", ["a"], True), ("StringEquals", ["a"], False)], {"a", "x"}), ([("ForAnyValue:StringEquals", ["a"], True), ("StringNotEquals", ["b"], False)], {"a", "x"}),
    ([("ForAnyValue:StringLike", ["*"], True), ("ForAnyValue:StringEquals", ["a"], False), ("StringLike", ["*"], False)], {"x", ""}),
    ([("ForAllValues:StringEquals", ["a"], True), ("ForAnyValue:StringEquals", ["a"], True), ("StringEquals", ["a"], False)], {"a"}),
    ([("ForAllValues:StringNotEquals", ["a"], False), ("ForAnyValue:StringEquals", ["b"], True)], {"a", "b"}),
    ([("ForAllValues:StringEquals", ["a"], False), ("ForAnyValue:StringNotEquals", ["a"], False)], None),
    ([("ForAllValues:StringEquals", ["a"], True), ("StringLike", ["*"], True), ("Null", ["false"], True)], {"a"}),
    ([("Null", ["false"], True), ("ForAllValues:StringEquals", ["a"], True), ("ForAnyValue:StringEquals", ["a"], False)], None),
    ([("Null", ["true"], True), ("ForAnyValue:StringEquals", ["a"], True)], None), ([("ForAllValues:StringEquals", ["a"], True)], {None}),
]  # fmt: skip


@pytest.mark.parametrize(("literals", "expected"), SEVERAL)
def test_set_of_values_is_found_where_one_value_is_not_enough(literals, expected):
    found = assigned(*(literal(*each) for each in literals), multivalued=True)

    assert (found and set(found)) == expected


def test_key_with_one_value_is_given_no_second():
    both = [literal("ForAnyValue:StringEquals", ["a"]), literal("ForAnyValue:StringEquals", ["b"])]

    assert assigned(*both) is None
    assert assigned(*both, multivalued=True) == ("a", "b")


def test_condition_with_a_variable_is_taken_at_will():
    for mixed in (["${aws:username}"], ["${aws:username}", "b"], ["b", "${aws:username}"]):
        for is_true in (True, False):
            opaque = literal("StringEquals", mixed, is_true)
            assert (
                assigned(opaque, literal("StringEquals", ["username"], not is_true), literal("Null", ["false"]))
                is not None
            )
            assert assigned(opaque, literal("StringEquals", ["a"]), literal("StringEquals", ["b"])) is None
    assert assigned(literal("StringEquals", ["${aws:username}"])) == ("username",)


def test_conditions_of_several_kinds_on_one_key_are_taken_at_will_but_for_texts():
    number, text = literal("NumericEquals", ["5"]), literal("StringEquals", ["05"])

    assert assigned(text, number) == ("05",)
    assert values.assign(frozenset([literal("StringLike", ["x*"]), number]), False) is not None
    assert assigned(number, literal("StringEquals", ["a"]), literal("StringEquals", ["b"])) is None
    assert assigned(number, literal("NumericEquals", ["6"])) is None


def test_placeholder_is_the_last_part_of_a_variables_name():
    assert [values.placeholder(each) for token in ("${aws:username}", "${aws:PrincipalTag/team}", "${k}")
            for each in condition.pattern.tokens(token)] == ["username", "team", "k"]  # fmt: skip


def test_order_of_conditions_is_theirs_alone():
    several = [literal("StringEquals", ["a"], key=key)[0] for key in ("B", "a", "C")]

    assert [each.key for each in sorted(several, key=values.order)] == ["a", "B", "C"]


# --- contexts ---------------------------------------------------------------------------------------------


def solve(*clauses, multivalued=(), steps=10**6):
    budget = Budget(steps)
    read = [tuple(frozenset(literal(*each) for each in option) for option in clause) for clause in clauses]
    return Search(frozenset(multivalued), budget).solve(read), steps - budget.left


A, NOT_A = ("StringEquals", ["a"], True), ("StringEquals", ["a"], False)
ELSEWHERE = ("StringEquals", ["a"], True, "j")


def test_each_clause_has_an_option_that_holds():
    assert solve()[0] == {}
    assert solve([[A]])[0] == {"k": ("a",)}
    assert solve([[A], [ELSEWHERE]], [[NOT_A]])[0] == {"j": ("a",), "k": None}
    assert solve([[A, ELSEWHERE]], [[NOT_A], [("StringEquals", ["b"], True, "j")]])[0] is None
    assert solve([[A]], [])[0] is None
    assert solve([[]])[0] == {}
    assert solve([[A], [ELSEWHERE]], [[NOT_A]], [[("Null", ["true"], True, "j")]])[0] is None


def test_option_holds_only_whole():
    never = ("NumericLessThan", ["few"], True, "n")

    assert solve([[A, never]])[0] is None
    assert solve([[never, A], [ELSEWHERE]])[0] == {"j": ("a",)}


def test_key_is_written_as_its_first_condition_writes_it():
    assert solve([[("StringEquals", ["a"], True, "aws:K")]], [[("StringLike", ["a*"], True, "AWS:k")]])[0] == {
        "AWS:k": ("a",)
    }


def test_key_has_several_values_only_where_it_may():
    both = [[("ForAnyValue:StringEquals", ["a"], True, "K"), ("ForAnyValue:StringEquals", ["b"], True, "K")]]

    assert solve(both)[0] is None
    assert solve(both, multivalued=["k"])[0] == {"K": ("a", "b")}


def test_option_that_is_tried_costs_steps_and_one_that_is_settled_does_not():
    price = satisfy._PRICE

    assert solve([[A]])[1] == price
    assert solve([[A]], [[A]])[1] == price
    assert solve([[A]], [[NOT_A], [A]])[1] == price
    assert solve([[A]], [[NOT_A]])[1] == price
    assert solve([[A]], [[NOT_A, ELSEWHERE]])[1] == price
    assert solve([[A], [ELSEWHERE]], [[NOT_A]])[1] == 2 * price
    with pytest.raises(TooLargeError):
        solve([[A]], steps=price - 1)
