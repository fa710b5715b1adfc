"""Containment: the traps by name, the faults that must be caught, and what a person sees."""

import ipaddress
import json
import time

import pytest

from tests.policy.conftest import policy, statement
from trailfit.policy import minterms, witness
from trailfit.policy.automaton import TooLargeError
from trailfit.policy.containment import no_new_access, still_allows
from trailfit.policy.document import Document
from trailfit.policy.evaluate import Request, grants

BUCKET = "arn:aws:s3:::bucket"
EQUAL = {"StringEquals": {"aws:PrincipalTag/team": "a"}}

ALL_BUT_THE_FIRST = [
    str(each)
    for each in ipaddress.summarize_address_range(ipaddress.IPv4Address(1), ipaddress.IPv4Address("255.255.255.255"))
]
ALL_BUT_THE_FIRST_OF_6 = [
    str(each) for each in ipaddress.summarize_address_range(ipaddress.IPv6Address(1), ipaddress.IPv6Address(2**128 - 1))
]


def deny(*arguments, **more):
    return statement(*arguments, effect="Deny", **more)


#: name, new statements, old statements, the answer.
TRAPS = {
    "same": ([statement()], [statement()], True),
    "nothing": ([], [statement()], True),
    "something_where_there_was_nothing": ([statement()], [], False),
    "action_is_compared_without_case": ([statement("S3:getobject")], [statement("s3:GetObject")], True),
    "resource_is_compared_with_case": ([statement(resource=f"{BUCKET}/A")], [statement(resource=f"{BUCKET}/a")], False),
    "question_mark_is_not_a_run": ([statement(resource=f"{BUCKET}/*")], [statement(resource=f"{BUCKET}/?")], False),
    "run_holds_question_mark": ([statement(resource=f"{BUCKET}/?")], [statement(resource=f"{BUCKET}/*")], True),
    "bucket_is_not_its_objects": ([statement(resource=BUCKET)], [statement(resource=f"{BUCKET}/*")], False),
    "dropped_deny_grants": ([statement()], [statement(), deny(resource=f"{BUCKET}/secret*")], False),
    "lost_deny_of_several_services": ([statement("s3:*")], [statement("s3:*"), deny(["sqs:*", "s3:Get*"])], False),
    "lost_deny_on_several_resources": ([statement("s3:*", BUCKET)], [statement("s3:*", BUCKET), deny("s3:*", ["arn:aws:s3:::other", BUCKET])], False),
    "lost_deny_with_a_condition_more": (
        [statement(Condition=EQUAL)], [statement(Condition=EQUAL), deny(Condition={**EQUAL, "Bool": {"aws:SecureTransport": "false"}})], False,
    ),
    "statement_without_resource_grants": ([statement(resource=None, Principal="*")], [statement(resource=BUCKET, Principal="*")], False),
    "kept_deny": ([statement(), deny("s3:Get*")], [statement(), deny("s3:Get*")], True),
    "wider_deny": ([statement(), deny("s3:*")], [statement(), deny("s3:Get*")], True),
    "narrower_deny": ([statement(), deny("s3:GetObject")], [statement(), deny("s3:Get*")], False),
    "deny_with_a_condition_added": ([statement(), deny(Condition=EQUAL)], [statement(), deny()], False),
    "deny_that_touches_nothing_granted": ([statement("s3:GetObject")], [statement(), deny("s3:Put*")], True),
    "dropped_condition": ([statement()], [statement(Condition=EQUAL)], False),
    "kept_condition": ([statement("s3:Get*", Condition=EQUAL)], [statement(Condition=EQUAL)], True),
    "one_key_that_is_never_met_is_enough": ([statement(Condition={"NumericLessThan": {"n": "few"}, "StringEquals": {"k": "a"}})], [], True),
    "like_as_text_is_more_than_like_as_arn": (
        [statement(Condition={"StringLike": {"k": "arn:*:s3:::b"}})], [statement(Condition={"ArnLike": {"k": "arn:*:s3:::b"}})], False,
    ),
    "first_address_of_all_in_version_6": (
        [statement(Condition={"NotIpAddress": {"k": [*ALL_BUT_THE_FIRST_OF_6, "0.0.0.0/0"]}, "Null": {"k": "false"}})], [], False,
    ),
    "variables_are_not_read_in_actions": ([statement("s3:Get${?}")], [statement("s3:Get?")], False),
    "default_of_a_variable_stands_where_its_key_is_absent": (
        [statement(resource=f"{BUCKET}/${{aws:username, 'b'}}")], [statement(Condition={"Null": {"aws:username": "false"}})], False,
    ),
    "session_of_a_role_by_another_path": (
        [statement(Principal={"AWS": "arn:aws:iam::111122223333:role/p/a"})],
        [statement(Principal={"AWS": "arn:aws:iam::111122223333:role/p/a"}), deny(Principal={"AWS": "arn:aws:iam::111122223333:role/q/a"})], False,
    ),
    "added_condition": ([statement(Condition=EQUAL)], [statement()], True),
    "condition_key_without_case": (
        [statement(Condition={"StringEquals": {"AWS:principaltag/team": "a"}})], [statement(Condition=EQUAL)], True,
    ),
    "fewer_values": ([statement(Condition=EQUAL)], [statement(Condition={"StringEquals": {"aws:PrincipalTag/team": ["b", "a"]}})], True),
    "more_values": ([statement(Condition={"StringEquals": {"aws:PrincipalTag/team": ["b", "a"]}})], [statement(Condition=EQUAL)], False),
    "more_excluded_values": (
        [statement(Condition={"StringNotEquals": {"k": ["a", "b"]}})], [statement(Condition={"StringNotEquals": {"k": "a"}})], True,
    ),
    "fewer_excluded_values": (
        [statement(Condition={"StringNotEquals": {"k": "a"}})], [statement(Condition={"StringNotEquals": {"k": ["a", "b"]}})], False,
    ),
    "if_exists_is_weaker": (
        [statement(Condition={"StringEqualsIfExists": {"k": "a"}})], [statement(Condition={"StringEquals": {"k": "a"}})], False,
    ),
    "without_if_exists_is_stronger": (
        [statement(Condition={"StringEquals": {"k": "a"}})], [statement(Condition={"StringEqualsIfExists": {"k": "a"}})], True,
    ),
    "equal_is_like": ([statement(Condition={"StringEquals": {"k": "ab"}})], [statement(Condition={"StringLike": {"k": "a*"}})], True),
    "like_is_not_equal": ([statement(Condition={"StringLike": {"k": "a*"}})], [statement(Condition={"StringEquals": {"k": "a*"}})], False),
    "for_all_values_is_true_of_nothing": (
        [statement(Condition={"ForAllValues:StringEquals": {"k": "a"}})], [statement(Condition={"ForAnyValue:StringEquals": {"k": "a"}})], False,
    ),
    "narrower_network": ([statement(Condition={"IpAddress": {"k": "10.1.0.0/16"}})], [statement(Condition={"IpAddress": {"k": "10.0.0.0/8"}})], True),
    "wider_network": ([statement(Condition={"IpAddress": {"k": "10.0.0.0/8"}})], [statement(Condition={"IpAddress": {"k": "10.1.0.0/16"}})], False),
    "upper_half_of_a_network_is_new": (
        [statement(Condition={"IpAddress": {"k": "10.0.0.0/8"}})], [statement(Condition={"IpAddress": {"k": "10.0.0.0/9"}})], False,
    ),
    "first_address_of_all": (
        [statement(Condition={"NotIpAddress": {"k": [*ALL_BUT_THE_FIRST, "::/0"]}, "Null": {"k": "false"}})], [], False,
    ),
    "beyond_the_largest_number": ([statement(Condition={"NumericGreaterThan": {"k": "5"}})], [], False),
    "between_two_seconds": (
        [statement(Condition={"DateGreaterThan": {"k": "2020-01-01T00:00:00Z"}, "DateLessThan": {"k": "2020-01-01T00:00:01Z"}})], [], False,
    ),
    "empty_value_is_a_value": ([statement(Condition={"StringLike": {"k": "*"}})], [statement(Condition={"StringLike": {"k": "?*"}})], False),
    "number_that_is_none_is_never_met": (
        [statement(Condition={"NumericLessThan": {"k": "few"}}), statement(Condition={"DateEquals": {"d": "soon"}})], [], True,
    ),
    "two_values_can_meet_what_one_cannot": (
        [statement(Condition={"ForAnyValue:StringEquals": {"k": "a"}, "ForAnyValue:StringLike": {"k": "b"}})], [], False,
    ),
    "smaller_number": ([statement(Condition={"NumericLessThan": {"k": "5"}})], [statement(Condition={"NumericLessThan": {"k": "10"}})], True),
    "larger_number": ([statement(Condition={"NumericLessThan": {"k": "10"}})], [statement(Condition={"NumericLessThan": {"k": "5"}})], False),
    "two_halves_make_the_whole": (
        [statement()], [statement(Condition={"StringEquals": {"k": "a"}}), statement(Condition={"StringNotEquals": {"k": "a"}})], True,
    ),
    "two_actions_of_two_statements_on_each_others_resources": (
        [statement(["s3:GetObject", "s3:PutObject"], [f"{BUCKET}/a", f"{BUCKET}/b"])],
        [statement("s3:GetObject", f"{BUCKET}/a"), statement("s3:PutObject", f"{BUCKET}/b")], False,
    ),
    "not_resource_is_no_resource": (
        [statement(Resource=None, NotResource=f"{BUCKET}/foo", resource=None)], [statement(resource=f"{BUCKET}/*")], False,
    ),
    "not_resource_of_less_is_more": (
        [statement(resource=None, NotResource=f"{BUCKET}/foo")], [statement(resource=None, NotResource=f"{BUCKET}/*")], False,
    ),
    "not_resource_of_more_is_less": (
        [statement(resource=None, NotResource=f"{BUCKET}/*")], [statement(resource=None, NotResource=f"{BUCKET}/foo")], True,
    ),
    "resource_outside_not_resource": ([statement(resource="arn:aws:s3:::other")], [statement(resource=None, NotResource=f"{BUCKET}/*")], True),
    "not_action_of_less_is_more": (
        [statement(action=None, NotAction="iam:Get*")], [statement(action=None, NotAction="iam:*")], False,
    ),
    "not_action_of_more_is_less": (
        [statement(action=None, NotAction=["iam:*", "sts:*"])], [statement(action=None, NotAction="iam:*")], True,
    ),
    "all_but_one_service": ([statement("s3:*")], [statement(action=None, NotAction="iam:*")], True),
    "everything_is_more_than_all_but": ([statement("*")], [statement(action=None, NotAction="iam:*")], False),
    "next_years_action": ([statement("s3:Get*")], [statement(["s3:GetObject", "s3:GetBucketAcl"])], False),
    "every_letter_is_not_every_name": ([statement("s3:*")], [statement([f"s3:{c}*" for c in "abcdefghijklmnopqrstuvwxyz"])], False),
    "empty_names_are_no_actions": ([statement("s3:*")], [statement("s3:?*")], True),
    "all_services": ([statement("*")], [statement("*:*")], True),
    "arns_are_not_all_there_is": ([statement()], [statement(resource="arn:*")], False),
    "region_wildcard_stays_in_its_segment": (
        [statement("sqs:*", "arn:aws:sqs:*:1:q")], [statement("sqs:*", "arn:aws:sqs:*:q")], False,
    ),
    "short_arn_is_completed": ([statement(resource=f"{BUCKET}/x:y")], [statement(resource="arn:aws:s3")], True),
    "same_variable": (
        [statement("s3:Get*", f"{BUCKET}/${{aws:username}}/*")], [statement("s3:*", f"{BUCKET}/${{aws:username}}/*")], True,
    ),
    "other_variable": ([statement(resource=f"{BUCKET}/${{aws:username}}")], [statement(resource=f"{BUCKET}/${{aws:userid}}")], False),
    "variable_within_a_run": ([statement(resource=f"{BUCKET}/${{aws:username}}")], [statement(resource=f"{BUCKET}/*")], True),
    "variable_is_longer_than_a_letter": ([statement(resource=f"{BUCKET}/${{aws:username}}")], [statement(resource=f"{BUCKET}/?")], False),
    "variable_in_a_dropped_deny": ([statement()], [statement(), deny(resource=f"{BUCKET}/${{aws:username}}")], False),
    "variable_that_a_deny_could_meet": (
        [statement(resource=f"{BUCKET}/${{aws:username}}")], [statement(), deny(resource=f"{BUCKET}/secret")], False,
    ),
    "variable_before_the_fifth_colon_matches_nothing": (
        [statement("sqs:*", "arn:aws:sqs:r:${aws:PrincipalAccount}:q")], [], True,
    ),
    "variable_in_a_condition": (
        [statement("s3:Get*", Condition={"StringEquals": {"k": "${aws:username}"}})], [statement(Condition={"StringEquals": {"k": "${aws:username}"}})], True,
    ),
    "principal_is_compared": (
        [statement(Principal={"AWS": "arn:aws:iam::111122223333:user/a"})], [statement(Principal={"AWS": "arn:aws:iam::111122223333:user/b"})], False,
    ),
    "user_is_of_its_account": (
        [statement(Principal={"AWS": "arn:aws:iam::111122223333:user/a"})], [statement(Principal={"AWS": "111122223333"})], True,
    ),
    "everyone_is_more_than_one": ([statement(Principal="*")], [statement(Principal={"AWS": "111122223333"})], False),
    "one_of_everyone": ([statement(Principal={"Service": "ec2.amazonaws.com"})], [statement(Principal={"AWS": "*"})], True),
    "session_of_a_role": (
        [statement(Principal={"AWS": "arn:aws:iam::111122223333:role/a"})], [statement(Principal={"AWS": "arn:aws:sts::111122223333:assumed-role/a/s"})], False,
    ),
    "not_principal": (
        [statement(Principal={"AWS": "111122223333"})], [statement(NotPrincipal={"AWS": "arn:aws:iam::111122223333:user/a"})], False,
    ),
    "one_is_not_all_but_that_one": (
        [statement(Principal={"AWS": "arn:aws:iam::111122223333:user/a"})], [statement(NotPrincipal={"AWS": "arn:aws:iam::111122223333:user/a"})], False,
    ),
    "empty_service_is_no_service": ([statement("*:Get*")], [statement("?*:Get*")], True),
    "other_than_not_principal": (
        [statement(Principal={"AWS": "111122224444"})], [statement(NotPrincipal={"AWS": "arn:aws:iam::111122223333:user/a"})], True,
    ),
    "statement_without_resource_is_about_all": ([statement(resource=None, Principal="*")], [statement(Principal="*")], True),
}  # fmt: skip


