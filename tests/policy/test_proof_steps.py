"""The steps of a proof: what is settled by plain look, and what the exact step then takes.

Steps are counted, not timed, so that a question has the same answer on every machine: their number is a promise.
"""

import pytest

from tests.policy.conftest import policy, statement
from trailfit.policy import condition, minterms, witness
from trailfit.policy.grant import rules
from trailfit.policy.minterms import Question, open_cases

BUCKET = "arn:aws:s3:::bucket"
EQUAL = {"StringEquals": {"aws:PrincipalTag/team": "a"}}


def deny(*arguments, **more):
    return statement(*arguments, effect="Deny", **more)


def question(new, old, boundary=None):
    return Question(
        rules([policy(*new)]), rules([policy(*old)]), None if boundary is None else rules([policy(*boundary)])
    )


def rule(**more):
    return policy(statement(**more)).rules[0]


#: inner conditions, outer conditions, whether the first plainly imply the second.
IMPLIED = [
    ({}, {}, True), (EQUAL, {}, True), ({}, EQUAL, False), (EQUAL, EQUAL, True),
    ({"StringEquals": {"k": ["a", "b"]}}, {"StringEquals": {"K": ["b", "a"]}}, True), ({"StringEquals": {"k": "a"}}, {"StringEquals": {"k": ["b", "a"]}}, True),
    ({"StringEquals": {"k": ["b", "a"]}}, {"StringEquals": {"k": "a"}}, False), ({"StringEquals": {"k": "a"}}, {"StringEquals": {"j": "a"}}, False),
    ({"StringEquals": {"k": "a"}}, {"StringLike": {"k": "a"}}, False), ({"StringNotEquals": {"k": ["a", "b"]}}, {"StringNotEquals": {"k": "a"}}, True),
    ({"StringNotEquals": {"k": "a"}}, {"StringNotEquals": {"k": ["a", "b"]}}, False),
    ({"StringEquals": {"k": "a"}}, {"StringEqualsIfExists": {"k": "a"}}, True), ({"StringEqualsIfExists": {"k": "a"}}, {"StringEquals": {"k": "a"}}, False),
    ({"StringEqualsIfExists": {"k": "a"}}, {"StringEqualsIfExists": {"k": ["a", "b"]}}, True),
    ({"ForAnyValue:StringEquals": {"k": "a"}}, {"ForAllValues:StringEquals": {"k": "a"}}, False), ({"ForAnyValue:StringEquals": {"k": "a"}}, {"StringEquals": {"k": "a"}}, False),
    ({**EQUAL, "Bool": {"b": "true"}}, {"Bool": {"b": "true"}}, True), (EQUAL, {**EQUAL, "Bool": {"b": "true"}}, False),
]  # fmt: skip


@pytest.mark.parametrize(("inner", "outer", "expected"), IMPLIED)
def test_conditions_plainly_imply_others(inner, outer, expected):
    one, other = (rule(Condition=each) if each else rule() for each in (inner, outer))

    assert minterms.implies(one, other) is expected
    assert minterms.plainly_within(one, other) is expected


def test_condition_that_reads_variables_does_not_imply_one_that_does_not():
    read, plain = (condition.read("StringEquals", "k", ("${a}",), variables=each) for each in (True, False))

    assert not minterms._implied(read, plain)
    assert not minterms._implied(plain, read)
    assert minterms._implied(plain, plain)


NAMED, OTHER = {"AWS": "arn:aws:iam::111122223333:user/a"}, {"AWS": "arn:aws:iam::111122223333:user/b"}

