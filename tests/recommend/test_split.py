"""A role that functions share is split by what each one's own sessions used."""

from datetime import date

import pytest
from tests.recommend.account import (
    ACCOUNT,
    LAMBDA,
    ROLE,
    allow,
    answer,
    deny,
    document,
    evidence,
    inline,
    role,
    snapshot,
    used,
)

from trailfit.model import Function, SessionUse
from trailfit.policy.containment import no_new_access
from trailfit.policy.document import Document

TABLE = f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/orders"
ACTIONS = ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Scan", "logs:PutLogEvents")
POLICY = inline(allow(*ACTIONS), deny("dynamodb:DeleteTable"))
DAYS = tuple(date(2026, 9, day) for day in range(1, 20))


def function(name, kind="AWS::Lambda::Function"):
    return Function(f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:{name}", name, ACCOUNT, "eu-west-1", ROLE, kind=kind)


def split(sessions, functions=("get", "put"), *, policy=POLICY, more=(), unlogged=("logs:PutLogEvents",), kinds=None):
    uses = {name: [used(*pair) for pair in pairs] for name, pairs in sessions.items()}
    by_session = {
        name: SessionUse(tuple(rows), {(row.action, row.resource): DAYS for row in rows}) for name, rows in uses.items()
    }
    told = evidence(
        *(row for rows in uses.values() for row in rows), unlogged=unlogged, by_session={ROLE: by_session},
        days={ROLE: {pair: days for one in by_session.values() for pair, days in one.days.items()}},
    )  # fmt: skip
    shared = role(
        policy, trust=document({**LAMBDA, "Principal": {"Service": ["lambda.amazonaws.com", "ec2.amazonaws.com"]}})
    )
    wearing = tuple(function(name, (kinds or {}).get(name, "AWS::Lambda::Function")) for name in functions)
    data = answer(snapshot(shared, *more, functions=wearing), told)
    return next((each for each in data["recommendations"] if each["action"] == "SPLIT_ROLE"), None), data


def allowed(made):
    (policy,) = made["policies"]
    return {
        action: statement["Resource"]
        for statement in policy["document"]["Statement"] if statement["Effect"] == "Allow"
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }  # fmt: skip


BOTH = {"get": [("dynamodb:GetItem", TABLE)], "put": [("dynamodb:PutItem", TABLE)]}


def test_each_function_gets_what_its_own_sessions_used():
    proposal, data = split(BOTH)

    get, put = proposal["roles"]
    assert (get["role"], get["for"]) == (f"arn:aws:iam::{ACCOUNT}:role/app/get-role", function("get").arn)
    logs = f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/aws/lambda/get:*"
    assert allowed(get) == {"dynamodb:GetItem": TABLE, "logs:PutLogEvents": logs}
    assert allowed(put).keys() == {"dynamodb:PutItem", "logs:PutLogEvents"}
    assert proposal["before"] == proposal["after"] == []
    assert proposal["disposition"] == "unsafe"
    (finding,) = [each["id"] for each in data["findings"] if each["kind"] == "SharedRole"]
    assert proposal["finding_ids"] == [finding]


def test_each_role_has_its_proofs_and_together_they_allow_all_that_was_used():
    proposal, _ = split(BOTH)

    for made in proposal["roles"]:
        assert made["proofs"]["no_new_access"]["holds"] is True
        assert made["proofs"]["still_allows"]["holds"] is True
        assert made["proofs"]["still_allows"]["requests"] == 1
        new = [Document.parse(each["document"]) for each in made["policies"]]
        assert no_new_access(new, [POLICY.document]).holds is True
    assert proposal["proofs"]["still_allows"]["requests"] == 2


def test_a_deny_goes_with_every_role():
    proposal, _ = split(BOTH)

    for made in proposal["roles"]:
        assert deny("dynamodb:DeleteTable") in made["policies"][0]["document"]["Statement"]


def test_each_role_trusts_its_functions_service_alone():
    proposal, _ = split(BOTH)

    assert [made["trust"]["document"]["Statement"] for made in proposal["roles"]] == [[LAMBDA], [LAMBDA]]
    assert {made["trust"]["kind"] for made in proposal["roles"]} == {"trust"}


def test_what_no_log_shows_stays_with_each():
    proposal, _ = split(BOTH, unlogged=("dynamodb:Scan", "logs:PutLogEvents"))

    assert all("dynamodb:Scan" in allowed(made) for made in proposal["roles"])


@pytest.mark.parametrize(
    ("sessions", "functions", "kinds", "roles"),
    [
        pytest.param({"get": BOTH["get"]}, ("get", "put"), None, 0, id="only one was seen"),
        pytest.param(BOTH, ("get",), None, 0, id="only one runs as it"),
        pytest.param(BOTH, ("get", "put"), {"put": "AWS::ECS::TaskDefinition"}, 0, id="sessions that do not bear the name"),
        pytest.param(BOTH, ("get", "put", "idle"), None, 2, id="one made no call"),
    ],
)  # fmt: skip
def test_only_what_the_log_tells_apart_is_split(sessions, functions, kinds, roles):
    proposal, _ = split(sessions, functions, kinds=kinds)

    assert len(proposal["roles"] if proposal else []) == roles


def test_who_keeps_the_shared_role_is_said():
    proposal, _ = split({**BOTH, "i-0abc": [("dynamodb:Scan", TABLE)]}, ("get", "put", "idle"))

    assert proposal["reasons"][2:] == [
        f"the shared role stays for what made no call that names it: {function('idle').arn}",
        "the shared role stays for 1 other sessions, for example i-0abc",
    ]
    assert proposal["proofs"]["still_allows"]["holds"] is True
    assert proposal["proofs"]["still_allows"]["requests"] == 3


def test_a_name_that_the_account_has_is_not_taken():
    there = role(arn=f"arn:aws:iam::{ACCOUNT}:role/get-role")

    proposal, _ = split(BOTH, more=[there])

    assert [made["role"].rpartition("/")[2] for made in proposal["roles"]] == ["get-role2", "put-role"]