@pytest.mark.parametrize("name", TRAPS)
def test_trap(name):
    new, old, expected = TRAPS[name]
    verdict = no_new_access([policy(*new)], [policy(*old)])

    assert verdict.holds is expected, verdict
    assert (verdict.counterexample is None) is expected
    if not expected:
        assert grants(verdict.counterexample, [policy(*new)]) is True
        assert grants(verdict.counterexample, [policy(*old)]) is False
    assert no_new_access([policy(*new)], [policy(*new)]).holds is True


def test_all_documents_of_a_principal_are_taken_together():
    old = [policy(statement("s3:Get*")), policy(statement("s3:Put*")), policy(deny("s3:PutBucketPolicy"))]

    assert no_new_access([policy(statement(["s3:GetObject", "s3:PutObject"]))], old).holds is True
    assert no_new_access(old[:2], old).counterexample.action == "s3:PutBucketPolicy"
    assert no_new_access(old, [*old, policy(deny("s3:*"))]).holds is False


def test_boundary_takes_part():
    new, old = [policy(statement("s3:*"))], [policy(statement("s3:Get*"))]

    assert no_new_access(new, old).holds is False
    assert no_new_access(new, old, boundary=policy(statement("s3:Get*"))).holds is True
    assert no_new_access(new, old, boundary=[policy(statement("s3:*"), deny(None, NotAction="s3:Get*"))]).holds is True
    within = no_new_access(new, old, boundary=policy(statement(["s3:Get*", "s3:PutObject"])))
    assert within.counterexample.action == "s3:PutObject"
    assert (
        no_new_access(
            new, [*old, policy(deny("s3:Get*"))], boundary=policy(deny("s3:Get*"), statement("s3:Get*"))
        ).holds
        is True
    )
    assert no_new_access(new, old, boundary=[]).holds is True