#: what one statement is, what another is, whether the first is plainly within the second, whether they may meet.
WITHIN = [
    ({}, {}, True, True), ({"action": "s3:Get*"}, {}, True, True), ({}, {"action": "s3:Get*"}, False, True), ({"action": "s3:Get*"}, {"action": "s3:Put*"}, False, False),
    ({"resource": BUCKET}, {}, True, True), ({}, {"resource": BUCKET}, False, True), ({"resource": BUCKET}, {"resource": "arn:aws:s3:::other"}, False, False),
    ({"action": "s3:Get*", "resource": BUCKET}, {"action": "s3:Put*", "resource": BUCKET}, False, False),
    ({"Principal": NAMED}, {"Principal": NAMED}, True, True), ({"Principal": NAMED}, {"Principal": OTHER}, False, True), ({"Principal": NAMED}, {}, True, True),
    ({}, {"Principal": NAMED}, False, True), ({"Principal": NAMED}, {"NotPrincipal": NAMED}, False, True), ({"NotPrincipal": NAMED}, {"NotPrincipal": NAMED}, True, True),
    ({"Principal": NAMED, "action": "s3:Get*"}, {"Principal": NAMED}, True, True), ({"Principal": NAMED, "Condition": EQUAL}, {"Condition": EQUAL}, True, True),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other", "within", "meets"), WITHIN)
def test_statements_are_compared_by_plain_look(one, other, within, meets):
    assert minterms.plainly_within(rule(**one), rule(**other)) is within
    assert minterms._may_meet(rule(**one), rule(**other)) is meets
    assert minterms._may_meet(rule(**other), rule(**one)) is meets


# --- which statements need the exact step -----------------------------------------------------------------


def open_rules(*sides):
    return [each.statement.index for each in question(*sides).open_rules()]


def test_only_statements_not_plainly_within_an_old_one_are_open():
    assert open_rules([statement("s3:Get*"), statement("sqs:*")], [statement("s3:*")]) == [1]
    assert open_rules([statement("s3:Get*")], [statement("sqs:*"), statement("s3:*")]) == []
    assert open_rules([deny("s3:*")], []) == []


def test_statement_that_a_lost_deny_touches_is_open():
    assert open_rules([statement("s3:*"), statement("sqs:*")], [statement("*"), deny("s3:Get*")]) == [0]
    assert open_rules([statement("s3:*"), deny("s3:Get*")], [statement("*"), deny("s3:Get*")]) == []
    assert (
        open_rules([statement("s3:*"), deny("s3:*")], [statement("*"), deny("s3:Get*"), deny("s3:Put*", BUCKET)]) == []
    )
    assert open_rules([statement("s3:*"), deny("s3:Get*")], [statement("*"), deny("s3:*")]) == [0]


def test_deny_that_the_boundary_keeps_is_not_lost():
    sides = [statement("s3:*")], [statement("s3:*"), deny("s3:Get*")]

    assert open_rules(*sides) == [0]
    assert open_rules(*sides, [statement("*"), deny("s3:*")]) == []
    assert len(question(*sides).lost_denies) == 1


def test_rival_is_an_old_statement_about_the_same():
    asked = question(
        [statement("s3:*", BUCKET)],
        [statement("sqs:*"), statement("s3:*", "arn:aws:s3:::other"), deny("s3:Get*", BUCKET)],
    )
    (mine,) = asked.new.allows

    assert asked.rival(mine).statement.index == 2
    assert question([statement("s3:*")], [statement("sqs:*")]).rival(mine) is None


# --- what a question knows of its statements --------------------------------------------------------------


def test_all_statements_that_bear_on_the_answer_are_read():
    asked = question(
        [statement("a:a"), deny("b:b")], [statement("c:c"), deny("d:d"), deny("b:b")], [statement("e:e"), deny("f:f")]
    )

    assert [each.statement.actions for each in asked.everyone] == [(f"{c}:{c}",) for c in "abcdef"]
    assert len(question([statement("a:a"), deny("b:b")], [statement("c:c"), deny("d:d")]).everyone) == 4


def test_keys_of_set_operators_may_have_several_values():
    conditions = {"ForAllValues:StringEquals": {"A": "x"}, "StringEquals": {"b": "x"}}

    assert question([statement(Condition=conditions)], []).multivalued == {"a"}
    assert question([], [deny(Condition=conditions)]).multivalued == {"a"}


def test_variables_of_resources_and_conditions_are_listed_once_each():
    condition = {"StringEquals": {"k": ["${aws:userid}", "plain"]}}
    asked = question(
        [statement(resource=f"{BUCKET}/${{aws:UserName}}")],
        [deny(resource=f"{BUCKET}/${{aws:username}}/x", Condition=condition)],
    )

    assert sorted(each.key.lower() for each in asked.variables) == ["aws:userid", "aws:username"]


def test_words_are_the_plain_ends_of_resources():
    resources = [f"{BUCKET}/a", f"{BUCKET}/*", "arn:aws:sqs:r:1:q", f"{BUCKET}/${{k}}", f"{BUCKET}/", "*"]

    assert question(
        [statement(resource=resources)], [statement(resource=["arn:aws:s3:::bucket", f"{BUCKET}/a?"])]
    ).words == ("a", "q", "bucket")


def test_statement_without_resource_has_no_words():
    assert question([statement(resource=None, Principal="*")], [statement(resource=BUCKET)]).words == ("bucket",)


def test_spellings_are_actions_up_to_their_first_wildcard_the_longest_first():
    asked = question([statement(["s3:Get*Object", "s3:PutObject", "sqs:?end", "*"])], [statement("s3:Abc?")])

    assert asked.spellings == ("s3:PutObject", "s3:Abc", "s3:Get", "sqs:", "")


# --- the exact step ---------------------------------------------------------------------------------------


def steps(*sides):
    """The steps of a whole question, and how many cases it finds open."""
    asked = question(*sides)
    cases = [case for each in asked.open_rules() for case in open_cases(asked, each)]
    return minterms.STEPS_LIMIT - asked.budget.left, len(cases)


MANY = [f"s3:{verb}{thing}" for verb in ("Get", "Put") for thing in ("Object", "ObjectAcl", "BucketPolicy")]
CONDITIONAL = [statement("s3:Get*", BUCKET, Condition=EQUAL), statement("s3:Put*", f"{BUCKET}/*")]

#: new statements, old statements, boundary, steps, open cases.
STEPS = {
    "plainly_within": ([statement("s3:Get*")], [statement("s3:*")], None, 0, 0),
    "nothing_was_there": ([statement("s3:GetObject", BUCKET)], [], None, 463, 1),
    "each_action_has_an_old_statement": ([statement(["s3:Get*", "sqs:*"], BUCKET)], [statement("s3:*", BUCKET), statement("sqs:*", BUCKET)], None, 0, 0),
    "each_resource_has_an_old_statement": ([statement("s3:Get*", [BUCKET, f"{BUCKET}/*"])], [statement("s3:*", BUCKET), statement("s3:*", f"{BUCKET}/*")], None, 0, 0),
    "old_statements_of_others": (
        [statement("s3:Get*", [BUCKET, f"{BUCKET}/*"], Principal=NAMED)],
        [statement("s3:*", BUCKET, Principal=NAMED), statement("s3:*", f"{BUCKET}/*"), statement("s3:*", "*", Principal=OTHER)], None, 0, 0,
    ),
    "condition_of_the_old_is_not_the_news": (
        [statement("s3:Get*", [BUCKET, f"{BUCKET}/*"])], [statement("s3:*", BUCKET, Condition=EQUAL), statement("s3:*", f"{BUCKET}/*")], None, 924, 1,
    ),
    "lost_deny_elsewhere": (
        [statement(["s3:Get*", "sqs:*"], BUCKET)], [statement("s3:*", BUCKET), statement("sqs:*", BUCKET), deny("sqs:Send*", BUCKET)], None, 870, 1,
    ),
    "lost_deny_of_all_but": (
        [statement(["s3:Get*", "sqs:*"], BUCKET)], [statement("s3:*", BUCKET), statement("sqs:*", BUCKET), deny(None, BUCKET, NotAction="s3:*")], None, 913, 1,
    ),
    "kept_deny": ([statement("s3:*"), deny("s3:Put*", f"{BUCKET}/*")], [statement("s3:Get*"), statement(MANY), deny("s3:Put*", f"{BUCKET}/*")], None, 3265, 1),
    "all_but_some_resources": ([statement("s3:Get*", None, NotResource=[BUCKET, f"{BUCKET}/*"])], [statement("s3:*", None, NotResource=BUCKET), deny("s3:*", f"{BUCKET}/a*")], None, 0, 0),
    "all_but_some_actions": ([statement(None, BUCKET, NotAction=["s3:Put*", "iam:*"])], [statement(None, BUCKET, NotAction="s3:P*"), statement("s3:Put*")], None, 1180, 1),
    "many_actions": ([statement(MANY)], [statement(each) for each in MANY[::-1]], None, 0, 0),
    "conditions": ([statement("s3:*", [BUCKET, f"{BUCKET}/*"])], [*CONDITIONAL, statement("s3:*", "*", Condition={"Bool": {"b": "true"}})], None, 2744, 2),
    "boundary": ([statement("s3:*"), deny("s3:Put*", BUCKET)], [statement("s3:Get*")], [statement(["s3:Get*", "s3:Put*"]), deny("s3:PutO*")], 1976, 1),
    "boundary_with_conditions": ([statement()], [statement("s3:Get*", Condition=EQUAL)], [statement("s3:Get*", Condition=EQUAL), deny("s3:GetA*", Condition=EQUAL)], 1047, 0),
    "principals": ([statement("s3:Get*", Principal=NAMED), statement("s3:Put*", Principal="*")], [statement("s3:Get?*", Principal="*"), statement(Principal=NAMED)], None, 238, 1),
    "variables": (
        [statement("s3:Get*", f"{BUCKET}/${{aws:username}}/*")], [statement("s3:*", f"{BUCKET}/${{aws:username}}/?*"), deny("s3:*", f"{BUCKET}/secret/*")], None, 869, 2,
    ),
    "everything": ([statement("*")], [statement(None, NotAction="iam:*"), statement("iam:Get*"), statement("iam:*", None, NotResource=BUCKET)], None, 1577, 1),
}  # fmt: skip


@pytest.mark.parametrize("name", STEPS)
def test_question_takes_as_many_steps_as_it_ever_did(name):
    *sides, taken, found = STEPS[name]

    assert steps(*sides) == (taken, found)


def test_law_is_asked_at_the_price_of_its_statements():
    new, old = [policy(statement("s3:GetObject", BUCKET))], [policy(statement("sqs:*"), deny("s3:Put*"))]
    asked = Question(rules(new), rules(old), None)
    (case,) = (case for each in asked.open_rules() for case in open_cases(asked, each))
    before = asked.budget.left

    assert witness.confirmed(case, new, old, None).action == "s3:GetObject"
    assert before - asked.budget.left == witness._PRICE * len(asked.everyone) == 60
