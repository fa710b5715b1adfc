"""What is said of a proposal's future: the bar that makes it safe, and a chance that the lake's own past corrects."""

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest

from trailfit.model import (
    Evidence,
    Judgement,
    Permission,
    PolicyChange,
    Proof,
    Recommendation,
    Silence,
    Window,
)
from trailfit.policy.document import Document
from trailfit.recommend.backtest import Denial
from trailfit.recommend.chance import Novelty, corrected, estimate, logit, novelty
from trailfit.recommend.foresight import settle
from trailfit.recommend.history import Fold, Replayed
from trailfit.recommend.outlook import Bar, as_dict, percent, summary

ROLE = "arn:aws:iam::111122223333:role/app"
TABLE = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"
LAST = date(2026, 10, 31)
WINDOW = Window(LAST - timedelta(days=89), LAST)
FOLD = Fold(Window(WINDOW.first, WINDOW.first + timedelta(days=59)), Window(LAST - timedelta(days=29), LAST))
STEADY = {("dynamodb:PutItem", TABLE): tuple(WINDOW.first + timedelta(days=n) for n in range(90))}
LOST = Denial(ROLE, "dynamodb:Scan", TABLE, 3, "action", "a rule that keeps dynamodb:Scan", "e7")


USUAL_BAR, EASY = Bar(), Bar(p_break=1.0)


def document(actions, resource):
    return Document.parse(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": resource}]}
    )


TIGHTENING = Recommendation(
    id="r1", principal=ROLE, action="CREATE_POLICY", finding_ids=(), disposition="safe", reasons=("as logged",),
    before=(PolicyChange("aws_managed", "DB", document("dynamodb:*", "*"), "arn:aws:iam::aws:policy/DB"),),
    after=(PolicyChange("inline", "fitted", document("dynamodb:PutItem", TABLE)),),
    permissions=(Permission("dynamodb:PutItem", "used", "used"), Permission("dynamodb:Scan", "unused", "logged")),
    no_new_access=Proof(True, "test"), still_allows=Proof(True, "test"),
)  # fmt: skip


def judgement(*recommendations, window=WINDOW, days=STEADY):
    evidence = Evidence(
        window=window, usage={}, denied={}, last_seen={}, sessions={}, key_use={}, gaps={}, coverage=(),
        silence=lambda _account, _action: Silence(True, "logged", "logged"), days={ROLE: days},
    )  # fmt: skip
    return Judgement(evidence, (), tuple(recommendations), {}, (), ())


def replayed(*denials, tested=True, why="created yesterday"):
    return Replayed(
        FOLD,
        frozenset({ROLE} if tested else ()),
        {ROLE: denials} if denials else {},
        {} if tested else {ROLE: why},
    )


def settled(*folds, bar=USUAL_BAR, recommendation=TIGHTENING, window=WINDOW):
    done, looks = settle(judgement(recommendation, window=window), folds, {FOLD.test: {ROLE: (1000, 1)}}, bar)
    return done.recommendations[0], looks[recommendation.id]


def test_a_past_without_denials_and_a_small_chance_are_safe():
    found, look = settled(replayed())

    assert look.chance.either < 0.1
    assert found.disposition == "safe"
    assert found.reasons == (
        "as logged", "the replay of its own past and the chance that it breaks something are within the bar"
    )  # fmt: skip


def test_a_denial_in_its_own_past_is_not_safe_and_the_reason_says_so():
    found, _ = settled(replayed(LOST), bar=EASY)

    assert found.disposition == "unsafe"
    assert found.reasons[0] == (
        "30 days replayed against what the 60 days before them taught: 3 of 1,000 calls would have been denied:"
        " more than the bar allows (0 %)"
    )


def test_the_bar_can_allow_some_denials():
    assert settled(replayed(LOST), bar=replace(EASY, denied=0.003))[0].disposition == "safe"
    assert settled(replayed(LOST), bar=replace(EASY, denied=0.0029))[0].disposition == "unsafe"


def test_a_chance_above_the_bar_is_not_safe_and_the_reason_says_so():
    found, look = settled(replayed(), bar=Bar(p_break=0.0001))

    assert found.disposition == "unsafe"
    assert found.reasons[0].startswith(
        f"chance that it denies something legitimate within 30 days: {percent(look.chance.either)}"
    )
    assert found.reasons[0].endswith("above the bar of 0.01 %")


def test_what_could_not_be_replayed_is_safe_only_where_the_configuration_says_so():
    assert settled(replayed(tested=False))[0].reasons[0] == "its own past cannot tell: created yesterday"
    assert settled(replayed(tested=False))[0].disposition == "unsafe"
    assert settled(replayed(tested=False), bar=Bar(untested=True))[0].disposition == "safe"