def test_boundary_with_a_condition_is_part_of_the_counterexample():
    limit = policy(statement("s3:*", Condition={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}))
    found = no_new_access([policy(statement())], [], boundary=limit).counterexample

    assert found.context == {"aws:RequestedRegion": "eu-west-1"}


EXAMPLES = [
    ([statement("s3:GetObject", f"{BUCKET}/*")], [], ("s3:GetObject", f"{BUCKET}/x", {})),
    ([statement("s3:GetObject")], [], ("s3:GetObject", "*", {})),
    ([statement("logs:*", "arn:aws:logs:*:*:log-group:*:log-stream:*")], [],
     ("logs:x", "arn:aws:logs:us-east-1:123456789012:log-group:x:log-stream:x", {})),
    ([statement("sqs:*", "arn:aws:sqs:*:*:q?")], [], ("sqs:x", "arn:aws:sqs:us-east-1:123456789012:qx", {})),
    ([statement("ec2:*")], [statement("ec2:*", "arn:aws:ec2:*:*:*"), statement("ec2:*", "*", Condition=EQUAL)], ("ec2:x", "*", {})),
    ([statement("s3:GetObject")], [statement("s3:GetObject", "*", Condition=EQUAL), statement("s3:GetObject", BUCKET)], ("s3:GetObject", "*", {})),
    ([statement("s3:GetObject", BUCKET, Condition={"NumericLessThan": {"k": "9"}})], [statement(Condition={"NumericLessThan": {"k": "5"}})],
     ("s3:GetObject", BUCKET, {"k": "5"})),
    ([statement("s3:GetObject", BUCKET, Condition={"DateLessThan": {"k": "2020-01-03"}})], [statement(Condition={"DateLessThan": {"k": "2020-01-02"}})],
     ("s3:GetObject", BUCKET, {"k": "2020-01-02T00:00:00Z"})),
    ([statement("s3:GetObject", BUCKET, Condition={"ForAnyValue:StringEquals": {"k": "a"}})],
     [statement(Condition={"ForAllValues:StringEquals": {"k": "a"}})], ("s3:GetObject", BUCKET, {"k": ("x", "a")})),
    ([statement("s3:Get*", f"{BUCKET}/${{aws:username}}")], [statement("s3:Get*", f"{BUCKET}/a*")],
     ("s3:Get", f"{BUCKET}/x", {"aws:username": "x"})),
    ([statement("s3:*", "arn:aws:*:*:*:b")], [], ("s3:x", "arn:aws:s3:us-east-1:123456789012:b", {})),
    ([statement("s3:*", f"{BUCKET}/${{aws:username}}*")], [statement("s3:*", f"{BUCKET}/${{aws:username}}?*")],
     ("s3:x", f"{BUCKET}/x", {"aws:username": "x"})),
    ([statement("s3:GetObject", BUCKET, Condition={"ForAnyValue:StringEquals": {"k": "a"}})], [statement(Condition={"StringEquals": {"k": "a"}})],
     ("s3:GetObject", BUCKET, {"k": ("a", "x")})),
    ([statement("s3:GetObject", BUCKET, Condition={"StringLike": {"aws:k": "a*"}, "StringNotEquals": {"AWS:k": "a"}})], [],
     ("s3:GetObject", BUCKET, {"AWS:k": "ax"})),
]  # fmt: skip


