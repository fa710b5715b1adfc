"""When silence is evidence, and when it is not."""

from datetime import date, timedelta

import pytest

from trailfit.catalog.actions import every
from trailfit.catalog.observability import observability
from trailfit.model import Coverage, TrailSelector, Window
from trailfit.usage.coverage import Silences

ACCOUNT = "111122223333"
WINDOW = Window(date(2026, 8, 3), date(2026, 10, 31))


def row(category="Management", data_type=None, first=WINDOW.first, last=WINDOW.last, gaps=(), account=ACCOUNT):
    days = (last - first).days + 1
    return Coverage(account, "eu-west-1", category, data_type, first, last, days, WINDOW.days, tuple(gaps))


def selector(*data_types, **facts):
    account = facts.pop("account", ACCOUNT)
    management = facts.pop("management", True)
    everywhere = facts.pop("multi_region", True)
    return TrailSelector("trail", account, "eu-west-1", everywhere, management, data_types=data_types, **facts)


MANAGED = [row()]
S3 = row("Data", "AWS::S3::Object")
TABLES = row("Data", "AWS::DynamoDB::Table")


@pytest.mark.parametrize(
    ("action", "coverage", "selectors", "is_evidence"),
    [
        pytest.param("sqs:CreateQueue", MANAGED, [], True, id="a management event, logged every day"),
        pytest.param("sqs:CreateQueue", [], [], False, id="an account that was never logged"),
        pytest.param("sqs:CreateQueue", [row(gaps=[date(2026, 9, 1)])], [], False, id="a day is missing"),
        pytest.param("s3:GetObject", MANAGED, [], False, id="a data event, and none is logged"),
        pytest.param("s3:GetObject", [*MANAGED, S3], [], True, id="a data event, seen all window long"),
        pytest.param("s3:GetObject", [*MANAGED, TABLES], [selector("AWS::S3::Object")], True, id="a data event that a selector asks for"),
        pytest.param("s3:GetObject", MANAGED, [selector("AWS::S3::Object")], False, id="a selector asks for it, and the lake holds no data event"),
        pytest.param("s3:GetObject", [*MANAGED, TABLES], [selector("AWS::S3::Object", multi_region=False)], False, id="a selector of one region"),
        pytest.param("sqs:CreateQueue", MANAGED, [selector(multi_region=False)], False, id="management events of one region"),
        pytest.param("s3:GetObject", [*MANAGED, S3], [selector(partial=("AWS::S3::Object",))], False, id="a selector that logs only some"),
        pytest.param("s3:GetObject", MANAGED, [selector("AWS::S3::Object", logging=False)], False, id="a trail that was stopped"),
        pytest.param("s3:GetObject", [*MANAGED, TABLES], [selector("AWS::S3::Object", account="999999999999", organization=True)], True, id="an organization's trail"),
        pytest.param("s3:GetObject", MANAGED, [selector("AWS::S3::Object", account="999999999999")], False, id="another account's own trail"),
        pytest.param("kms:ListKeys", MANAGED, [selector(excluded=("kms.amazonaws.com",))], False, id="a service that every trail leaves out"),
        pytest.param("kms:ListKeys", MANAGED, [selector(excluded=("kms.amazonaws.com",)), selector()], True, id="a service that one trail leaves out"),
        pytest.param("sqs:CreateQueue", MANAGED, [selector(management=False, partial=("Management",))], False, id="writes alone"),
        pytest.param("s3:GetObject", [*MANAGED, row("Data", "AWS::DynamoDB::Table")], [], False, id="another type's data events"),
        pytest.param(
            "s3:GetObject", [*MANAGED, row("Data", "AWS::S3::Object", first=WINDOW.last - timedelta(days=20))], [], False,
            id="data events that were switched on late",
        ),
        pytest.param("s3:GetObject", [*MANAGED, row("Data", "AWS::S3::Object", account="444455556666")], [], False, id="another account's"),
        pytest.param("rds-db:connect", MANAGED, [], False, id="what no event ever shows"),
        pytest.param("iam:PassRole", MANAGED, [], True, id="what only shows through the calls that carry it"),
    ],
)  # fmt: skip
def test_silence_is_evidence_only_where_it_was_logged(action, coverage, selectors, is_evidence):
    silence = Silences(WINDOW, coverage, selectors).of(ACCOUNT, action)

    assert (silence.is_evidence, bool(silence.reason)) == (is_evidence, True)


def test_a_log_that_could_not_be_read_whole_proves_nothing():
    assert Silences(WINDOW, MANAGED, [], {ACCOUNT: 1}).of(ACCOUNT, "sqs:CreateQueue").is_evidence is False
    assert Silences(WINDOW, MANAGED, [], {"444455556666": 1}).of(ACCOUNT, "sqs:CreateQueue").is_evidence is True


def test_no_action_that_can_never_be_seen_is_ever_judged_by_silence():
    everything = [*MANAGED, *(row("Data", kind) for kind in {t for a in every() for t in observability(a).data_types})]
    silences = Silences(WINDOW, everything, [])
    never = [action for action in every() if observability(action).kind == "never"]

    assert len(never) > 1000
    assert [action for action in never if silences.of(ACCOUNT, action).is_evidence] == []
