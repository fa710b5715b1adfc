"""The replay that every run does: the same denials as by judging everything again, with little of the work."""

from collections import defaultdict
from datetime import date, datetime, timedelta

import pytest

from trailfit.demo.proving import organisation, window
from trailfit.model import AttachedPolicy, Evidence, Principal, Silence, Snapshot, Usage, Window
from trailfit.policy.document import Document
from trailfit.recommend.backtest import backtest
from trailfit.recommend.history import counted, folds, replay, span
from trailfit.recommend.judge import judge
from trailfit.recommend.learnt import Levels

LAST = date(2026, 10, 31)
TAKEN = datetime(2026, 11, 1)


def back(days, last=LAST):
    return Window(last - timedelta(days=days - 1), last)


def lengths(found):
    return [(each.train.days, each.test.days, (LAST - each.test.last).days) for each in found]


@pytest.mark.parametrize(
    ("days", "held", "expected"),
    [
        (90, 90, [(60, 30, 0)]),  # the window alone: two thirds, one third
        (90, 100, [(70, 30, 0)]),
        (90, 120, [(90, 30, 0)]),  # as many days to learn from as the run itself has
        (90, 179, [(90, 30, 0), (90, 30, 30)]),
        (90, 400, [(90, 30, 0), (90, 30, 30), (90, 30, 60)]),
        (45, 45, [(30, 15, 0)]),
        (300, 300, [(270, 30, 0)]),
        (29, 400, []),  # too short to tell
        (90, 60, []),  # the log does not reach back to the window's first day
    ],
)
def test_the_past_is_split_by_what_the_lake_holds(days, held, expected):
    found = folds(back(days), (LAST - timedelta(days=held - 1), LAST))

    assert lengths(found) == expected
    for each in found:
        assert each.train.last + timedelta(days=1) == each.test.first
        assert span(found).first <= each.train.first


def test_days_after_the_window_are_not_looked_at():
    found = folds(back(90), (LAST - timedelta(days=400), LAST + timedelta(days=50)))

    assert found[0].test.last == LAST


def rows_of(arn, trace):
    at = datetime.combine
    noon = datetime.min.time()
    return [
        Usage(arn, "role", action, resource, "required", "", sum(when.values()), 0, at(min(when), noon),
              at(max(when), noon), len(when), f"event {min(when)}")
        for (action, resource), when in sorted(trace.items())
    ]  # fmt: skip


def evidence(traces, inside):
    cut = {arn: window(trace, inside.first, inside.last) for arn, trace in traces.items()}
    by_action = {arn: defaultdict(set) for arn in cut}
    for arn, trace in cut.items():
        for (action, _), when in trace.items():
            by_action[arn][action] |= set(when)
    accounts = {arn.split(":")[4] for arn in traces}
    return Evidence(
        window=inside, usage={arn: rows_of(arn, trace) for arn, trace in cut.items() if trace}, denied={},
        last_seen={arn: datetime.combine(inside.last, datetime.min.time()) for arn, trace in cut.items() if trace},
        sessions={}, key_use={}, gaps=dict.fromkeys(accounts, ()), coverage=(),
        silence=lambda _account, _action: Silence(True, "logged", "logged"),
        days={arn: {use: tuple(sorted(when)) for use, when in trace.items()} for arn, trace in cut.items()},
        action_days={arn: {a: tuple(sorted(d)) for a, d in found.items()} for arn, found in by_action.items()},
    )  # fmt: skip


def snapshot(roles):
    principals = tuple(
        Principal(
            role.arn, role.account, "role", role.arn.rpartition("/")[2], "/", datetime(2020, 1, 1),
            policies=tuple(AttachedPolicy("inline", f"p{n}", None, Document.parse(one)) for n, one in enumerate(role.policies)),
        )
        for role in roles
    )  # fmt: skip
    return Snapshot(TAKEN, tuple(sorted({role.account for role in roles})), principals)


