"""The way back: the commands that undo a proposal, and what gives back the calls that it cost."""

import json
import shlex
from dataclasses import replace
from datetime import date, datetime

import pytest

from trailfit.model import AttachedPolicy, Denied, PolicyChange, Principal
from trailfit.policy.document import Document
from trailfit.policy.evaluate import Request, grants
from trailfit.recommend import rollback
from trailfit.recommend.restore import Merged, lost, restoring

ROLE = "arn:aws:iam::111122223333:role/app"
TABLE = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"
MERGED = date(2026, 11, 2)
ADMIN = "arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess"


def document(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(actions, resource, **more):
    return {"Effect": "Allow", "Action": actions, "Resource": resource, **more}


BEFORE = {"kind": "aws_managed", "name": "AmazonDynamoDBFullAccess", "arn": ADMIN,
          "document": document(allow(["dynamodb:*", "dax:*"], "*"))}  # fmt: skip
AFTER = {"kind": "inline", "name": "fitted", "document": document(allow("dynamodb:PutItem", TABLE, Sid="Put"))}


def policy(change):
    return AttachedPolicy(change["kind"], change["name"], change.get("arn"), Document.parse(change["document"]))


def role(*changes):
    return Principal(
        ROLE, "111122223333", "role", "app", "/", datetime(2024, 1, 1), policies=tuple(map(policy, changes))
    )


def denied(action, resource=TABLE, calls=3, last=datetime(2026, 11, 9, 8)):
    return Denied(ROLE, action, resource, calls, last, "not authorized because no identity-based policy allows it")


def merged(before=(BEFORE,), after=(AFTER,)):
    return Merged(ROLE, before, after, MERGED)


def test_a_call_that_the_policies_before_allowed_was_lost():
    row = denied("dynamodb:DeleteItem")

    assert lost(merged(), role(AFTER), [row]) == (row,)


@pytest.mark.parametrize(
    "row",
    [
        denied("s3:GetObject", "arn:aws:s3:::b/k"),  # never granted
        denied("dynamodb:DeleteItem", last=datetime(2026, 11, 1, 8)),  # before the merge
        denied("dynamodb:PutItem"),  # granted today: something else denied it
    ],
)
def test_a_call_that_the_proposal_did_not_cost_is_not_lost(row):
    assert lost(merged(), role(AFTER), [row]) == ()
    assert restoring(merged(), role(AFTER), [row]) is None


def test_just_the_lost_calls_are_given_back():
    found = restoring(
        merged(), role(AFTER), [denied("dynamodb:DeleteItem"), denied("s3:GetObject", "arn:aws:s3:::b/k")]
    )

    (after,) = found.after
    assert after.document.raw["Statement"] == [*AFTER["document"]["Statement"], allow("dynamodb:DeleteItem", TABLE)]
    assert (found.no_new_access.holds, found.still_allows.holds, found.still_allows.requests) == (True, True, 1)
    assert found.disposition == "unsafe"
    assert [each.document.raw for each in found.before] == [AFTER["document"]]


def test_conditions_of_the_policies_before_are_given_back_too():
    condition = {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}
    before = {"kind": "inline", "name": "old", "document": document(allow("dynamodb:*", "*", Condition=condition))}
    after = {
        "kind": "inline",
        "name": "old",
        "document": document(allow("dynamodb:PutItem", TABLE, Condition=condition)),
    }

    found = restoring(merged((before,), (after,)), role(after), [denied("dynamodb:DeleteItem")])

    assert found.after[0].document.raw["Statement"][1] == allow("dynamodb:DeleteItem", TABLE, Condition=condition)


def test_where_no_policy_of_the_proposal_is_left_one_is_made():
    found = restoring(merged(after=()), role(), [denied("dynamodb:DeleteItem")])

    assert [(each.kind, each.name) for each in found.after] == [("inline", "restored")]
    assert found.before == ()
    assert found.rollback == ("aws iam delete-role-policy --role-name app --policy-name restored",)


def test_what_is_given_back_lies_between_todays_grant_and_the_one_before():
    found = restoring(
        merged(), role(AFTER), [denied("dynamodb:DeleteItem"), denied("dynamodb:Query", TABLE + "/index/by-day")]
    )
    new = [each.document for each in found.after]

    def decide(documents, action, resource):
        return grants(Request(ROLE, action, resource, {}, "111122223333"), documents)

    assert decide(new, "dynamodb:PutItem", TABLE)
    assert decide(new, "dynamodb:Query", TABLE + "/index/by-day")
    assert not decide(new, "dynamodb:Query", TABLE)
    assert not decide(new, "dynamodb:DeleteItem", TABLE + "-other")


def change(kind, name, arn=None, statement=None):
    return PolicyChange(kind, name, Document.parse(document(statement or allow("s3:*", "*"))), arn)


def test_the_way_back_gives_first_and_takes_last():
    told = rollback.steps(role(), [change("aws_managed", "DB", ADMIN)], [change("inline", "fitted")])

    assert told == (
        f"aws iam attach-role-policy --role-name app --policy-arn {ADMIN}",
        "aws iam delete-role-policy --role-name app --policy-name fitted",
    )


def test_a_managed_policy_edited_in_place_gets_its_old_document_again():
    arn = "arn:aws:iam::111122223333:policy/app"
    told = rollback.steps(
        role(),
        [change("customer_managed", "app", arn)],
        [change("customer_managed", "app", arn, allow("s3:Get*", "*"))],
    )

    file = "file://before/111122223333/role/app/app.json"
    assert told == (f"aws iam create-policy-version --policy-arn {arn} --policy-document {file} --set-as-default",)


def test_an_inline_policy_edited_in_place_is_put_again():
    told = rollback.steps(role(), [change("inline", "app")], [change("inline", "app", statement=allow("s3:Get*", "*"))])

    assert told == (
        "aws iam put-role-policy --role-name app --policy-name app --policy-document file://before/111122223333/role/app/app.json",
    )


def test_a_removed_role_comes_back_with_its_trust_boundary_and_tags():
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}  # fmt: skip
    made = replace(
        role(), path="/it's/", trust=Document.parse(trust), tags={"team": "a b"},
        boundary=AttachedPolicy("customer_managed", "edge", "arn:aws:iam::111122223333:policy/edge", None),
        instance_profiles=("arn:aws:iam::111122223333:instance-profile/app",),
    )  # fmt: skip

    create, profile = rollback.recreation(made, [])

    words = shlex.split(create)
    options = dict(zip(words[3::2], words[4::2], strict=True))
    assert options["--path"] == "/it's/"
    assert json.loads(options["--assume-role-policy-document"]) == trust
    assert json.loads(options["--tags"]) == [{"Key": "team", "Value": "a b"}]
    assert options["--permissions-boundary"] == "arn:aws:iam::111122223333:policy/edge"
    assert profile == "aws iam add-role-to-instance-profile --role-name app --instance-profile-name app"