@pytest.mark.parametrize(("new", "old", "expected"), EXAMPLES)
def test_counterexample_is_short_and_readable(new, old, expected):
    found = no_new_access([policy(*new)], [policy(*old)]).counterexample

    assert (found.action, found.resource, found.context) == expected


def test_counterexample_can_name_a_known_action():
    new, old = [policy(statement("s3:Get*"))], [policy(statement("s3:GetObject*"))]
    found = no_new_access(new, old).counterexample
    shown = witness.readable(found, ["s3:PutObject", "s3:GetObjectAcl", "s3:GetBucketAcl"], new, old)

    assert shown.action == "s3:GetBucketAcl"
    assert witness.readable(found, ["s3:PutObject"], new, old) == found


def test_version_that_makes_variables_text_is_named():
    new = policy(statement(resource=f"{BUCKET}/${{aws:username}}"))
    old = policy(statement(resource=f"{BUCKET}/${{aws:username}}"), version="2008-10-17")
    verdict = no_new_access([new], [old])

    assert verdict.holds is None
    assert "Version 2012-10-17" in verdict.reason
    assert grants(verdict.counterexample, [old]) is False
    assert no_new_access([policy(statement("*"), version="2008-10-17")], [old]).holds is False
    alone = policy(statement("sqs:*", "arn:aws:sqs:r:${aws:PrincipalAccount}:q"), version="2008-10-17")
    assert no_new_access([alone], [policy(statement("s3:*"))]).holds is None
    assert no_new_access([alone, policy(statement("s3:*"))], [policy(statement("s3:*"))]).holds is None
    assert no_new_access([alone], [alone]).holds is True
    plain = policy(statement("s3:*"), version="2008-10-17")
    assert no_new_access([alone, plain], [policy(statement("s3:*"))]).holds is None
    assert no_new_access([alone], [], boundary=policy(statement("sqs:*"), version="2008-10-17")).holds is None


