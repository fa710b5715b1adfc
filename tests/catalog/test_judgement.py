"""The facts that judging needs: every row names actions that exist, and has a source."""

import pytest

from trailfit.catalog import judgement
from trailfit.catalog.actions import expand, is_action
from trailfit.catalog.tables import rows


@pytest.mark.parametrize(
    "name", ["acting_services", "blind_actions", "prerequisites", "reserved_paths", "runtime_permissions"]
)
def test_every_row_has_a_source_and_a_reason(name):
    assert [
        row for row in rows(name) if not row["source"].startswith("https://docs.aws.amazon.com/") or not row["reason"]
    ] == []


def test_every_action_named_is_in_the_catalogue():
    named = [action for row in rows("acting_services") for action in row["actions"].split()]
    named += [row["action"] for row in rows("prerequisites")] + [row["action"] for row in rows("runtime_permissions")]
    named += [action for row in rows("prerequisites") for action in row["prerequisites"].split()]

    assert [action for action in named if not is_action(action)] == []
    assert [row["pattern"] for row in rows("blind_actions") if not expand(row["pattern"])] == []


def test_what_no_log_shows_is_blind_and_its_logged_neighbour_is_not():
    assert judgement.blind("dax:GetItem")
    assert judgement.blind("rds-db:connect")
    assert judgement.blind("dax:CreateCluster") is None
    assert judgement.blind("dynamodb:GetItem") is None


def test_reserved_roles_are_told_from_the_teams_own():
    assert "Identity Center" in judgement.reserved("/aws-reserved/sso.amazonaws.com/eu-west-1/")
    assert judgement.reserved("/service-role/") is None
