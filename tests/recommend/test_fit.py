"""The policy that people want to read: what stays as it was written, and how the rest is put."""

import json

from trailfit.model import AttachedPolicy
from trailfit.policy.containment import no_new_access
from trailfit.policy.document import Document
from trailfit.recommend.fit import Needs, fit

TABLE = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"
QUEUE = "arn:aws:sqs:eu-west-1:111122223333:jobs"
CONDITION = {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}


def statement(*actions, resource="*", **more):
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


def fitted(statements, used, kept=(), narrowed=None):
    document = Document.parse({"Version": "2012-10-17", "Id": "mine", "Statement": statements})
    policy = AttachedPolicy("inline", "app", None, document)
    (found,) = fit([policy], Needs(used, dict.fromkeys(kept, "kept"), narrowed or {}))
    written = list(found.statements)
    assert no_new_access([Document.parse({"Version": "2012-10-17", "Statement": written})], [document]).holds
    return written


def test_statements_keep_their_order_their_sids_and_their_conditions():
    found = fitted(
        [
            statement("sqs:*", Sid="Queues", Condition=CONDITION),
            {"Sid": "Never", "Effect": "Deny", "Action": "sqs:PurgeQueue", "Resource": "*"},
            statement("dynamodb:*", Sid="Tables"),
        ],
        {"dynamodb:PutItem": [TABLE], "sqs:SendMessage": [QUEUE]},
    )

    assert [(each["Sid"], each["Effect"], each.get("Condition")) for each in found] == [
        ("Queues", "Allow", CONDITION),
        ("Never", "Deny", None),
        ("Tables", "Allow", None),
    ]


def test_a_statement_that_becomes_several_numbers_its_sid():
    found = fitted([statement("*", Sid="All")], {"dynamodb:PutItem": [TABLE], "sqs:SendMessage": [QUEUE]})

    assert [each["Sid"] for each in found] == ["All1", "All2"]


def test_a_statement_that_fits_stays_byte_for_byte():
    written = {"Effect": "Allow", "Resource": [TABLE], "Action": ["dynamodb:putitem"], "Sid": "Mine"}

    first, _ = fitted([written, statement("sqs:*")], {"dynamodb:PutItem": [TABLE], "sqs:SendMessage": [QUEUE]})

    assert json.dumps(first) == json.dumps(written)


def test_one_service_stands_together_and_named_resources_before_wildcards():
    used = {
        "dynamodb:ListTables": ["*"],
        "dynamodb:PutItem": [TABLE],
        "s3:GetObject": ["arn:aws:s3:::b/*", "arn:aws:s3:::b-old/one.csv"],
        "s3:ListAllMyBuckets": ["*"],
        "s3:PutObject": ["arn:aws:s3:::c/one.csv"],
        "sqs:SendMessage": [QUEUE],
    }

    found = fitted([statement("*")], used)

    assert [each["Action"] for each in found] == [
        "dynamodb:PutItem",
        ["dynamodb:ListTables", "s3:ListAllMyBuckets"],
        "s3:PutObject",
        "s3:GetObject",
        "sqs:SendMessage",
    ]
    assert found[3]["Resource"] == ["arn:aws:s3:::b-old/one.csv", "arn:aws:s3:::b/*"]


def test_actions_are_listed_by_name_and_never_compacted():
    used = {f"dynamodb:{name}Item": [TABLE] for name in ("Get", "Put", "Update", "Delete", "BatchWrite", "BatchGet")}

    (found,) = fitted([statement("dynamodb:*")], used)

    assert found["Action"] == sorted(used)


def test_an_action_that_a_condition_guards_keeps_its_condition_and_is_granted_nowhere_else():
    found = fitted(
        [statement("sqs:SendMessage", Condition=CONDITION), statement("dynamodb:*")], {"sqs:SendMessage": [QUEUE]}
    )

    assert found == [statement("sqs:SendMessage", resource=QUEUE, Condition=CONDITION) | {"Action": "sqs:SendMessage"}]


def test_a_kept_action_is_granted_by_the_statements_that_cover_its_need_alone():
    old = [statement("s3:*", resource="arn:aws:s3:::a/*"), statement("s3:*", resource="arn:aws:s3:::b/*")]

    found = fitted(old, {}, ["s3:GetObject"], {"s3:GetObject": ["arn:aws:s3:::a/one.csv"]})

    assert found == [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/one.csv"}]


def test_a_kept_action_of_which_nobody_knows_the_need_keeps_all_it_has():
    old = [statement("s3:*", resource="arn:aws:s3:::a/*")]

    assert fitted(old, {}, ["s3:GetObject"]) == [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*"}
    ]


def test_a_need_that_two_statements_share_is_split_between_them():
    old = [statement("s3:*", resource="arn:aws:s3:::a/*"), statement("s3:*", resource="arn:aws:s3:::b/*")]
    narrowed = {"s3:GetObject": ["arn:aws:s3:::a/one.csv", "arn:aws:s3:::b/two.csv"]}

    found = fitted(old, {}, ["s3:GetObject"], narrowed)

    assert [each["Resource"] for each in found] == ["arn:aws:s3:::a/one.csv", "arn:aws:s3:::b/two.csv"]
