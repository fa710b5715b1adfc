"""The proving ground is fair: its log comes from its truth alone, its grants are wide enough, its families share nothing."""

from datetime import date, timedelta
from fnmatch import fnmatchcase
from itertools import combinations

import pytest

from trailfit.catalog.actions import is_action
from trailfit.demo.proving import TURNS, organisation, window
from trailfit.demo.proving_names import FAMILIES, GRAMMARS
from trailfit.demo.proving_roles import ARCHETYPES
from trailfit.policy.document import Document
from trailfit.policy.evaluate import Request, grants


@pytest.fixture(scope="module")
def organisations():
    return [organisation(family, seed, roles=14) for family in FAMILIES for seed in (1, 2)]


@pytest.fixture(scope="module")
def roles(organisations):
    return [role for each in organisations for role in each.roles]


def within(truth, action, arn):
    return any(fnmatchcase(arn, pattern.replace("[", "[[]")) for pattern in truth.get(action, ()))


def test_the_same_seed_gives_the_same_organisation_and_another_seed_another():
    one, again, other = (organisation("B", seed, roles=4) for seed in (3, 3, 4))
    assert [(r.arn, r.log, r.policies, r.truth()) for r in one.roles] == [
        (r.arn, r.log, r.policies, r.truth()) for r in again.roles
    ]
    assert one.inventory == again.inventory
    assert [r.arn for r in one.roles] != [r.arn for r in other.roles]


def test_whatever_happened_is_within_the_truth_and_the_log_is_part_of_it(roles):
    assert len(roles) == 84
    for role in roles:
        truth = role.truth()
        assert all(within(truth, action, arn) for action, arn in role.all_calls), role.arn
        for use, days in role.log.items():
            assert days.items() <= role.all_calls[use].items()


def test_some_data_events_are_lost_and_no_management_event(roles):
    lost = {
        use[0].partition(":")[0]
        for role in roles
        for use, days in role.all_calls.items()
        if len(role.log.get(use, ())) < len(days)
    }
    assert "s3" in lost
    assert not lost & {"ec2", "cloudformation", "iam", "rds", "ssm"}


def test_what_no_one_may_learn_from_is_never_within_the_truth(roles):
    strangers = [(role, use) for role in roles for use in (*role.refused, *role.intruder)]
    assert strangers
    assert not any(within(role.truth(), *use) for role, use in strangers)


def test_todays_grants_allow_all_that_happened(roles):
    for role in roles:
        documents = tuple(Document.parse(policy) for policy in role.policies)
        for action, arn in sorted(role.all_calls)[::7]:
            region = arn.split(":")[3] if arn.count(":") > 4 else ""
            context = {"aws:RequestedRegion": region or "us-east-1", "aws:SecureTransport": "true"}
            request = Request(role.arn, action, arn, context, resource_account=role.account, context_complete=False)
            assert grants(request, documents) is not False, (role.arn, action, arn)


def test_the_inventory_holds_more_than_anybody_may_touch(organisations):
    """Decoys make a pattern that is too wide visible: siblings of environment, app and prefix."""
    for each in organisations:
        truths = [role.truth() for role in each.roles]
        patterns = {pattern for truth in truths for listed in truth.values() for pattern in listed} - {"*"}
        objects = each.inventory["s3:object"]
        decoys = [arn for arn in objects if not any(fnmatchcase(arn, pattern) for pattern in patterns)]
        assert len(decoys) > len(objects) / 4


def test_every_action_is_one_that_iam_has(roles):
    assert {action for role in roles for action in role.truth() if not is_action(action)} == set()


def test_families_share_no_word_and_no_format():
    for one, other in combinations((GRAMMARS[family] for family in FAMILIES), 2):
        for part in ("apps", "things", "tenants", "ids", "dates", "shards", "branches", "separators"):
            assert not set(getattr(one, part)) & set(getattr(other, part)), part
    assert sum(len(grammar.dates) for grammar in GRAMMARS.values()) >= 10


def test_test_windows_cross_a_month_a_quarter_and_a_year():
    windows = [(turn, turn + timedelta(days=30)) for turn in TURNS]
    assert all(first.month != last.month for first, last in windows)
    assert any((first.month - 1) // 3 != (last.month - 1) // 3 for first, last in windows)
    assert any(first.year != last.year for first, last in windows)


def test_a_window_keeps_its_ends_and_drops_what_is_empty():
    days = {date(2026, 1, day): day for day in range(1, 6)}
    trace = {("s3:GetObject", "a"): days, ("s3:GetObject", "b"): {date(2026, 1, 1): 1}}
    assert window(trace, date(2026, 1, 2), date(2026, 1, 4)) == {
        ("s3:GetObject", "a"): {date(2026, 1, day): day for day in (2, 3, 4)}
    }


def test_every_archetype_and_every_rhythm_comes_up():
    found = [role for family in FAMILIES for role in organisation(family, 5, roles=36).roles]
    assert {role.archetype for role in found} == set(ARCHETYPES)
    rhythms = {need.cadence.rhythm for role in found for need in role.needs}
    assert rhythms == {
        "hourly", "daily", "weekly", "monthly", "quarterly", "yearly", "human", "burst", "incident", "rare", "once"
    }  # fmt: skip
    assert any(need.cadence.end < 420 for role in found for need in role.needs)
    assert any(need.cadence.first > 30 for role in found for need in role.needs)
