"""What a principal's log teaches: companions are kept where there is reason to, on resources that they take."""

from datetime import date, datetime

import pytest

from trailfit.catalog.actions import is_action
from trailfit.catalog.companions import companions_of
from trailfit.catalog.tables import rows
from trailfit.model import Permission, Usage, Window
from trailfit.recommend.classify import Judged
from trailfit.recommend.learnt import Levels, fitting, keep_companions, learn

WINDOW = Window(date(2026, 8, 3), date(2026, 10, 31))
KEY = "arn:aws:s3:::b/k"


def used(action, resource, days):
    return Usage("arn:aws:iam::111122223333:role/app", "role", action, resource, "required", "test", days, 0,
                 datetime(2026, 8, 3), datetime(2026, 10, 31), days, "e1")  # fmt: skip


def kept(uses, unused, level="balanced", carried=False):
    by_action = {row.action: [row] for row in uses}
    judged = {action: Judged(Permission(action, "used", ""), carried=True) for action in by_action}
    judged |= {action: Judged(Permission(action, "unused", ""), carried=carried) for action in unused}
    found, narrowed = keep_companions(judged, learn(by_action, {}, WINDOW, level, {}), level)
    return {action: found[action].permission.cls for action in unused}, narrowed


def test_a_role_of_pure_routine_gets_what_it_used_and_no_more():
    assert kept([used("s3:PutObject", KEY, 90)], ["s3:AbortMultipartUpload"]) == (
        {"s3:AbortMultipartUpload": "unused"},
        {},
    )


def test_a_role_that_does_rare_things_keeps_the_error_path_of_what_it_does_on_the_same_resources():
    uses = [used("s3:PutObject", KEY, 90), used("sns:Publish", "arn:aws:sns:eu-west-1:111122223333:t", 2)]

    assert kept(uses, ["s3:AbortMultipartUpload", "s3:DeleteObject"]) == (
        {"s3:AbortMultipartUpload": "kept", "s3:DeleteObject": "unused"},
        {"s3:AbortMultipartUpload": (KEY,)},
    )


def test_level_exact_keeps_no_companion():
    assert kept([used("s3:PutObject", KEY, 2)], ["s3:AbortMultipartUpload"], "exact")[1] == {}


def test_what_is_carried_anyway_is_not_narrowed():
    assert kept([used("s3:PutObject", KEY, 2)], ["s3:AbortMultipartUpload"], carried=True)[1] == {}


def test_a_companion_is_only_kept_on_resources_of_a_type_that_it_takes():
    task = used("ecs:RunTask", "arn:aws:ecs:eu-west-1:111122223333:task-definition/app:3", 2)

    assert kept([task], ["ecs:StopTask"]) == ({"ecs:StopTask": "unused"}, {})


def test_levels_go_by_the_first_rule_that_matches():
    levels = Levels("balanced", (("arn:aws:iam::111122223333:role/ci/*", "relaxed"), ("arn:aws:iam::1111*", "exact")))

    roles = (
        "arn:aws:iam::111122223333:role/ci/a",
        "arn:aws:iam::111122223333:role/b",
        "arn:aws:iam::444455556666:role/c",
    )
    assert [levels.of(each) for each in roles] == ["relaxed", "exact", "balanced"]


def test_every_companion_is_an_action_has_a_reason_and_a_source():
    table = rows("companions")
    assert len(table) > 150
    for row in table:
        assert is_action(row["action"]), row
        assert is_action(row["companion"]), row
        assert row["action"] != row["companion"]
        assert row["reason"]
        assert row["source"].startswith("https://docs.aws.amazon.com/")
    assert companions_of("nobody:Knows") == ()


def test_no_companion_loses_data_or_hands_out_rights():
    grave = {"dynamodb:DeleteItem", "dynamodb:DeleteTable", "s3:DeleteObject", "s3:DeleteBucket", "sqs:PurgeQueue",
             "iam:PassRole", "kms:ScheduleKeyDeletion", "secretsmanager:GetSecretValue", "rds:DeleteDBSnapshot"}  # fmt: skip
    assert not grave & {row["companion"] for row in rows("companions")}


@pytest.mark.parametrize(
    ("action", "name", "fits"),
    [
        ("logs:DescribeMetricFilters", "arn:aws:logs:eu-west-1:1:log-group:/aws/lambda/f:log-stream:*", False),
        ("logs:PutLogEvents", "arn:aws:logs:eu-west-1:1:log-group:/aws/lambda/f:log-stream:*", True),
        ("s3:ListBucket", "arn:aws:s3:::b/k", False),
        ("s3:ListBucket", "arn:aws:s3:::b", True),
        ("s3:GetObject", "arn:aws:s3:::b/a:b/*", True),
        ("sqs:GetQueueUrl", "arn:aws:sqs:eu-west-1:1:q", True),
        ("iam:GetRole", "arn:aws:iam::1:role/path/name", True),
        ("secretsmanager:DescribeSecret", "arn:aws:secretsmanager:eu-west-1:1:secret:x-??????", True),
        ("cloudformation:DeleteStack", "arn:aws:cloudformation:eu-west-1:1:stack/app-*/*", True),
        ("dynamodb:GetItem", "arn:aws:sqs:eu-west-1:1:q", False),
    ],
)
def test_an_action_fits_the_types_of_resource_that_it_takes(action, name, fits):
    assert fitting(action, [name]) == ([name] if fits else [])