def test_undecided_names_the_pair_of_statements(monkeypatch):
    monkeypatch.setattr(minterms, "minterms", _too_large)
    verdict = no_new_access(
        [policy(), policy(statement(), statement("s3:Get?bject"))], [policy(statement("s3:Get*", BUCKET))]
    )

    assert verdict.holds is None
    assert verdict.counterexample is None
    assert verdict.statements == ("new[1].Statement[0]", "old[0].Statement[0]")
    assert "too many cases" in verdict.reason


def _many_states():
    """Whether the letter so many places from the end is an a: as many sets of states as there are such endings."""
    return [statement("s3:*", f"{BUCKET}/*a{'?' * places}") for places in range(22)]


def test_question_past_the_budget_is_undecided_soon_and_always_so():
    new = [policy(statement("s3:Get*", f"{BUCKET}/*"))]
    rest = [statement("s3:*", [f"{BUCKET}/a*", f"{BUCKET}/{each}"]) for each in ("?*", "")]
    old = [policy(*_many_states(), *rest)]
    started = time.process_time()
    answers = [no_new_access(new, old) for _ in range(2)]

    assert time.process_time() - started < 10
    assert answers[0] == answers[1]
    assert answers[0].holds is None
    assert answers[0].statements == ("new[0].Statement[0]", "old[0].Statement[0]")
    assert "too many cases" in answers[0].reason


