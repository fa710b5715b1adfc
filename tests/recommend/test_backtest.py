"""Replaying history against the proposals: what was needed later and was not seen before must be told, and why."""

import json
from dataclasses import replace
from datetime import date, datetime

import pytest
from click.testing import CliRunner

from trailfit.cli.main import cli
from trailfit.model import AttachedPolicy, Evidence, Principal, Silence, Snapshot, Usage, Window
from trailfit.policy.document import Document
from trailfit.recommend.backtest import as_dict, backtest
from trailfit.recommend.learnt import Levels
from trailfit.recommend.surface import Inventory

ROLE = "arn:aws:iam::111122223333:role/app"
TRAIN = Window(date(2026, 8, 1), date(2026, 9, 30))
TEST = Window(date(2026, 10, 1), date(2026, 10, 31))
TABLE = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"


def used(action, resource, calls=10, first=TRAIN.first, last=TRAIN.last, days=60):
    at = [datetime(day.year, day.month, day.day, 8) for day in (first, last)]
    return Usage(ROLE, "role", action, resource, "required", "test", calls, 0, at[0], at[1], days, "e1")


def later(*rows):
    return {ROLE: [replace(row, first_used=datetime(2026, 10, 3), last_used=datetime(2026, 10, 3)) for row in rows]}


def snapshot(*statements):
    document = Document.parse({"Version": "2012-10-17", "Statement": list(statements)})
    policies = (AttachedPolicy("inline", "app", None, document),)
    principal = Principal(ROLE, "111122223333", "role", "app", "/", datetime(2024, 1, 1), policies=policies)
    return Snapshot(datetime(2026, 11, 1), ("111122223333",), (principal,))


def evidence(*rows):
    return Evidence(
        window=TRAIN, usage={ROLE: rows}, denied={}, last_seen={ROLE: datetime(2026, 9, 30)}, sessions={}, key_use={},
        gaps={"111122223333": ()}, coverage=(), silence=lambda _account, _action: Silence(True, "logged", "logged"),
    )  # fmt: skip


ALL = {"Effect": "Allow", "Action": ["dynamodb:*", "s3:*"], "Resource": "*"}


def test_what_went_on_as_before_is_not_denied():
    seen = used("dynamodb:GetItem", TABLE)

    outcome = backtest(snapshot(ALL), evidence(seen), later(seen), TEST)

    assert (outcome.calls, outcome.denied, outcome.principals, outcome.principals_denied()) == (10, 0, 1, 0)
    assert outcome.services == {"dynamodb": (10, 0)}
    assert 0.99 < outcome.surface_removed < 1


def test_an_action_that_was_not_seen_before_is_denied_by_action():
    new = used("dynamodb:DeleteItem", TABLE, calls=3)

    outcome = backtest(snapshot(ALL), evidence(used("dynamodb:GetItem", TABLE)), later(new), TEST)

    (denial,) = outcome.denials
    assert (denial.action, denial.cause, denial.calls) == ("dynamodb:DeleteItem", "action", 3)
    assert denial.remedy == "a window longer than 61 days, or a rule that keeps dynamodb:DeleteItem"
    assert outcome.principals_denied("resource") == 0


def test_a_resource_that_was_not_seen_before_is_denied_by_resource():
    new = used("dynamodb:GetItem", TABLE + "-archive")

    outcome = backtest(snapshot(ALL), evidence(used("dynamodb:GetItem", TABLE)), later(new), TEST)

    assert [(each.cause, each.resource) for each in outcome.denials] == [("resource", TABLE + "-archive")]


def test_a_denial_that_a_readier_level_would_have_spared_says_so():
    tenants = [used("s3:GetObject", f"arn:aws:s3:::b/{name}/in.csv", first=date(2026, 8, day), days=20)
               for name, day in (("acme", 1), ("globex", 1), ("hooli", 30))]  # fmt: skip
    new = used("s3:GetObject", "arn:aws:s3:::b/stark/in.csv")

    outcome = backtest(snapshot(ALL), evidence(*tenants), later(new), TEST)
    relaxed = backtest(snapshot(ALL), evidence(*tenants), later(new), TEST, Levels("relaxed"))

    assert [each.remedy for each in outcome.denials] == ["level relaxed"]
    assert relaxed.denials == ()


def test_a_call_that_todays_policies_do_not_allow_is_not_replayed():
    elsewhere = used("sqs:SendMessage", "arn:aws:sqs:eu-west-1:444455556666:q")

    outcome = backtest(snapshot(ALL), evidence(used("dynamodb:GetItem", TABLE)), later(elsewhere), TEST)

    assert (outcome.calls, outcome.denials) == (0, ())


def test_the_json_holds_the_same_numbers():
    new = used("dynamodb:DeleteItem", TABLE, calls=3)
    outcome = backtest(snapshot(ALL), evidence(used("dynamodb:GetItem", TABLE)), later(new), TEST)

    told = as_dict(outcome)

    assert told["calls_denied"] == 3
    assert told["principals_denied_by_action"] == 1
    assert told["services"] == {"dynamodb": {"calls": 3, "denied": 3}}
    assert json.loads(json.dumps(told)) == told


def documents(*resources, action="s3:GetObject"):
    statement = {"Effect": "Allow", "Action": action, "Resource": list(resources)}
    return [Document.parse({"Version": "2012-10-17", "Statement": [statement]})]


def test_surface_grows_with_the_pattern_and_sees_decoys():
    inventory = Inventory([f"arn:aws:s3:::b/in/{number}" for number in range(10)])

    exact, prefix, bucket, all_of_it = (
        inventory.surface(documents(pattern))
        for pattern in ("arn:aws:s3:::b/in/3", "arn:aws:s3:::b/in/*", "arn:aws:s3:::b/*", "*")
    )

    assert 0 < exact < prefix < bucket <= all_of_it
    assert all_of_it == pytest.approx(3.0)


def test_an_action_without_resources_counts_whole():
    assert Inventory([]).surface(documents("*", action="ec2:DescribeInstances")) == pytest.approx(0.25)


def test_a_lake_without_a_snapshot_is_one_readable_line(tmp_path):
    done = CliRunner().invoke(cli, ["backtest", "--lake", str(tmp_path), "--train", "60", "--test", "30"])

    assert "snapshot" in str(done.exception)


def test_windows_that_the_log_does_not_hold_are_refused(demo):
    lake = str(demo / "lake")

    done = CliRunner().invoke(cli, ["backtest", "--lake", lake, "--train", "300", "--test", "30"])

    assert "begin on" in str(done.exception)


def test_the_demo_holds_for_its_last_month(demo):
    lake = str(demo / "lake")

    done = CliRunner().invoke(cli, ["backtest", "--lake", lake, "--train", "60", "--test", "30", "--format", "json"])

    (told,) = json.loads(done.stdout)
    assert told["train"] == {"from": "2026-08-03", "to": "2026-10-01", "days": 60}
    assert told["test"] == {"from": "2026-10-02", "to": "2026-10-31", "days": 30}
    assert told["calls"] > 1_000
    assert told["surface_removed"] > 0.9
