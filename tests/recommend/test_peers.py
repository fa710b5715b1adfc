"""What others like a role do tells what it will need: where it is kept, and where it never is."""

from datetime import date, datetime, timedelta

import pytest

from trailfit.catalog.actions import access_level, every, expand, is_action
from trailfit.catalog.grave import grave
from trailfit.catalog.tables import rows
from trailfit.model import Permission, Usage, Window
from trailfit.recommend.classify import Judged
from trailfit.recommend.learnt import learn
from trailfit.recommend.peers import Peers, keep_habits, way_of

ME = "arn:aws:iam::111122223333:role/me"
TABLE = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"
QUEUE = "arn:aws:sqs:eu-west-1:111122223333:jobs"
WINDOW = Window(date(2026, 8, 3), date(2026, 10, 31))


def use(who, action, resource, days=80):
    first = datetime(2026, 8, 4, 8)
    return Usage(
        who, "role", action, resource, "required", "test", days, 0, first, first + timedelta(days=days), days, "e"
    )


def others(count, *actions, of=20, resource="arn:aws:dynamodb:us-east-1:444455556666:table/other"):
    """`of` roles that put items; the first `count` of them also use `actions`."""
    return {
        f"arn:aws:iam::444455556666:role/r{n}": [
            use(f"r{n}", "dynamodb:PutItem", resource), *(use(f"r{n}", each, resource, 2) for each in actions if n < count)
        ]
        for n in range(of)
    }  # fmt: skip


def kept(mine, theirs, *granted, level="balanced"):
    uses = {}
    for action, resource, days in mine:
        uses.setdefault(action, []).append(use(ME, action, resource, days))
    judged = {
        a: Judged(Permission(a, "used" if a in uses else "unused", ""), carried=a in uses)
        for a in sorted({*uses, *granted})
    }
    usage = {ME: [row for rows in uses.values() for row in rows], **theirs}
    found, narrowed = keep_habits(ME, judged, {}, learn(uses, {}, WINDOW, level, {}), Peers(usage), level)
    told = {action: each.permission for action, each in found.items() if each.permission.cls == "kept"}
    return told, narrowed


WRITES = [("dynamodb:PutItem", TABLE, 80), ("dynamodb:UpdateItem", TABLE, 2)]
READS = [("dynamodb:GetItem", TABLE, 80), ("dynamodb:Query", TABLE, 2)]


def test_what_several_others_do_the_same_way_is_kept_on_the_roles_own_resources():
    told, narrowed = kept(WRITES, others(5, "dynamodb:BatchWriteItem"), "dynamodb:BatchWriteItem")

    assert narrowed == {"dynamodb:BatchWriteItem": (TABLE,)}
    assert told["dynamodb:BatchWriteItem"].reason == (
        "kept although no call was seen: 5 of the 20 others that use dynamodb table in the same ways use it too"
    )


@pytest.mark.parametrize(("count", "of"), [(0, 20), (1, 3), (2, 40)])
def test_what_too_few_others_write_is_not_kept(count, of):
    assert kept(WRITES, others(count, "dynamodb:BatchWriteItem", of=of), "dynamodb:BatchWriteItem") == ({}, {})


def test_what_is_not_granted_today_is_not_kept():
    assert kept(WRITES, others(9, "dynamodb:BatchWriteItem")) == ({}, {})


def test_a_role_of_pure_routine_keeps_nothing():
    mine = [("dynamodb:PutItem", TABLE, 80)]
    assert kept(mine, others(9, "dynamodb:BatchWriteItem"), "dynamodb:BatchWriteItem") == ({}, {})


def test_level_exact_keeps_nothing():
    theirs = others(9, "dynamodb:BatchWriteItem")
    assert kept(WRITES, theirs, "dynamodb:BatchWriteItem", level="exact") == ({}, {})


def test_a_role_that_only_reads_gets_nothing_to_write_with():
    readers = {
        who: [*uses, use(who, "dynamodb:GetItem", uses[0].resource)]
        for who, uses in others(9, "dynamodb:BatchWriteItem").items()
    }

    told, _ = kept(READS, readers, "dynamodb:BatchWriteItem", "dynamodb:PutItem", "dynamodb:UpdateTable")

    assert told == {}


def test_a_role_that_only_writes_gets_no_data_to_read():
    told, _ = kept(
        WRITES, others(9, "dynamodb:GetItem", "dynamodb:BatchGetItem"), "dynamodb:GetItem", "dynamodb:BatchGetItem"
    )

    assert told == {}


def test_others_that_use_another_type_of_resource_tell_nothing():
    theirs = others(9, "dynamodb:BatchWriteItem")
    mine = [("sqs:SendMessage", QUEUE, 80), ("sqs:GetQueueUrl", QUEUE, 2)]

    assert kept(mine, theirs, "dynamodb:BatchWriteItem", "sqs:ReceiveMessage") == ({}, {})


def test_what_loses_data_is_kept_at_level_relaxed_alone():
    theirs = others(9, "dynamodb:DeleteItem")

    assert kept(WRITES, theirs, "dynamodb:DeleteItem") == ({}, {})
    assert list(kept(WRITES, theirs, "dynamodb:DeleteItem", level="relaxed")[0]) == ["dynamodb:DeleteItem"]


def test_what_lists_the_roles_own_resources_is_kept_even_if_nobody_used_it():
    told, narrowed = kept(WRITES, {}, "dynamodb:ListBackups", "dynamodb:ListTagsOfResource", "dynamodb:DescribeBackup")

    assert all(access_level(action) == "List" for action in told)
    assert all(found == (TABLE,) for found in narrowed.values())


@pytest.mark.parametrize("level", ["balanced", "relaxed"])
def test_nothing_grave_is_ever_kept(level):
    services = {"dynamodb": TABLE, "s3": "arn:aws:s3:::b/k", "kms": "arn:aws:kms:eu-west-1:111122223333:key/k",
                "secretsmanager": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:s-AbCdEf",
                "lambda": "arn:aws:lambda:eu-west-1:111122223333:function:f", "iam": "arn:aws:iam::111122223333:role/x"}  # fmt: skip
    for service, resource in services.items():
        actions = [action for action in expand(f"{service}:*") if way_of(action)]
        theirs = {f"r{n}": [use(f"r{n}", action, resource, 2) for action in actions] for n in range(9)}
        known = [a for a in ("dynamodb:PutItem", "s3:PutObject", "kms:Decrypt", "secretsmanager:DescribeSecret",
                 "lambda:InvokeFunction", "iam:GetRole") if a.startswith(f"{service}:")]  # fmt: skip
        told, _ = kept([(known[0], resource, 2)], theirs, *actions, level=level)
        for action in told:
            harm = grave(action)
            allowed = harm is None or (level == "relaxed" and harm.kind == "loss") or harm.only_by_writing
            assert allowed, action
            assert service not in ("kms", "iam", "secretsmanager"), action


def test_every_row_of_grave_actions_names_some_and_has_a_reason_and_a_source():
    for row in rows("grave_actions"):
        assert expand(row["pattern"]), row
        assert row["reason"], row
        assert row["harm"] in {"rights", "secrets", "loss", "leak", "code", "watch"}, row
        assert row["source"].startswith("https://docs.aws.amazon.com/"), row


def test_permissions_management_and_all_of_iam_is_grave():
    assert [a for a in every() if "Permissions management" in access_level(a) and grave(a) is None] == []
    assert [a for a in expand("iam:*") if grave(a) is None or grave(a).only_by_writing] == []
    assert is_action("dynamodb:BatchGetItem")
    assert grave("dynamodb:BatchGetItem") is None