def test_budget_is_for_each_question_and_its_law_anew(monkeypatch):
    new, old = [policy(statement("s3:*"))], [policy(statement("s3:Get*"))]
    monkeypatch.setattr(minterms, "STEPS_LIMIT", 50)

    assert no_new_access(new, old).holds is None
    assert no_new_access(new, new).holds is True
    monkeypatch.setattr(minterms, "STEPS_LIMIT", 10_000)
    assert [no_new_access(new, old).holds for _ in range(50)] == [False] * 50
    monkeypatch.setattr(witness, "_PRICE", 10_000)
    assert no_new_access(new, old).holds is None


def _too_large(*_):
    raise TooLargeError


def test_unconfirmed_case_is_undecided(monkeypatch):
    monkeypatch.setattr(witness, "confirmed", lambda *_: None)
    verdict = no_new_access([policy(statement())], [policy(statement("s3:Get*"))])

    assert verdict.holds is None
    assert verdict.statements == ("new[0].Statement[0]", "old[0].Statement[0]")
    assert no_new_access([policy(statement())], []).statements == ("new[0].Statement[0]", "the old documents")
    assert "not worked out" in verdict.reason
    old = [policy(statement("s3:GetZ*", Condition=EQUAL), statement(Condition=EQUAL))]
    nearest = no_new_access([policy(statement("s3:Get*"))], old).statements
    assert nearest == ("new[0].Statement[0]", "old[0].Statement[1]")


