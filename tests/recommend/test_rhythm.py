"""Silence within a rhythm: what the next turn may bring is not unused, and what is overdue is."""

from datetime import date, timedelta

import pytest

from trailfit.model import Window
from trailfit.recommend.rhythm import Rhythms, turns

LAST = date(2026, 10, 31)
WINDOW = Window(LAST - timedelta(days=89), LAST)


def ago(*days):
    return tuple(LAST - timedelta(days=each) for each in sorted(days, reverse=True))


@pytest.mark.parametrize(
    ("days", "name"),
    [
        (ago(3, 2, 1, 0), "once"),  # four days in a row are one turn
        (ago(28, 21, 14, 7, 0), "weekly"),
        (ago(61, 31, 0), "monthly"),
        (ago(61, 60, 31, 30, 1, 0), "monthly"),  # each run takes two days
        (ago(182, 91, 0), "quarterly"),
        (ago(365, 0), "yearly"),
        (ago(50, 0), "every 50 days"),
    ],
)
def test_days_make_a_rhythm(days, name):
    assert turns(days).name == name


def test_a_quarterly_job_that_the_window_misses_is_awaited():
    told = Rhythms({"s3:PutObject": ago(185, 94), "s3:GetObject": ago(1)}, WINDOW).awaited("s3:PutObject")

    assert told == (
        f"used before the window, quarterly, last on {ago(94)[0]}: its next turn is not overdue, and the window of 90 days "
        "is shorter than its rhythm; --days 188 would show it"
    )


def test_a_job_whose_turn_is_overdue_is_not_awaited():
    assert Rhythms({"s3:PutObject": ago(330, 239)}, WINDOW).awaited("s3:PutObject") is None


def test_a_weekly_job_that_stopped_before_the_window_is_not_awaited():
    assert Rhythms({"s3:PutObject": ago(117, 110, 103, 96)}, WINDOW).awaited("s3:PutObject") is None


def test_a_single_use_is_awaited_for_a_quarter_and_no_longer():
    assert "quarterly" in Rhythms({"s3:PutObject": ago(95)}, WINDOW).awaited("s3:PutObject")
    assert Rhythms({"s3:PutObject": ago(140)}, WINDOW).awaited("s3:PutObject") is None


def test_what_was_never_used_is_not_awaited():
    assert Rhythms({}, WINDOW).awaited("s3:PutObject") is None


def test_a_principal_at_work_once_in_the_window_has_not_shown_all():
    told = Rhythms({"iam:ListUsers": ago(60), "s3:PutObject": ago(59)}, WINDOW).open

    assert told is not None
    assert f"from {ago(60)[0]} to {ago(59)[0]} in a window of 90 days" in told


def test_a_quarterly_principal_is_told_how_long_a_window_would_show_two_turns():
    told = Rhythms({"iam:ListUsers": ago(241, 150, 59)}, WINDOW).open

    assert told is not None
    assert told.startswith("its rhythm is quarterly")
    assert "--days 188" in told


@pytest.mark.parametrize(
    "days",
    [
        ago(60, 30),  # a monthly job, seen twice
        ago(*range(90)),
        ago(*range(30)),  # a new feature: one long spell
        (),
    ],
)
def test_a_principal_that_showed_its_rhythm_is_judged(days):
    assert Rhythms({"iam:ListUsers": days}, WINDOW).open is None


def test_one_day_of_log_says_nothing_of_a_rhythm():
    assert Rhythms({"iam:ListUsers": (LAST,)}, Window(LAST, LAST)).open is None
