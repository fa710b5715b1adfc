"""The two proofs bite: a proposal that grants more, or allows less, does not pass."""

import pytest

from trailfit.policy.document import Document
from trailfit.policy.evaluate import Request
from trailfit.recommend.gate import prove_no_new_access, prove_still_allows

ROLE = "arn:aws:iam::111122223333:role/app"


def allow(actions, resources="*", **more):
    return Document.parse(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": actions, "Resource": resources, **more}],
        }
    )


def asked(action, resource):
    return Request(ROLE, action, resource, {"aws:PrincipalArn": ROLE}, "111122223333", context_complete=False)


def test_a_wider_policy_is_caught_with_a_request_that_shows_it():
    proof = prove_no_new_access([allow("s3:Get*", "arn:aws:s3:::b/*")], [allow("s3:GetObject", "arn:aws:s3:::b/*")])

    assert proof.holds is False
    assert proof.counterexample["action"].lower().startswith("s3:get")


def test_dropping_a_deny_is_caught():
    deny = Document.parse(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/secret"}],
        }
    )

    assert prove_no_new_access([allow("s3:GetObject")], [allow("s3:GetObject"), deny]).holds is False


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:GetObject", "arn:aws:s3:::b/k"),
        ("kms:Decrypt", "arn:aws:kms:eu-west-1:111122223333:key/k"),
        ("sts:AssumeRole", "arn:aws:iam::222233334444:role/other"),
        ("dynamodb:GetItem", "arn:aws:dynamodb:eu-west-1:222233334444:table/theirs"),
    ],
)
def test_a_used_call_that_the_new_policy_denies_is_caught(action, resource):
    proof = prove_still_allows([allow("sqs:SendMessage")], [allow("*")], [asked(action, resource)])

    assert (proof.holds, proof.requests) == (False, 1)
    assert proof.denied[0]["after"] == "denied"


def test_a_call_that_a_resource_policy_allowed_depends_on_no_identity_policy():
    proof = prove_still_allows([], [allow("sqs:SendMessage")], [asked("s3:GetObject", "arn:aws:s3:::theirs/k")])

    assert (proof.holds, proof.requests) == (True, 0)


def test_a_condition_that_the_log_leaves_open_must_stay_open():
    condition = {"Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}}
    before, request = allow("s3:GetObject", **condition), asked("s3:GetObject", "arn:aws:s3:::b/k")

    assert prove_still_allows([before], [before], [request]).holds is True
    assert prove_still_allows([allow("sqs:SendMessage")], [before], [request]).holds is False