def test_still_allows_lists_what_is_denied():
    asked = [Request(None, "s3:GetObject", f"{BUCKET}/a"), Request(None, "s3:PutObject", f"{BUCKET}/a")]

    assert still_allows([policy(statement("s3:*"))], asked) == []
    assert still_allows([policy(statement("s3:Get*"))], asked) == asked[1:]
    assert still_allows([policy(statement("s3:*"))], asked, boundary=policy(statement("s3:Put*"))) == asked[:1]
    conditional = policy(statement("s3:*", Condition=EQUAL))
    unknown = [Request(None, "s3:GetObject", f"{BUCKET}/a", context_complete=False)]
    assert still_allows([conditional], unknown) == unknown


def _quacky(reference, fill_version):
    """The 1,092 directions: new, old, the answers of the two engines; documents lost their Version when mutated."""
    folder = reference / "policy-cases" / "quacky"
    read = {}

    def document(name):
        if name not in read:
            raw = json.loads((folder / name).read_text())
            read[name] = Document.parse({**raw, "Version": "2012-10-17"} if fill_version else raw, name)
        return read[name]

    for line in (folder / "oracle_mutations.jsonl").read_text().splitlines():
        pair = json.loads(line)
        for new, old, way in (("p1", "p2", "p1_subset_p2"), ("p2", "p1", "p2_subset_p1")):
            yield document(pair[new]), document(pair[old]), {pair[f"minterm_{way}"], pair[f"z3_{way}"]} - {None}


def test_no_answer_is_against_the_two_engines_on_quackys_policies(reference):
    directions = list(_quacky(reference, fill_version=True))
    answers = [no_new_access([new], [old]).holds for new, old, _ in directions]

    assert len(directions) == 1092
    assert None not in answers
    assert [answer for answer, (_, _, engines) in zip(answers, directions, strict=True) if engines - {answer}] == []


def test_no_answer_is_against_the_two_engines_on_quackys_policies_as_they_are(reference):
    undecided = 0
    for new, old, engines in _quacky(reference, fill_version=False):
        answer = no_new_access([new], [old])
        undecided += answer.holds is None
        assert answer.holds is None or not engines - {answer.holds}
        assert answer.holds is not None or "Version" in answer.reason
    assert undecided == 36


def test_sample_of_managed_policies_is_proven_against_itself_and_its_half(managed):
    started = time.perf_counter()
    for name in sorted(managed)[::40]:
        raw = json.loads(json.dumps(managed[name]))
        for each in raw["Statement"] if isinstance(raw["Statement"], list) else [raw["Statement"]]:
            if each["Effect"] == "Allow" and isinstance(each.get("Action"), list):
                each["Action"] = each["Action"][::2]
        whole, half = Document.parse(managed[name]), Document.parse(raw)
        assert no_new_access([half], [whole]).holds is True
        assert no_new_access([whole], [Document.parse(managed[name])]).holds is True
    assert time.perf_counter() - started < 20


def test_the_same_text_is_another_condition_where_variables_are_not_read():
    condition = {"StringEquals": {"aws:username": "${aws:PrincipalTag/owner}"}}
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": condition}
    read, plain = (
        Document.parse({"Version": version, "Statement": [statement]}) for version in ("2012-10-17", "2008-10-17")
    )

    assert no_new_access([read], [plain]).holds is not True
    assert no_new_access([plain], [read]).holds is not True
    assert no_new_access([read], [read]).holds is True


def test_condition_with_a_variable_among_its_values_is_not_taken_for_its_placeholder():
    mixed = policy(statement(Condition={"StringEquals": {"k": ["${aws:username}", "b"]}}))
    plain = policy(statement(Condition={"StringEquals": {"k": ["username", "b"]}}))

    assert no_new_access([mixed], [plain]).holds is not True
    assert no_new_access([plain], [mixed]).holds is not True
    assert no_new_access([mixed], [mixed]).holds is True
