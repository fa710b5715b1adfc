"""What `trailfit doctor` says of coverage."""

from datetime import date

import pytest
from tests.usage.test_coverage import ACCOUNT, MANAGED, S3, WINDOW, selector

from trailfit.usage.coverage import Silences
from trailfit.usage.health import coverage_checks, data_checks, trail_checks


def states(checks):
    return [(check.state, check.told) for check in checks]


def test_an_account_without_events_gets_nothing_proposed():
    ((state, told),) = states(coverage_checks([ACCOUNT], WINDOW, [], {}, {}))

    assert state == "bad"
    assert "nothing will be proposed" in told


def test_missing_days_and_what_could_not_be_read_are_said():
    gaps = {ACCOUNT: (date(2026, 9, 1), date(2026, 9, 2))}

    found = states(coverage_checks([ACCOUNT], WINDOW, MANAGED, gaps, {ACCOUNT: 3}))

    assert [state for state, _ in found] == ["bad", "bad"]
    assert "2 of 90 days (2026-09-01, 2026-09-02)" in found[0][1]
    assert found[1][1].startswith("3 pieces of its log")


def test_a_whole_log_is_good():
    assert [state for state, _ in states(coverage_checks([ACCOUNT], WINDOW, MANAGED, {ACCOUNT: ()}, {}))] == ["good"]


@pytest.mark.parametrize(
    ("selectors", "expected"),
    [
        pytest.param([], [("open", "the snapshot holds no trail")], id="no trail known"),
        pytest.param([selector()], [("good", "all regions")], id="a trail of all regions"),
        pytest.param([selector(management=False)], [("bad", "no trail logs all management events")], id="data events only"),
        pytest.param([selector(logging=False)], [("bad", "stopped"), ("bad", "no trail logs all")], id="a stopped trail"),
        pytest.param([selector(excluded=("kms.amazonaws.com",))], [("good", ""), ("bad", "kms.amazonaws.com")], id="a service left out"),
        pytest.param([selector(excluded=("kms.amazonaws.com",)), selector()], [("good", "")], id="left out by one of two"),
        pytest.param([selector(account="999999999999", organization=True)], [("good", "")], id="the organization's trail"),
    ],
)  # fmt: skip
def test_what_the_trails_log_is_said(selectors, expected):
    found = states(trail_checks([ACCOUNT], selectors))

    assert [state for state, _ in found] == [state for state, _ in expected]
    assert all(words in told for (_, told), (_, words) in zip(found, expected, strict=True))


def test_data_events_matter_as_far_as_actions_that_need_them_are_granted():
    silences = Silences(WINDOW, [*MANAGED, S3], [])

    found = states(data_checks({ACCOUNT: ["s3:GetObject", "s3:PutObject", "sqs:SendMessage", "iam:GetRole"]}, silences))

    blind = "data events are not logged, or not all window long: AWS::SQS::Queue (1 granted action)"
    assert found == [
        ("good", "data events are logged: AWS::S3::Object (2 granted actions)"),
        ("bad", f"{blind}; what only they show stays open"),
    ]