@pytest.mark.parametrize("family", ["B", "C"])
def test_the_denials_are_those_of_judging_all_again_on_the_days_before(family):
    org = organisation(family, 31, roles=8)
    traces = {role.arn: role.log for role in org.roles}
    inside = back(90, org.turn - timedelta(days=1))
    shot, now = snapshot(org.roles), evidence(traces, inside)
    (fold,) = folds(inside, (inside.first, inside.last))
    later = evidence(traces, fold.test)
    levels = Levels()

    slow = backtest(shot, evidence(traces, fold.train), later.usage, fold.test, levels)
    quick = replay(shot, judge(shot, now, levels), now.days, now.gaps, fold, levels)
    told = {arn: counted(rows, later.usage[arn]) for arn, rows in quick.denials.items()}

    def by_use(denials):
        return {(e.principal, e.action, e.resource, e.calls, e.cause, e.remedy, e.example_event) for e in denials}

    assert by_use(slow.denials)  # a case without any would prove nothing
    assert by_use(each for rows in told.values() for each in rows) == by_use(slow.denials)


ROLE = "arn:aws:iam::111122223333:role/app"


def one_role(statement, trace):
    principal = Principal(
        ROLE, "111122223333", "role", "app", "/", datetime(2020, 1, 1),
        policies=(AttachedPolicy("inline", "p", None, Document.parse({"Version": "2012-10-17", "Statement": [statement]})),),
    )  # fmt: skip
    shot = Snapshot(TAKEN, ("111122223333",), (principal,))
    now = evidence({ROLE: trace}, back(90))
    (fold,) = folds(now.window, (now.window.first, now.window.last))
    return replay(shot, judge(shot, now), now.days, now.gaps, fold, Levels()), fold


def daily(first, last, step=1):
    """Days before the window's last one, from the earlier to the later."""
    return {LAST - timedelta(days=each): 2 for each in range(last, first + 1, step)}


def test_a_new_resource_that_no_pattern_covers_is_denied():
    seen = {("dynamodb:GetItem", "arn:aws:dynamodb:eu-west-1:111122223333:table/a"): daily(89, 0)}
    new = {("dynamodb:GetItem", "arn:aws:dynamodb:eu-west-1:111122223333:table/b"): daily(4, 3)}

    told, _ = one_role({"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}, {**seen, **new})

    assert [(each.resource[-1], each.cause) for each in told.denials[ROLE]] == [("b", "resource")]


def test_keys_that_carry_their_day_are_covered_within_a_wide_grant_and_not_beyond_a_narrow_one():
    keys = {
        ("s3:PutObject", f"arn:aws:s3:::b/in/{LAST - timedelta(days=ago)}.csv"): {LAST - timedelta(days=ago): 1}
        for ago in range(90)
    }
    wide, _ = one_role({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}, keys)
    held, _ = one_role(
        {"Effect": "Allow", "Action": ["s3:PutObject", "s3:GetObject"], "Resource": "arn:aws:s3:::b/in/2026*"}, keys
    )

    assert (wide.denials, held.denials) == ({}, {})
    assert wide.tested == held.tested == {ROLE}


def test_a_role_that_was_not_used_before_or_after_says_why_it_cannot_be_tested():
    use = ("dynamodb:GetItem", "arn:aws:dynamodb:eu-west-1:111122223333:table/a")
    allow = {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}

    young, fold = one_role(allow, {use: daily(20, 0)})
    gone, _ = one_role(allow, {use: daily(89, 40)})

    assert (
        young.untested[ROLE]
        == f"not used from {fold.train.first} to {fold.train.last}: there was nothing to tighten on"
    )
    assert gone.untested[ROLE] == f"not used from {fold.test.first} to {fold.test.last}: there was nothing to replay"
    assert not young.tested | gone.tested


def test_days_without_log_leave_a_fold_untested():
    trace = {("dynamodb:GetItem", "arn:aws:dynamodb:eu-west-1:111122223333:table/a"): daily(89, 0)}
    now = evidence({ROLE: trace}, back(90))
    (fold,) = folds(now.window, (now.window.first, now.window.last))
    principal = Principal(
        ROLE, "111122223333", "role", "app", "/", datetime(2020, 1, 1),
        policies=(AttachedPolicy("inline", "p", None, Document.parse(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}]})),),
    )  # fmt: skip
    shot = Snapshot(TAKEN, ("111122223333",), (principal,))

    told = replay(shot, judge(shot, now), now.days, {"111122223333": (fold.train.first,)}, fold, Levels())

    assert told.untested[ROLE] == f"management events are missing on 1 of the days since {fold.train.first}"