def test_a_short_log_says_that_it_cannot_tell():
    short = Window(LAST - timedelta(days=9), LAST)
    found, look = settled(window=short)

    told = as_dict(look)
    assert found.disposition == "unsafe"
    assert told["backtest"]["verdict"] == "cannot tell"
    assert told["backtest"]["summary"] == "cannot tell: 10 days of log are too few: 30 are needed"
    assert told["p_break"]["probability"] is None


def test_what_is_unsafe_for_another_reason_stays_so():
    found, _ = settled(replayed(), recommendation=replace(TIGHTENING, disposition="unsafe"))

    assert (found.disposition, found.reasons) == ("unsafe", ("as logged",))


def test_a_removal_is_not_replayed():
    removal = replace(TIGHTENING, action="DELETE_ROLE", disposition="unsafe", after=())
    _, look = settled(replayed(), recommendation=removal)

    assert as_dict(look)["backtest"]["verdict"] == "cannot tell"


def test_a_proposal_that_leaves_no_action_out_cannot_miss_one():
    kept = replace(TIGHTENING, permissions=TIGHTENING.permissions[:1])

    assert settled(replayed(), recommendation=kept)[1].chance.action == 0


def test_the_json_tells_calls_uses_causes_and_examples():
    _, look = settled(replayed(LOST))
    told = json.loads(json.dumps(as_dict(look)))

    backtest = told["backtest"]
    assert (backtest["verdict"], backtest["calls"], backtest["calls_denied"]) == ("denied", 1000, 3)
    assert (backtest["uses_denied_by_action"], backtest["uses_denied_by_resource"]) == (1, 0)
    assert backtest["replays"][0]["train"] == {"from": "2026-08-03", "to": "2026-10-01", "days": 60}
    assert backtest["denials"][0]["example_event"] == "e7"
    assert told["p_break"]["action"] <= told["p_break"]["probability"] <= 1
    assert "3 of 1,000 calls and 1 of 1 roles and users" in summary([look])["backtest"]


def test_novelty_counts_what_is_listed_and_what_is_seldom():
    days = {
        **STEADY,
        ("dynamodb:GetItem", TABLE): (LAST,),
        ("s3:GetObject", "arn:aws:s3:::b/2026-10-31"): (LAST,),
        ("ec2:DescribeInstances", "*"): (LAST,),
    }
    allowed = {"dynamodb:PutItem": {TABLE}, "dynamodb:GetItem": {TABLE}, "s3:GetObject": {"arn:aws:s3:::b/*"},
               "ec2:DescribeInstances": {"*"}}  # fmt: skip

    found = novelty(days, allowed, WINDOW)

    assert (found.actions, found.listed, found.seldom, found.active) == (4, 1, 1, 1.0)


USUAL = Novelty(days=90, actions=8, active=0.9, listed=5, seldom=1)


@pytest.mark.parametrize("cause", ["action", "resource"])
def test_more_log_makes_a_break_less_likely(cause):
    assert logit(replace(USUAL, days=300), cause) < logit(USUAL, cause) < logit(replace(USUAL, days=30), cause)


def test_what_broke_in_the_past_breaks_more_readily():
    assert logit(replace(USUAL, action=True), "action") > logit(USUAL, "action")


def test_resources_listed_one_by_one_and_seldom_used_break_more_readily():
    assert logit(replace(USUAL, listed=50), "resource") > logit(USUAL, "resource")
    assert logit(replace(USUAL, seldom=20), "resource") > logit(USUAL, "resource")


def chance(shift):
    return estimate(USUAL, {"action": shift, "resource": shift}, can={"action": True, "resource": True})


def test_the_lakes_own_past_moves_every_chance_the_more_the_more_roles_it_has():
    def shift(roles, broke):
        return corrected([(USUAL, 30, number < broke) for number in range(roles)], "action")

    assert corrected([], "action") == 0
    assert shift(40, 40) > shift(40, 20) > 0 > shift(40, 0)
    assert abs(shift(400, 0)) > abs(shift(40, 0)) > abs(shift(4, 0))
    assert 0 < chance(shift(400, 0)).either < chance(0.0).either < chance(shift(400, 400)).either < 1


def test_with_many_roles_the_chance_is_what_their_past_shows():
    shift = corrected([(USUAL, 30, number % 4 == 0) for number in range(4000)], "action")

    assert chance(shift).action == pytest.approx(0.25, abs=0.01)


def test_a_shorter_replay_counts_for_less():
    month = corrected([(USUAL, 30, number % 10 == 0) for number in range(1000)], "action")
    week = corrected([(USUAL, 7, number % 10 == 0) for number in range(1000)], "action")

    assert chance(week).action > 2 * chance(month).action


def test_either_holds_both_budgets():
    told = chance(0.0)

    assert max(told.action, told.resource) < told.either < told.action + told.resource
    assert told.because
